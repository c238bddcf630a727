"""Sessions live in files."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.file"
