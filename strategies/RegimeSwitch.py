"""The former name of RisingMarket."""

from RisingMarket import RisingMarket


class RegimeSwitch(RisingMarket):
    """RisingMarket under the name it had before version 0.2; gone with version 0.3."""

    timeframe = "1h"
    renamed_to = "RisingMarket"
