"""People have UUID keys, sign in with their e-mail address and have one name."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.sites.email_users", *INSTALLED_APPS]
AUTH_USER_MODEL = "email_users.Person"
