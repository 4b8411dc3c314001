"""The part of the settings that says what the market is."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator

from ballast.core.section import SettingsSection


class MarketSettings(SettingsSection):
    """Which pairs stand for the whole market."""

    leader: str | None = Field(None, description="a pair such as 'BTC/USDT'; null for BTC")
    basket: list[str] | None = Field(
        None, description="pairs such as 'BTC/USDT'; null for the whitelist"
    )

    def leading(self, stake_currency: str) -> str:
        """The pair that stands for the market."""
        return self.leader or f"BTC/{stake_currency}"

    @field_validator("leader", "basket")
    @classmethod
    def _are_pairs(cls, pairs: Any) -> Any:
        if pairs is None:
            return None
        listed = [pairs] if isinstance(pairs, str) else pairs
        # Of no pairs nothing leads, and nothing would ever be bought.
        if not listed or any("/" not in pair for pair in listed):
            raise ValueError("pairs such as 'BTC/USDT'")
        if len(set(listed)) < len(listed):
            raise ValueError("pairs such as 'BTC/USDT', each of them once")
        return pairs

    def unlike(self, whitelist: Sequence[str]) -> str:
        """
        How the pairs that stand for the market differ from those that are traded, one sentence.

        Empty where they are the same, or where the whitelist is the basket.
        """
        if self.basket is None or set(self.basket) == set(whitelist):
            return ""
        traded = ", ".join(pair for pair in whitelist if pair not in self.basket)
        judged = ", ".join(pair for pair in self.basket if pair not in whitelist)
        parts = [f"{traded} traded and not in it"] if traded else []
        parts += [f"{judged} in it and not traded"] if judged else []
        return (
            f"ballast.market.basket is not the whitelist: {'; '.join(parts)}. The breadth of the "
            "market and who leads in it are judged by the basket, the market itself by its leader"
        )
