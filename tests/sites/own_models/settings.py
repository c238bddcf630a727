"""A site with a user model, teams and devices of its own: docs/own-models.md, as it is printed.

``AUTH_USER_MODEL`` in the environment chooses between two user models.
"""

from __future__ import annotations

import environ

env = environ.Env()

SECRET_KEY = "for tests only"
ALLOWED_HOSTS = ["*"]
AUTH_USER_MODEL = env("AUTH_USER_MODEL", default="people.Person")
DATABASES = {"default": env.db("DATABASE_URL", default="sqlite://:memory:")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
    suffix = AUTH_USER_MODEL.rpartition(".")[2].lower()
    DATABASES["default"]["TEST"] = {"NAME": f"test_{DATABASES['default']['NAME']}_own_{suffix}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "scim_provider",
    "settings_ui",
    "tests.sites.own_models.people",
    "tests.sites.own_models.teams",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "tests.sites.own_models.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "static/"
USE_TZ = True
SCIM_PROVIDER = {
    "RESOURCE_TYPES": [
        "tests.sites.own_models.people.scim.Staff",
        "tests.sites.own_models.people.scim.Teams",
        "tests.sites.own_models.people.scim.Devices",
        "scim_provider.resources.RoleResource",
    ],
}
