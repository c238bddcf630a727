"""Sessions live in the database, with copies in the cache."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
