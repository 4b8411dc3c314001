"""What follows from a first difference of the accounts: once they differ, sizes, guards and entries
do, at every candle after it. Told one by one, they hide where it began.
"""

from collections.abc import Sequence

from ballast.research.drift.layers import Difference, DriftLayer

# Guards that look at candles alone: what they say does not follow from an account.
_OF_CANDLES = ("VolatilityCooldown", "MarketShockHalt", "DataOutageHalt")
# Of fills, who holds or traded what; how well something filled is a cause of its own.
_HELD = ("position", "traded")


def separated(
    differences: Sequence[Difference],
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """
    Differences that stand for themselves, and those that follow from the first of the accounts,
    which is among the former; both in order of time, as given.
    """
    own: list[Difference] = []
    following: list[Difference] = []
    began = False
    for each in differences:
        if not _is_of_account(each):
            own.append(each)
        elif began:
            following.append(each)
        else:
            began = True
            own.append(each)
    return tuple(own), tuple(following)


def first_of_account(differences: Sequence[Difference]) -> Difference | None:
    """The difference from which the others follow."""
    return next((each for each in differences if _is_of_account(each)), None)


def _is_of_account(difference: Difference) -> bool:
    if difference.at is None:
        return False
    if difference.layer is DriftLayer.GUARDS:
        return difference.what not in _OF_CANDLES
    if difference.layer is DriftLayer.FILLS:
        return difference.what.startswith(_HELD)
    return difference.layer is DriftLayer.SIZING
