"""The ``SCIM_SETTINGS_UI`` setting, read when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from scim_provider.conf import SettingsDict

#: Every key of ``SCIM_SETTINGS_UI`` and what it is when left out.
DEFAULTS: Mapping[str, Any] = {
    "BASE_TEMPLATE": "settings_ui/document.html",
    "PRODUCT_NAME": "",
    "KEY_LIFETIMES": [90, 365, 730, None],
    "REAUTHENTICATE_AFTER": None,
}


class UISettings(SettingsDict):
    """``SCIM_SETTINGS_UI``."""

    setting = "SCIM_SETTINGS_UI"
    defaults = DEFAULTS

    @property
    def base_template(self) -> str:
        """The template that the pages extend; its blocks: title, head, content, scripts."""
        return str(self.get("BASE_TEMPLATE"))

    @property
    def product_name(self) -> str:
        """What the pages call the site; "" leaves the name out."""
        return str(self.get("PRODUCT_NAME"))

    @property
    def key_lifetimes(self) -> list[timedelta | None]:
        """The lifetimes an admin may choose from, given in days; None is "never expires"."""
        return [
            None if days is None else timedelta(days=days) for days in self.get("KEY_LIFETIMES")
        ]

    @property
    def reauthenticate_after(self) -> timedelta | None:
        """How old a log-in may be where keys are made or ended; None: as old as it likes."""
        seconds = self.get("REAUTHENTICATE_AFTER")
        return None if seconds is None else timedelta(seconds=seconds)


ui_settings = UISettings()
