"""RFC 7644 §3.3 to §3.6 and §3.14 over HTTP: what is created, replaced, deleted, and its version.

The tests of each endpoint have most of it; here is what a walk through the RFC found beside.
"""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.mapping import references
from scim_provider.models import AttributeValue, Connection
from tests.api.fixture_answers import assert_error, group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MANAGER = f"{ENTERPRISE}:manager"


# -- §3.3, §3.5: a required name is more than blanks (RFC 7643 §4.1.1, §4.2) --------------------


@pytest.mark.parametrize("blank", ["", " ", " \t\n", None])
def test_a_name_of_blanks_is_no_name(
    scim: ScimClient, ada: dict[str, Any], engineers: dict[str, Any], blank: Any
) -> None:
    person, team = f"/Users/{ada['id']}", f"/Groups/{engineers['id']}"
    rename = {"op": "replace", "path": "userName", "value": blank}
    regroup = {"op": "replace", "path": "displayName", "value": blank}
    for answer in (
        scim.post("/Users", user(blank)),
        scim.put(person, user(blank)),
        scim.patch(person, rename),
        scim.post("/Groups", group(blank)),
        scim.put(team, group(blank)),
        scim.patch(team, regroup),
    ):
        assert_error(answer, 400, "invalidValue")
    assert scim.get(person).json() == ada


def test_a_refused_projection_creates_nobody(scim: ScimClient) -> None:
    answer = scim.post("/Users?attributes=userName&excludedAttributes=name", user())
    assert_error(answer, 400, "invalidValue")
    assert scim.get("/Users").json()["totalResults"] == 0


# -- §3.6: whoever is deleted is gone from what others refer to ---------------------------------


@pytest.mark.parametrize("at_a_time", [500, 1])
def test_a_deleted_manager_is_nobodys_manager_any_more(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(references, "_BATCH", at_a_time)
    boss = scim.post("/Users", user("boss@example.com")).json()
    enterprise = {"manager": {"value": boss["id"]}, "department": "Analysis"}
    reports = [
        scim.post("/Users", user(f"r{n}@example.com", **{ENTERPRISE: enterprise})).json()
        for n in range(2)
    ]
    only = scim.post("/Users", user("o@example.com", **{ENTERPRISE: {"manager": boss["id"]}}))
    scim.delete(f"/Users/{boss['id']}")
    for report in reports:
        now = scim.get(f"/Users/{report['id']}").json()
        assert now[ENTERPRISE] == {"department": "Analysis"}
        assert now["meta"]["version"] != report["meta"]["version"]
    assert ENTERPRISE not in scim.get(f"/Users/{only.json()['id']}").json()
    assert scim.get("/Users", filter=f'{MANAGER} eq "{boss["id"]}"').json()["totalResults"] == 0
    assert not AttributeValue.objects.filter(path__startswith=MANAGER).exists()


def test_deleting_somebody_leaves_other_peoples_managers_alone(scim: ScimClient) -> None:
    boss = scim.post("/Users", user("boss@example.com")).json()
    enterprise = {ENTERPRISE: {"manager": {"value": boss["id"]}}}
    report = scim.post("/Users", user("r@example.com", **enterprise)).json()
    other = scim.post("/Users", user("other@example.com")).json()
    scim.delete(f"/Users/{other['id']}")
    assert scim.get(f"/Users/{report['id']}").json() == scim.get(f"/Users/{report['id']}").json()
    assert scim.get("/Users", filter=f'manager eq "{boss["id"]}"').json()["totalResults"] == 1


# -- §3.14: versions ----------------------------------------------------------------------------


def test_a_patch_answered_without_a_body_names_the_new_version(
    scim: ScimClient, engineers: dict[str, Any]
) -> None:
    path = f"/Groups/{engineers['id']}"
    answer = scim.patch(path, {"op": "replace", "path": "externalId", "value": "x"})
    assert (answer.status_code, answer.content) == (204, b"")
    now = scim.get(path).json()["meta"]
    assert answer.headers["ETag"] == now["version"] != engineers["meta"]["version"]
    assert answer.headers["Location"] == now["location"]
    assert "Content-Type" not in answer.headers
    fresh = {"If-Match": answer.headers["ETag"]}
    remove = {"op": "remove", "path": "externalId"}
    assert scim.patch(path, remove, headers=fresh).status_code == 204
    assert_error(scim.patch(path, remove, headers=fresh), 412)


def test_every_resource_is_last_modified_when_it_was_created(
    scim: ScimClient, ada: dict[str, Any], engineers: dict[str, Any]
) -> None:
    roles = scim.get("/Roles").json()["Resources"]
    for resource in (ada, engineers, *roles):
        assert resource["meta"]["created"] == resource["meta"]["lastModified"]


# -- §3.5.2: what a strict connection refuses ---------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "Replace", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "path": "active", "value": "False"}, "invalidValue"),
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "x"}, "noTarget"),
        ({"op": "replace", "path": 'emails[type eq "other"]', "value": {"value": "x"}}, "noTarget"),
        ({"op": "remove", "path": "emails", "value": [{"value": "x"}]}, "invalidSyntax"),
        ({"op": "replace", "path": MANAGER, "value": "2819c223"}, "invalidValue"),
        ({"op": "replace", "value": {"shoeSize": 44}}, "invalidSyntax"),
    ],
)
def test_a_strict_connection_takes_no_dialect(
    scim: ScimClient,
    connection: Connection,
    ada: dict[str, Any],
    operation: dict[str, Any],
    scim_type: str,
) -> None:
    Connection.objects.filter(pk=connection.pk).update(strict=True)
    path = f"/Users/{ada['id']}"
    assert_error(scim.patch(path, operation), 400, scim_type)
    assert scim.get(path).json() == ada


def test_a_filter_that_selects_several_changes_all_of_them(scim: ScimClient) -> None:
    emails = [{"value": f"{n}@example.com", "type": "work"} for n in range(3)]
    made = scim.post("/Users", user(emails=emails)).json()
    operation = {"op": "replace", "path": 'emails[type eq "work"].type', "value": "home"}
    after = scim.patch(f"/Users/{made['id']}", operation).json()
    assert [e["type"] for e in after["emails"]] == ["home"] * 3
