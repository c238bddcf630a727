"""django-simple-history keeps what accounts were like."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["tests.sites.with_simple_history", "simple_history", *INSTALLED_APPS]
MIDDLEWARE = [*MIDDLEWARE, "simple_history.middleware.HistoryRequestMiddleware"]
AUTH_USER_MODEL = "with_simple_history.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
