"""django-guardian gives permissions on single objects, and has an anonymous user of its own."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "guardian"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
