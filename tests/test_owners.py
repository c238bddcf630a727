"""The organization is read along with the key, and what it says by now holds at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS

from example_project.accounts.models import Organization, Plan
from scim_provider import keys, owners
from scim_provider.models import Connection
from scim_provider.organizations import owner_of
from tests.api.test_groups import statements
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


def asked(scim: ScimClient) -> int:
    return int(scim.get("/Users", count=1).status_code)


def test_a_key_and_its_organization_are_one_statement(
    scim: ScimClient, access_key: str, organization: Organization
) -> None:
    assert asked(scim) == 200
    found: list[Any] = []
    assert len(statements(lambda: found.append(keys.find(access_key)))) == 1
    assert not statements(lambda: found.append(owner_of(found[0].connection)))
    assert found[1] == organization


def test_a_plan_that_ends_ends_at_once(scim: ScimClient, organization: Organization) -> None:
    assert [asked(scim), asked(scim)] == [200, 200]
    Organization.objects.filter(pk=organization.pk).update(plan=Plan.STARTER)
    assert asked(scim) == 403
    Organization.objects.filter(pk=organization.pk).update(plan=Plan.BUSINESS)
    assert asked(scim) == 200


def test_a_connection_that_is_given_to_another_organization_has_the_others_plan(
    scim: ScimClient, connection: Connection
) -> None:
    assert [asked(scim), asked(scim)] == [200, 200]
    other = Organization.objects.create(name="Small", slug="small", plan=Plan.STARTER)
    Connection.objects.filter(pk=connection.pk).update(owner_id=str(other.pk))
    assert [asked(scim), asked(scim)] == [403, 403]


def test_an_organization_that_is_gone_is_gone_at_once(
    scim: ScimClient, organization: Organization
) -> None:
    assert [asked(scim), asked(scim)] == [200, 200]
    Organization.objects.filter(pk=organization.pk)._raw_delete(DEFAULT_DB_ALIAS)  # by hand
    refused = scim.get("/Users", count=1)
    assert refused.status_code == 403
    assert "no longer exists" in refused.json()["detail"]


@pytest.mark.parametrize("owner_id", ["none", "9" * 40, ""])
def test_a_key_that_no_row_can_have_breaks_no_statement(
    scim: ScimClient, connection: Connection, owner_id: str
) -> None:
    assert asked(scim) == 200
    Connection.objects.filter(pk=connection.pk).update(owner_id=owner_id)
    assert [asked(scim), asked(scim)] == [403, 403]


def test_only_so_many_are_remembered(
    scim: ScimClient, other_scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "_MOST_REMEMBERED", 1)
    assert [asked(each) for each in (scim, other_scim) * 2] == [200] * 4
