"""URLs are taken as they are asked for."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

APPEND_SLASH = False
