"""Roles over HTTP: ``role`` and ``roles[]``, what they grant, and who gave them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from scim_provider.models import Connection, Provenance, Resource, RoleAssignment
from tests.conftest import ScimClient

from .test_users import person

pytestmark = pytest.mark.django_db

Account = get_user_model()
APP_ROLE = "WindowsAzureActiveDirectoryRole"
ROLE_ELEMENT = {"value": "analyst", "display": "Analyst", "primary": True}


def test_role_and_roles_are_two_views_of_one_assignment(scim: ScimClient) -> None:
    made = scim.post("/Users", person(role="analyst")).json()
    path = f"/Users/{made['id']}"
    assert made["roles"] == [ROLE_ELEMENT]
    changed = scim.patch(path, {"op": "replace", "path": "roles", "value": [{"value": "Admin"}]})
    assert changed.json()["role"] == "Admin"
    assert RoleAssignment.objects.get().role.value == "admin"
    assert scim.patch(path, {"op": "remove", "path": "role"}).json().get("roles") is None
    assert not RoleAssignment.objects.exists()


def test_roles_take_over_from_role(scim: ScimClient) -> None:
    made = scim.post("/Users", person(role="analyst")).json()
    element = {"value": "support", "primary": True}
    answer = scim.patch(f"/Users/{made['id']}", {"op": "add", "path": "roles", "value": [element]})
    assert [e["value"] for e in answer.json()["roles"]] == ["support"]
    assert answer.json()["role"] == "support"


@pytest.mark.parametrize(
    ("mentioned", "expected"),
    [
        ({"role": "support"}, "support"),
        ({"role": "analyst"}, "analyst"),
        ({"roles": [{"value": "support"}]}, "support"),
        ({"roles": [ROLE_ELEMENT]}, "analyst"),
        ({"role": "support", "roles": [ROLE_ELEMENT]}, "support"),
        ({"role": ""}, None),
        ({}, None),
    ],
)
def test_a_put_may_mention_either_view_of_the_role(
    scim: ScimClient, mentioned: dict[str, Any], expected: str | None
) -> None:
    made = scim.post("/Users", person(role="analyst")).json()
    answer = scim.put(f"/Users/{made['id']}", person(**mentioned)).json()
    assert answer.get("role") == expected
    assert [e["value"] for e in answer.get("roles", [])] == ([expected] if expected else [])
    assigned = RoleAssignment.objects.values_list("role__value", flat=True)
    assert list(assigned) == ([expected] if expected else [])


def test_an_unknown_role_is_refused_with_the_known_ones(scim: ScimClient) -> None:
    for body in (person(role="king"), person(roles=[{"value": "king"}])):
        answer = scim.post("/Users", body)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert "campaign_coordinator" in answer.json()["detail"]
    assert not Account.objects.exists()


@pytest.mark.parametrize(("policy", "expected"), [("ignore", None), ("default", "support")])
def test_a_policy_decides_what_an_unknown_role_becomes(
    scim: ScimClient, connection: Connection, policy: str, expected: str | None
) -> None:
    connection.unknown_role = policy
    connection.save()
    connection.roles.filter(value="support").update(is_default=True)
    assert scim.post("/Users", person(role="king")).json().get("role") == expected


def test_a_protected_role_is_never_granted_through_scim(
    scim: ScimClient, connection: Connection
) -> None:
    connection.roles.filter(value="admin").update(protected=True)
    assert scim.post("/Users", person(role="admin")).status_code == 400


def test_a_role_given_by_hand_is_not_wiped(scim: ScimClient, connection: Connection) -> None:
    made = scim.post("/Users", person(role="analyst")).json()
    role = connection.roles.get(value="manager")
    RoleAssignment.objects.create(
        connection=connection,
        user=Resource.objects.get(),
        role=role,
        provenance=Provenance.HAND,
    )
    scim.put(f"/Users/{made['id']}", person(role="support"))
    given = set(RoleAssignment.objects.values_list("role__value", "provenance"))
    assert given == {("manager", "hand"), ("support", "client")}


def test_a_role_grants_its_django_group_and_takes_it_away(
    scim: ScimClient, connection: Connection
) -> None:
    for value in ("analyst", "support"):
        granted = Group.objects.create(name=f"may {value}")
        connection.roles.filter(value=value).update(django_group=granted)
    own = Group.objects.create(name="given by hand")
    made = scim.post("/Users", person(role="analyst")).json()
    account = Account.objects.get()
    account.groups.add(own)

    def groups() -> set[str]:
        return set(account.groups.values_list("name", flat=True))

    assert groups() == {"may analyst", "given by hand"}
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "role", "value": "support"})
    assert groups() == {"may support", "given by hand"}
    scim.delete(f"/Users/{made['id']}")
    assert groups() == {"given by hand"}


def test_a_role_may_be_given_by_its_id_as_okta_does(
    scim: ScimClient, connection: Connection
) -> None:
    listed = scim.get("/Roles", filter='displayName eq "analyst"').json()["Resources"]
    assert [(role["value"], role["displayName"]) for role in listed] == [("analyst", "Analyst")]
    made = scim.post("/Users", person(roles=[{"value": listed[0]["id"]}])).json()
    assert made["roles"][0]["value"] == listed[0]["id"]
    assert made["role"] == "analyst"
    assert RoleAssignment.objects.get().role.value == "analyst"


def test_the_default_role_takes_the_place_of_an_unknown_one(
    scim: ScimClient, connection: Connection
) -> None:
    connection.unknown_role = "default"
    connection.save()
    connection.roles.filter(value="support").update(is_default=True)
    made = scim.post("/Users", person(roles=[{"value": "king"}])).json()
    assert (made["role"], made["roles"][0]["value"]) == ("support", "support")
    assert RoleAssignment.objects.get().role.value == "support"


CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
AS_JSON = '{"id": "06b07648", "value": "analyst", "displayName": "Analyst"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Okta, external namespace of the core schema (O11); and as Entra spells it (E17).
        ({"role": "Analyst"}, ["Analyst"]),
        ({f"{CORE}:role": "analyst"}, ["analyst"]),
        ({CORE: {"role": "analyst"}}, ["analyst"]),
        ({"roles": []}, []),
        ({"roles": [{"primary": True, "type": APP_ROLE, "value": "admin"}]},
         ["admin"]),
        ({"roles": [{"primary": "True", "value": "admin"}]}, ["admin"]),
        ({"roles": [{"value": "admin", "displayName": "The admin"}]}, ["admin"]),
        ({"roles": [{"value": "admin", "display": "The admin"}, {"value": "support"}]},
         ["admin", "support"]),
        ({"roles": [{"value": AS_JSON}]}, ["analyst"]),
        ({"roles": {"value": "admin"}}, ["admin"]),
        # OneLogin's template with an empty parameter (L6), Keycloak's plug-in (K1).
        ({"role": ""}, []),
        ({"role": None, "roles": None}, []),
        ({"roles": [{"value": "support"}], "active": "true"}, ["support"]),
    ],
)  # fmt: skip
def test_a_create_in_every_dialect(
    scim: ScimClient, body: dict[str, Any], expected: list[str]
) -> None:
    made = scim.post("/Users", person(**body))
    assert made.status_code == 201, made.content
    for answer in (made.json(), scim.put(f"/Users/{made.json()['id']}", person(**body)).json()):
        assert [element["value"] for element in answer.get("roles", [])] == expected
        assert answer.get("role") == (expected[0] if expected else None)
    given = RoleAssignment.objects.order_by("pk").values_list("role__value", flat=True)
    assert list(given) == [value.lower() for value in expected]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "Replace", "path": "role", "value": "admin"}, ["admin"]),
        ({"op": "Add", "path": f"{CORE}:role", "value": "admin"}, ["admin"]),
        ({"op": "replace", "value": {"role": "admin"}}, ["admin"]),
        ({"op": "replace", "value": {f"{CORE}:role": "admin"}}, ["admin"]),
        ({"op": "replace", "value": {CORE: {"role": "admin"}}}, ["admin"]),
        ({"op": "Add", "path": "roles", "value": [{"value": AS_JSON}]}, ["support", "analyst"]),
        ({"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "admin"}, ["admin"]),
        ({"op": "replace", "path": "roles", "value": [{"value": "admin", "primary": "True"}]},
         ["admin"]),
        ({"op": "replace", "path": "roles", "value": [{"value": "admin"}, {"value": "analyst"}]},
         ["admin", "analyst"]),
        ({"op": "remove", "path": 'roles[value eq "support"]'}, []),
        ({"op": "Remove", "path": "roles"}, []),
        ({"op": "replace", "path": "role", "value": ""}, []),
        ({"op": "replace", "path": "roles", "value": []}, []),
        ({"op": "replace", "value": {"active": "true", "roles": [{"value": "admin"}]}}, ["admin"]),
    ],
)  # fmt: skip
def test_a_patch_in_every_dialect(
    scim: ScimClient, operation: dict[str, Any], expected: list[str]
) -> None:
    roles = [{"value": "support", "primary": True, "type": APP_ROLE}]
    path = f"/Users/{scim.post('/Users', person(roles=roles)).json()['id']}"
    answer = scim.patch(path, operation)
    assert answer.status_code == 200, answer.content
    assert [e["value"] for e in answer.json().get("roles", [])] == expected
    given = RoleAssignment.objects.values_list("role__value", flat=True)
    assert sorted(given) == sorted(expected)
    again = scim.patch(path, operation)  # what was said once is no change the second time
    if operation["op"].lower() == "replace":
        assert again.json()["meta"]["version"] == answer.json()["meta"]["version"]


def test_entitlements_are_discovered_and_given_as_okta_does(scim: ScimClient) -> None:
    """O22: /ResourceTypes, /Schemas, then the endpoint; people carry ids."""
    types = {t["name"]: t for t in scim.get("/ResourceTypes").json()["Resources"]}
    role_type = types["Role"]
    schema = scim.get(f"/Schemas/{role_type['schema']}").json()
    assert {"displayName", "description"} <= {a["name"] for a in schema["attributes"]}
    listed = scim.get(role_type["endpoint"], startIndex=1, count=100).json()["Resources"]
    support = next(role for role in listed if role["displayName"] == "Support")
    assert scim.get(f"/Roles/{support['id']}").json() == support
    sent = [{"value": support["id"], "display": "Support"}]
    made = scim.post("/Users", person(roles=sent)).json()
    assert made["roles"] == sent
    assert made["role"] == "support"
    assert RoleAssignment.objects.get().role.value == "support"
    answer = scim.put(f"/Users/{made['id']}", person(roles=sent)).json()
    assert answer["meta"]["version"] == made["meta"]["version"]


def test_what_is_sent_under_an_alias_is_answered_so(
    scim: ScimClient, connection: Connection
) -> None:
    connection.roles.filter(value="analyst").update(aliases=["Viewer", "Wächter "])
    for sent in ("viewer", "wächter"):
        made = scim.post("/Users", person(sent, role=sent)).json()
        assert (made["role"], made["roles"][0]["value"]) == (sent, sent)
    assert set(RoleAssignment.objects.values_list("role__value", flat=True)) == {"analyst"}


def test_a_protected_role_is_no_default(scim: ScimClient, connection: Connection) -> None:
    Connection.objects.update(unknown_role="default", missing_role="default")
    connection.roles.filter(value="admin").update(is_default=True, protected=True)
    assert scim.post("/Users", person(role="king")).json().get("role") is None
    assert not RoleAssignment.objects.exists()
