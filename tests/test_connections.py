from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import RequestFactory, override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from example_project.accounts.models import Organization
from scim_provider import connections, keys
from scim_provider.connections import Overview, State
from scim_provider.models import AccessKey, Connection, Resource, Role, ScimUser
from scim_provider.organizations import Entitlement
from tests.factories import AccountFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_an_organization_has_one_connection(organization: Organization) -> None:
    first = connections.connection_for(organization)
    assert connections.connection_for(organization) == first
    assert first.owner == organization
    assert not first.enabled


def test_a_site_without_organizations_has_one_connection() -> None:
    assert connections.connection_for(None) == connections.connection_for(None)
    assert connections.connection_for(None).owner_key == ""


def test_a_known_connection_is_one_query(
    organization: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connections.connection_for(organization)
    with django_assert_num_queries(1):
        connections.connection_for(organization)


def test_a_connection_starts_with_the_roles_of_the_settings() -> None:
    roles = [
        "Analyst",
        {"value": "Über", "display": "Boss", "django_group": "bosses", "protected": True},
        {"value": "guest", "default": True, "description": "Looks on"},
    ]
    with override_settings(SCIM_PROVIDER={"ROLES": roles}):
        connection = connections.connection_for(OrganizationFactory())
        connections.connection_for(connection.owner)
    analyst, boss, guest = Role.objects.filter(connection=connection).order_by("pk")
    assert (analyst.value, analyst.value_key) == ("Analyst", "analyst")
    assert boss.value_key == "über"
    assert boss.django_group == Group.objects.get(name="bosses")
    assert boss.protected
    assert guest.is_default


def test_enabling_makes_a_key_and_says_since_when(organization: Organization) -> None:
    connection = connections.connection_for(organization)
    admin = AccountFactory(organization=organization)
    new = connections.enable(connection, by=admin, name="Okta", nonce="n")
    assert new is not None
    connection.refresh_from_db()
    assert connection.enabled
    assert connection.enabled_at is not None
    assert (new.key.created_by, new.key.name) == (admin, "Okta")


def test_the_same_form_enables_once(organization: Organization) -> None:
    connection = connections.connection_for(organization)
    assert connections.enable(connection, nonce="n") is not None
    assert connections.enable(connection, nonce="n") is None
    assert AccessKey.objects.count() == 1


def test_disabling_revokes_the_keys_and_keeps_the_people(connection: Connection) -> None:
    secret = keys.create_key(connection).secret
    _person(connection)
    connections.disable(connection)
    connection.refresh_from_db()
    key = keys.find(secret)
    assert key is not None
    assert not connection.enabled
    assert not key.is_live
    assert ScimUser.objects.count() == 1


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("", "http://testserver/scim/v2"),
        ("https://app.example.com", "https://app.example.com/scim/v2"),
        ("https://app.example.com/", "https://app.example.com/scim/v2"),
        ("https://app.example.com/scim/v2", "https://app.example.com/scim/v2"),
        ("https://app.example.com/scim/v2/", "https://app.example.com/scim/v2"),
        ("https://example.com/proxy", "https://example.com/proxy/scim/v2"),
        ("https://example.com/proxy/scim/v2", "https://example.com/proxy/scim/v2"),
    ],
)
def test_the_base_url_comes_from_the_setting_or_the_request(configured: str, expected: str) -> None:
    with override_settings(SCIM_PROVIDER={"BASE_URL": configured}):
        assert connections.base_url(RequestFactory().get("/settings/")) == expected


def test_without_request_and_setting_the_base_url_is_the_path() -> None:
    with override_settings(SCIM_PROVIDER={}):
        assert connections.base_url() == "/scim/v2"


def test_a_request_is_recorded(connection: Connection) -> None:
    connections.record_request(
        connection, method="GET", path="/Users", status=200, client="Okta", detail=""
    )
    connection.refresh_from_db()
    assert connection.last_request == "GET /Users"
    assert connection.last_status == 200
    assert connection.last_success_at == connection.last_request_at
    assert connection.last_failure_at is None


def test_a_failure_is_recorded_with_its_reason(connection: Connection) -> None:
    _record(connection, 200)
    _record(connection, 409, "userName is taken")
    connection.refresh_from_db()
    assert connection.last_status == 409
    assert connection.last_failure == "userName is taken"
    assert connection.last_success_at is not None


