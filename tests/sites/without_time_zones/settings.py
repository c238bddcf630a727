"""Moments are stored and read as the clock of New York shows them."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

USE_TZ = False
TIME_ZONE = "America/New_York"
