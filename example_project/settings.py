"""A small multi-organization site that uses both apps.

Read from the environment: DATABASE_URL, SECRET_KEY, DEBUG, ALLOWED_HOSTS, CACHE_URL,
SCIM_BASE_URL. Everything has a default that is right on a developer's machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def database() -> dict[str, Any]:
    """The default database, set up so that concurrent writers wait instead of failing."""
    config: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    if config["ENGINE"].endswith("postgresql"):
        # Plans are kept with the connection, as statements are few and always the same. Not
        # behind a pooler that shares connections between transactions: see docs/scale.md. Short
        # statements are not compiled: that takes ten times as long as running them.
        kept = {"server_side_binding": True, "prepare_threshold": 5, "options": "-c jit=off"}
        config["OPTIONS"] = kept | config.get("OPTIONS", {})
    return config


SECRET_KEY = env.str("SECRET_KEY", default="insecure-key-of-the-example-site-set-your-own")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
DATABASES = {"default": database()}
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

INSTALLED_APPS = [
    "example_project.accounts",
    "scim_provider",
    "settings_ui",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "example_project.middleware.SqlCountMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "example_project.middleware.StrictContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "scim_provider.middleware.LockoutMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"

AUTH_USER_MODEL = "accounts.Account"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

SCIM_PROVIDER = {
    "ACCESS_KEY_PREFIX": "Acme-API-Key",
    "BASE_URL": env.str("SCIM_BASE_URL", default=""),
    "ORGANIZATIONS": "example_project.accounts.scim.Organizations",
    "RESOURCE_TYPES": [
        "example_project.accounts.scim.StaffUsers",
        "scim_provider.resources.GroupResource",
        "scim_provider.resources.RoleResource",
    ],
    "ROLES": [
        {"value": "admin", "display": "Admin"},
        {"value": "manager", "display": "Manager"},
        {"value": "analyst", "display": "Analyst"},
        {"value": "campaign_coordinator", "display": "Campaign Coordinator"},
        {"value": "content_creator", "display": "Content Creator"},
        {"value": "support", "display": "Support"},
    ],
}

SCIM_SETTINGS_UI = {"BASE_TEMPLATE": "example/site.html", "PRODUCT_NAME": "Acme Desk"}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