def test_like_requests_are_recorded_once_a_minute(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        _record(connection, 200)
        connection.refresh_from_db()
        clock.shift(30)
        with django_assert_num_queries(0):
            _record(connection, 204)
        with django_assert_num_queries(1):
            _record(connection, 404)
        clock.shift(61)
        connection.refresh_from_db()
        _record(connection, 404)
        connection.refresh_from_db()
        assert connection.last_request_at == timezone.now()


def test_two_processes_record_like_requests_once(connection: Connection) -> None:
    one, two = (Connection.objects.get(pk=connection.pk) for _ in range(2))
    connections.record_request(one, method="GET", path="/Users", status=200, client="first")
    connections.record_request(two, method="GET", path="/Users", status=200, client="second")
    connection.refresh_from_db()
    assert connection.last_client == "first"


def test_long_values_are_cut_to_their_columns(connection: Connection) -> None:
    connections.record_request(
        connection,
        method="GET",
        path="/" + "x" * 999,
        status=400,
        client="c" * 999,
        detail="d" * 999,
    )
    connection.refresh_from_db()
    assert (len(connection.last_request), len(connection.last_failure)) == (200, 500)


def _not_enabled(connection: Connection) -> None:
    connection.enabled = False


def _waiting(connection: Connection) -> None:
    keys.create_key(connection)


def _waiting_again(connection: Connection) -> None:
    keys.create_key(connection)
    _traffic(connection)
    connection.enabled_at = NOW + timedelta(hours=1)


def _traffic(connection: Connection, status: int = 200) -> None:
    connection.last_request_at, connection.last_status = NOW, status


def _connected(connection: Connection) -> None:
    keys.create_key(connection)
    _traffic(connection)


def _failing(connection: Connection) -> None:
    keys.create_key(connection)
    _traffic(connection, 401)


def _off_again(connection: Connection) -> None:
    connection.enabled, connection.disabled_at = False, NOW


def _rotating(connection: Connection) -> None:
    keys.rotate(connection, keys.create_key(connection).key, keep_old_for=timedelta(hours=1))
    _traffic(connection)


def _expiring(connection: Connection) -> None:
    keys.create_key(connection, expires_at=NOW + timedelta(days=12))
    _traffic(connection)


def _one_of_two_expires(connection: Connection) -> None:
    _expiring(connection)
    keys.create_key(connection, expires_at=NOW + timedelta(days=365))


def _keyless(connection: Connection) -> None:
    _traffic(connection)


@pytest.mark.parametrize(
    ("prepare", "entitlement", "state"),
    [
        (_not_enabled, {}, State.OFF_NEVER),
        (_off_again, {}, State.OFF_PREVIOUSLY),
        (_waiting, {}, State.WAITING),
        (_waiting_again, {}, State.WAITING),
        (_connected, {}, State.CONNECTED),
        (_failing, {}, State.ATTENTION),
        (_rotating, {}, State.ROTATING),
        (_expiring, {}, State.KEY_EXPIRING),
        (_one_of_two_expires, {}, State.CONNECTED),
        (_keyless, {}, State.KEY_EXPIRED),
        (_not_enabled, {"allowed": False, "state": "not_in_plan"}, State.NOT_ENTITLED),
        (_not_enabled, {"allowed": False, "state": "preview"}, State.PREVIEW),
        (_connected, {"allowed": False, "state": "not_in_plan"}, State.SUSPENDED),
    ],
)
def test_the_state_is_one_word(
    connection: Connection,
    prepare: Callable[[Connection], None],
    entitlement: dict[str, Any],
    state: State,
) -> None:
    prepare(connection)
    assert Overview(connection, Entitlement(**entitlement)).state == state


def test_the_overview_knows_that_the_old_key_is_still_sent(connection: Connection) -> None:
    old = keys.create_key(connection).key
    new = keys.rotate(connection, old, keep_old_for=timedelta(hours=1)).key
    keys.touch(old)
    assert connections.overview(connection).old_key_in_use
    AccessKey.objects.filter(pk=new.pk).update(last_used_at=timezone.now() + timedelta(minutes=1))
    assert not connections.overview(connection).old_key_in_use


def test_keys_that_ended_long_ago_are_not_listed(connection: Connection) -> None:
    keys.create_key(connection, name="live")
    for name, days in (("lately", 10), ("long ago", 100)):
        AccessKey.objects.create(
            connection=connection,
            name=name,
            digest=name,
            last4="0000",
            revoked_at=NOW - timedelta(days=days),
        )
    assert [key.name for key in connections.overview(connection).keys] == ["live", "lately"]


@pytest.mark.parametrize("people", [2, 40])
def test_the_overview_is_four_queries_at_any_size(
    connection: Connection, people: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    keys.create_key(connection)
    for _ in range(people):
        _person(connection)
    connection = Connection.objects.get(pk=connection.pk)
    with django_assert_max_num_queries(4):
        overview = Overview(connection, Entitlement())
        assert overview.state is State.WAITING
        assert overview.users == people
        assert overview.groups == 0
        assert len([person.account for person in overview.newest_people]) == min(people, 5)


def test_the_newest_people_are_those_of_the_connection(
    connection: Connection, other_connection: Connection
) -> None:
    _person(other_connection)
    mine = _person(connection)
    assert [person.pk for person in connections.overview(connection).newest_people] == [mine.pk]


def _record(connection: Connection, status: int, detail: str = "") -> None:
    connections.record_request(
        connection, method="GET", path="/Users", status=status, client="Okta", detail=detail
    )


def _person(connection: Connection) -> Resource:
    row: Resource = UserFactory(connection=connection)
    return row
