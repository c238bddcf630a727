"""Reads go to a replica, which does not know what a running transaction has written."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403
from tests.sites.stock.settings import DATABASES

DATABASES = DATABASES | {"replica": DATABASES["default"] | {"TEST": {"MIRROR": "default"}}}
DATABASE_ROUTERS = [
    "scim_provider.routers.PrimaryRouter",
    "tests.sites.read_replica.router.ReplicaRouter",
]
