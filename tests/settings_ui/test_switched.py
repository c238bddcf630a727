"""Where a site lets people switch organizations: a form acts on the one that it was shown for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from example_project.accounts.models import Organization
from scim_provider import connections, keys
from scim_provider.models import AccessKey, Connection
from tests.factories import OrganizationFactory
from tests.settings_ui.pages import Pages

pytestmark = pytest.mark.django_db

HIDDEN = re.compile(r'<input type="hidden" name="(connection|nonce)"[^>]*? value="([^"]+)"')


@pytest.fixture
def globex(db: None) -> Connection:
    return connections.connection_for(OrganizationFactory(name="Globex", slug="globex"))


@pytest.fixture
def switched(plans: Any) -> Any:
    """Open another organization, which the person manages, too."""
    return lambda organization: plans(owner_for=organization, can_manage=True)


def hidden(page: Any) -> dict[str, str]:
    """What the forms of the page send along."""
    fields = dict(HIDDEN.findall(page.content.decode()))
    assert "connection" in fields
    return fields


def snapshot() -> Iterator[Any]:
    yield from AccessKey.objects.order_by("pk").values()
    yield from Connection.objects.order_by("pk").values()


@pytest.mark.parametrize("name", ["enable", "disable", "key_new", "list_members"])
def test_another_organization_is_left_alone(
    name: str, admin: Pages, organization: Organization, globex: Connection, switched: Any
) -> None:
    acme = connections.connection_for(organization)
    if name != "enable":
        for connection in (acme, globex):
            connection.existing_people = "list"
            connection.save()
            connections.enable(connection)
    page = admin.open(name if name in ("disable", "key_new") else "security")
    fields = hidden(page) | {"name": "K", "lifetime": "365", "provisioning": "on"}
    switched(globex.owner)
    before = list(snapshot())
    answer = admin.send(name, **fields, follow=True)
    assert list(snapshot()) == before
    assert "Nothing was changed" in answer.content.decode()
    assert "Globex" in answer.content.decode()

    switched(organization)
    assert admin.send(name, **fields).status_code in (200, 302)
    assert list(snapshot()) != before


def test_a_key_of_the_one_before_is_not_revoked(
    admin: Pages, connection: Connection, globex: Connection, switched: Any
) -> None:
    key = keys.create_key(connection).key
    fields = hidden(admin.open("key_revoke", key.public_id))
    switched(globex.owner)
    answer = admin.send("key_revoke", key.public_id, **fields, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    key.refresh_from_db()
    assert key.is_live
