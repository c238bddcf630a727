"""The checks know this site's user model."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import override_settings

from scim_provider import checks
from scim_provider.resources import Attribute, Column, UserResource
from tests.sites.own_models.people.scim import STAFF, Staff

IS_PERSON = get_user_model().__name__ == "Person"


class Lacking(UserResource):
    """Maps nothing to what an account needs, nor to what locks people out."""


class Optional(UserResource):
    schema = UserResource.schema.including(Attribute("costCenter", "integer"))
    homes = UserResource.homes | {"costCenter": Column("account__cost_center")}


class Making(Lacking):
    def new_account(self, *args: Any) -> Any:
        account = super().new_account(*args)
        account.cost_center = 7
        return account

    def deactivate(self, account: Any) -> None:
        account.delete()


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        (Lacking, {"E022"} | ({"W030"} if IS_PERSON else set())),
        (Optional, {"W026"} | ({"W030"} if IS_PERSON else set())),
        (Making, set()),
        (Staff, set()),
    ],
)
def test_what_an_account_needs_is_told(resource_type: type, expected: set[str]) -> None:
    with override_settings(SCIM_PROVIDER={"RESOURCE_TYPES": [resource_type]}):
        told = checks.check_user_model()
    assert {str(message.id).removeprefix("scim_provider.") for message in told} == expected


def test_the_site_passes_all_checks() -> None:
    assert STAFF.attributes
    assert run_checks() == []
