"""A site that has used django-scim2 so far: the real package, its columns, its URLs."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["tests.sites.django_scim2.people", "django_scim", *INSTALLED_APPS]
MIDDLEWARE = [*MIDDLEWARE, "tests.sites.django_scim2.people.middleware.OnlyBefore"]
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.sites.django_scim2.urls_before"
SCIM_SERVICE_PROVIDER = {
    "GROUP_MODEL": "tests.sites.django_scim2.people.models.Group",
    "NETLOC": "testserver",
    "AUTHENTICATION_SCHEMES": [{"type": "httpbasic", "name": "HTTP Basic"}],
}
DATABASES["default"].setdefault("TEST", {"NAME": None})
if not DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # The suite that starts this one may have a test database of the same name open.
    DATABASES["default"]["TEST"]["NAME"] = f"test_{DATABASES['default']['NAME']}_django_scim2"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
