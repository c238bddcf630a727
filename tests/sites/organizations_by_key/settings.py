"""People belong to one organization each, by a foreign key."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS

INSTALLED_APPS = [
    "tests.sites.organizations_by_key",
    "tests.sites.organizations_by_key.office",
    *INSTALLED_APPS,
]
AUTH_USER_MODEL = "organizations_by_key.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SCIM_PROVIDER = {"ORGANIZATIONS": "tests.sites.organizations_by_key.scim.Organizations"}
