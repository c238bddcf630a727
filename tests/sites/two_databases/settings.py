"""People, and SCIM with them, live in a database of their own; sessions in the default one."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import DATABASES, env

DATABASES = DATABASES | {"people": env.db("SECOND_DATABASE_URL")}
DATABASE_ROUTERS = ["tests.sites.two_databases.router.PeopleRouter"]
