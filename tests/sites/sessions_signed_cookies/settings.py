"""Sessions live in the browser; the server keeps nothing."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import MIDDLEWARE

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE = [*MIDDLEWARE, "scim_provider.middleware.LockoutMiddleware"]
