"""The base of every part of the settings, which may stand beside what it sets."""

from pydantic import BaseModel, ConfigDict


class SettingsSection(BaseModel):
    """A part of the `ballast` section of the configuration."""

    # Strict: "0.5" for 0.5 or true for 1 is a slip of the pen, not a setting.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
