"""What a fill costs in fees: the exchange's own rate, as Freqtrade and own trades have it."""

from collections.abc import Callable

from freqtrade.persistence import LocalTrade, Trade
from sqlalchemy import select

from ballast.config.settings import RiskSettings
from ballast.core.heat import StopCosts


class Fees:
    """
    Fees of a run.

    Parameters
    ----------
    risk : RiskSettings
        With the fee where no exchange is there to say, and what a fill costs beside it.
    ask : callable
        Fee of a pair as the exchange (or `--fee`) has it, ratio of a fill; None where unknown.
    """

    def __init__(self, risk: RiskSettings, ask: Callable[[str], float | None]) -> None:
        self._risk = risk
        self._ask = ask
        self._known: dict[str, float] = {}
        self._charged: float | None = None
        self._stop_costs: dict[float, StopCosts] = {}

    def of(self, pair: str) -> float:
        """Fee of a fill, ratio; live never less than own orders were charged last."""
        fee = self._known.get(pair)
        if fee is None:
            fee = self._ask(pair)
            if fee is None:
                fee = self._risk.fee_pct / 100
            else:
                self._known[pair] = fee
        if not Trade.use_db:
            return fee
        if self._charged is None:
            self._charged = _charged_last()
        return max(fee, self._charged)

    def look_anew(self) -> None:
        """A loop begins, or an order has filled: own trades are asked once more."""
        self._charged = None

    def stop_costs(self, pair: str) -> StopCosts:
        """What leaving a pair at a stop costs beside the distance."""
        fee = self.of(pair)
        if fee not in self._stop_costs:
            self._stop_costs[fee] = self._risk.stop_costs(fee)
        return self._stop_costs[fee]

    def break_even_ratio(self, trade: LocalTrade) -> float:
        """Round-trip cost that the break-even stop of a trade covers, ratio of its price."""
        fee = max(self.of(trade.pair), trade.fee_open or 0.0, trade.fee_close or 0.0)
        return self._risk.round_trip_cost(fee)


def _charged_last() -> float:
    """Fee that the newest trade was charged, ratio; 0 where none has been."""
    charged = select(Trade.fee_open).where(Trade.fee_open_currency.is_not(None))
    return float(Trade.session.scalar(charged.order_by(Trade.id.desc()).limit(1)) or 0.0)
