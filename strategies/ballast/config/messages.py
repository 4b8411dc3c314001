"""Settings of what the operator is told, beside Freqtrade's own `notification_settings`."""

from pydantic import Field

from ballast.core.section import SettingsSection


class MessageSettings(SettingsSection):
    """How often the operator is told, and what may be asked."""

    digest_minutes: float = Field(
        60.0, ge=1, le=1440, description="minutes from one digest of refused entries to the next"
    )
    quiet_minutes: float = Field(
        60.0, ge=1, le=1440, description="minutes before the same trouble of a pair is told again"
    )
    why_command: bool = Field(
        True, description="Telegram's /why, which reads what is known and changes nothing"
    )
