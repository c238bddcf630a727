"""The project's own idea of a primary key changes nothing of ours."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

DEFAULT_AUTO_FIELD = "django.db.models.SmallAutoField"
