"""The ``SCIM_PROVIDER`` setting, read when it is used and never at import.

``from scim_provider.conf import scim_settings``; each key of the dict is a typed, lower-case
property. A dotted path is imported on first use and kept until a setting changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

#: Every key of ``SCIM_PROVIDER`` and what it is when left out.
DEFAULTS: Mapping[str, Any] = {
    "RESOURCE_TYPES": [
        "scim_provider.resources.UserResource",
        "scim_provider.resources.GroupResource",
        "scim_provider.resources.RoleResource",
    ],
    "ORGANIZATIONS": "scim_provider.organizations.Organizations",
    "ROLES": [],
    "ACCESS_KEY_PREFIX": "SCIM-API-Key",
    "BASE_URL": "",
    "MAX_RESULTS": 1000,
    "DEFAULT_COUNT": 100,
    "CURSOR_MAX_AGE": 3600,
    "MAX_BODY_BYTES": 16 * 1024 * 1024,
    "BULK_MAX_OPERATIONS": 1000,
    "THROTTLE_RATE": "",
    "EVENT_RETENTION_DAYS": 180,
    "PUBLIC_DISCOVERY": True,
    "ALLOW_PRIVILEGED": False,
    "DOCUMENTATION_URL": "",
}


_RATE = re.compile(r"([1-9][0-9]*)/(s|min|h|d)\Z")
_PERIODS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


@cache
def parsed_rate(rate: str) -> tuple[int, int]:
    """``"600/min"`` → 600 and 60 seconds. Raises ``ValueError``."""
    found = _RATE.match(rate)
    if found is None:
        raise ValueError(f"{rate!r} is no rate. Give one such as 600/min; s, min, h or d.")
    return int(found[1]), _PERIODS[found[2]]


class SettingsDict:
    """One dict of Django's settings with defaults, safe under ``override_settings``."""

    setting: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]]
    #: Keys that hold a dotted path or a list of them.
    dotted_paths: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._imported: dict[str, Any] = {}
        setting_changed.connect(self._forget)

    def get(self, key: str) -> Any:
        """The value of ``key`` as configured, or its default."""
        given = getattr(django_settings, self.setting, None) or {}
        return given[key] if key in given else self.defaults[key]

    def unknown_keys(self) -> list[str]:
        given = getattr(django_settings, self.setting, None) or {}
        return sorted(set(given) - set(self.defaults), key=str)

    def imported(self, dotted: str | Any) -> Any:
        """The object behind a dotted path; anything but a string is that object already.

        Raises ``ImportError`` where there is none.
        """
        if not isinstance(dotted, str):
            return dotted
        if dotted not in self._imported:
            self._imported[dotted] = import_string(dotted)
        return self._imported[dotted]

    def _forget(self, *, setting: str, **kwargs: Any) -> None:
        self._imported.clear()


class ProviderSettings(SettingsDict):
    """``SCIM_PROVIDER``."""

    setting = "SCIM_PROVIDER"
    defaults = DEFAULTS
    dotted_paths = ("RESOURCE_TYPES", "ORGANIZATIONS")

    @property
    def resource_types(self) -> list[Any]:
        """The classes of the served resource types, in the order of discovery."""
        return [self.imported(dotted) for dotted in self.get("RESOURCE_TYPES")]

    @property
    def organizations(self) -> Any:
        """The class that knows the site's organizations."""
        return self.imported(self.get("ORGANIZATIONS"))

    @property
    def roles(self) -> list[dict[str, Any]]:
        """The roles that a new connection starts with; a string is a role of that value."""
        return [
            {"value": role} if isinstance(role, str) else dict(role) for role in self.get("ROLES")
        ]

    @property
    def access_key_prefix(self) -> str:
        """The word shown before the key."""
        return str(self.get("ACCESS_KEY_PREFIX"))

    @property
    def base_url(self) -> str:
        """The absolute URL of the mount or of the site, "" to take it from the request."""
        return str(self.get("BASE_URL")).rstrip("/")

    @property
    def max_results(self) -> int:
        """The most resources on one page."""
        return int(self.get("MAX_RESULTS"))

    @property
    def default_count(self) -> int:
        """Resources on a page where the client names no ``count``."""
        return int(self.get("DEFAULT_COUNT"))

    @property
    def cursor_max_age(self) -> int:
        """Seconds for which a cursor is good (RFC 9865 §4, ``cursorTimeout``)."""
        return int(self.get("CURSOR_MAX_AGE"))

    @property
    def throttle_rate(self) -> tuple[int, int] | None:
        """Requests of one connection, and the seconds they may come in; None for no limit.

        Raises ``ValueError`` for what is no rate.
        """
        rate = self.get("THROTTLE_RATE")
        return parsed_rate(str(rate)) if rate else None

    @property
    def max_body_bytes(self) -> int:
        """The longest body that is read."""
        return int(self.get("MAX_BODY_BYTES"))

    @property
    def bulk_max_operations(self) -> int:
        """The most operations in one Bulk request."""
        return int(self.get("BULK_MAX_OPERATIONS"))

    @property
    def event_retention_days(self) -> int | None:
        """How long events are kept; None for ever."""
        days = self.get("EVENT_RETENTION_DAYS")
        return None if days is None else int(days)

    @property
    def public_discovery(self) -> bool:
        """Whether discovery is readable without a key (RFC 7644 §4)."""
        return bool(self.get("PUBLIC_DISCOVERY"))

    @property
    def allow_privileged(self) -> bool:
        """Whether SCIM may touch staff and superusers."""
        return bool(self.get("ALLOW_PRIVILEGED"))

    @property
    def documentation_url(self) -> str:
        """``documentationUri`` of ServiceProviderConfig."""
        return str(self.get("DOCUMENTATION_URL"))


scim_settings = ProviderSettings()
