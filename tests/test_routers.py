from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.test import override_settings

from scim_provider import checks
from scim_provider.models import Resource
from scim_provider.routers import primary

PRIMARY = "scim_provider.routers.PrimaryRouter"


class Replica:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"


class AccountsElsewhere:
    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "accounts" if model is get_user_model() else None


def test_a_site_without_routers_has_nothing_to_mend() -> None:
    assert checks.check_replicas() == checks.check_one_database() == []


def test_a_replica_for_reads_needs_the_router() -> None:
    replica = f"{__name__}.Replica"
    with override_settings(DATABASE_ROUTERS=[replica]):
        assert [found.id for found in checks.check_replicas()] == ["scim_provider.W040"]
    with override_settings(DATABASE_ROUTERS=[replica, PRIMARY]):
        assert [found.id for found in checks.check_replicas()] == ["scim_provider.W040"]
    with override_settings(DATABASE_ROUTERS=[PRIMARY, replica]):
        assert checks.check_replicas() == []


def test_only_scim_is_pinned_and_only_in_its_requests() -> None:
    with override_settings(DATABASE_ROUTERS=[PRIMARY, f"{__name__}.Replica"]):
        assert router.db_for_read(Resource) == "default"
        assert router.db_for_read(get_user_model()) == "replica"
        with primary(), primary():
            assert router.db_for_read(get_user_model()) == "default"
        assert router.db_for_read(get_user_model()) == "replica"


def test_accounts_in_another_database_are_refused() -> None:
    with override_settings(DATABASE_ROUTERS=[f"{__name__}.AccountsElsewhere"]):
        assert [found.id for found in checks.check_one_database()] == ["scim_provider.E041"]
