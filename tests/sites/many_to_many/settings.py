"""A site whose people are in any number of teams, each with an identity provider of its own."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.sites.many_to_many"]
SCIM_PROVIDER = {"ORGANIZATIONS": "tests.sites.many_to_many.scim.Teams"}
