"""django-auditlog logs every change of an account."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["auditlog", *INSTALLED_APPS]
MIDDLEWARE = [*MIDDLEWARE, "auditlog.middleware.AuditlogMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUDITLOG_INCLUDE_TRACKING_MODELS = ("auth.User",)
