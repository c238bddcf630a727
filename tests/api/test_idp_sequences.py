"""Request sequences of identity providers, as their documents describe them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import assert_error, group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MICROSOFT_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


def ids_of(scim: ScimClient, number: int) -> list[str]:
    return [scim.post("/Users", user(f"p{n}@example.com")).json()["id"] for n in range(number)]


def members_of(scim: ScimClient, made: dict[str, Any]) -> set[str]:
    return {e["value"] for e in scim.get(f"/Groups/{made['id']}").json()["members"]}


def test_okta_catalogue_app_takes_a_person_through_a_life(scim: ScimClient) -> None:
    match = {"filter": 'userName eq "test.user@okta.local"', "startIndex": 1, "count": 100}
    assert scim.get("/Users", **match).json()["totalResults"] == 0
    sent = user(
        "test.user@okta.local",
        externalId="00ujl29u0le5T6Aj10h7",
        name={"givenName": "Test", "familyName": "User"},
        emails=[{"primary": True, "value": "test.user@okta.local", "type": "work"}],
        displayName="Test User",
        locale="en-US",
        groups=[],
        password="1mz050nq-quite-long",
        active=True,
    )
    made = scim.post("/Users", sent)
    assert made.status_code == 201
    assert "password" not in made.json()
    path = f"/Users/{made.json()['id']}"
    merged = {**scim.get(path).json(), "groups": [], "title": "Boss"}
    merged["emails"][0]["display"] = "test.user@okta.local"
    assert scim.put(path, merged).json()["title"] == "Boss"
    for value, active in ({"active": False}, False), ({"password": "n3w-long-secret"}, False):
        answer = scim.patch(path, {"op": "replace", "value": value})
        assert (answer.status_code, answer.json()["active"]) == (200, active)
    assert scim.get("/Users", **match).json()["Resources"][0]["active"] is False
    again = scim.patch(path, {"op": "replace", "value": {"active": True}}).json()
    del merged["groups"]
    assert again == {**merged, "active": True, "meta": again["meta"]}


def test_okta_pushes_two_hundred_and_fifty_six_members_at_once(scim: ScimClient) -> None:
    people = ids_of(scim, 260)
    made = scim.post("/Groups", group("Everybody", members=[])).json()
    path = f"/Groups/{made['id']}"
    rename = {"op": "replace", "value": {"id": made["id"], "displayName": "Everybody"}}
    elements = [{"value": one, "display": one[:8]} for one in people]
    for part in (elements[:256], elements[200:]):
        answer = scim.patch(path, rename, {"op": "add", "path": "members", "value": part})
        assert answer.status_code == 204
    assert members_of(scim, made) == set(people)
    removals = [
        {"op": "remove", "path": f'members[value eq "{one}"]'} for one in (*people[:100], "gone")
    ]
    assert scim.patch(path, *removals).status_code == 204
    assert members_of(scim, made) == set(people[100:])
    for full in (elements[:3], []):
        scim.patch(path, {"op": "replace", "path": "members", "value": full})
        assert members_of(scim, made) == {e["value"] for e in full}


def test_okta_discovers_the_roles_and_gives_one(scim: ScimClient) -> None:
    types = scim.get("/ResourceTypes").json()["Resources"]
    endpoint = next(t["endpoint"] for t in types if t["id"] == "Role")
    schemas = {s["id"] for s in scim.get("/Schemas").json()["Resources"]}
    assert {t["schema"] for t in types} <= schemas
    page = scim.get(endpoint, startIndex=1, count=100).json()
    analyst = next(role for role in page["Resources"] if role["value"] == "analyst")
    assert analyst["meta"]["created"] == analyst["meta"]["lastModified"]
    made = scim.post("/Users", user(roles=[{"value": "analyst", "display": analyst["display"]}]))
    assert made.json()["roles"] == [{"value": "analyst", "display": analyst["display"]}]


def test_entra_with_the_flag_keeps_groups_by_key_and_by_filter(scim: ScimClient) -> None:
    one, two = ids_of(scim, 2)
    search = {"excludedAttributes": "members", "filter": 'displayName eq "Sales EU"'}
    assert scim.get("/Groups", **search).json()["Resources"] == []
    sent = group("Sales EU", schemas=[GROUP, MICROSOFT_GROUP], externalId="8aa1a0c0")
    made = scim.post("/Groups", sent).json()
    path = f"/Groups/{made['id']}"
    assert made["schemas"] == [GROUP]
    assert made["members"] == []
    for op in (
        {"op": "add", "path": "members", "value": [{"$ref": None, "value": one}]},
        {"op": "add", "path": "members", "value": [{"value": two}]},
        {"op": "replace", "value": {"displayName": "Sales EMEA", "externalId": "8aa1a0c1"}},
        {"op": "replace", "value": {f"{GROUP}:displayName": "Sales World"}},
        {"op": "remove", "path": f'members[value eq "{one}"]'},
    ):
        assert scim.patch(path, op).status_code == 204
    after = scim.get(path, excludedAttributes="members").json()
    assert (after["displayName"], after["externalId"]) == ("Sales World", "8aa1a0c1")
    assert "members" not in after
    assert members_of(scim, made) == {two}
    check = {"filter": f'id eq "{made["id"]}" and members eq "{two}"', "attributes": "id"}
    assert scim.get("/Groups", **check).json()["totalResults"] == 1


CLEARED = [
    ("title", "Chief"),
    ("displayName", "Ada L."),
    ("preferredLanguage", "de"),
    ("externalId", "x-1"),
    ("nickName", "Countess"),
    ("userType", "Employee"),
    ("locale", "en-US"),
    ("timezone", "Europe/London"),
    ("profileUrl", "https://example.com/ada"),
    ("name.givenName", "Ada"),
    ("name.formatted", "Ada Lovelace"),
    ("name.honorificPrefix", "Dr"),
    ('addresses[type eq "work"].locality', "London"),
    ('addresses[type eq "work"].formatted', "12 St James's Square"),
    ('phoneNumbers[type eq "mobile"].value', "+44 20 1"),
    ('emails[type eq "work"].value', "ada@work.example"),
    (f"{ENTERPRISE}:department", "Analysis"),
    (f"{ENTERPRISE}:employeeNumber", "1"),
]


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("op", ["Add", "replace"])
def test_entra_gallery_validation_sets_and_clears_every_attribute(
    scim: ScimClient, ada: dict[str, Any], op: str, empty: Any
) -> None:
    path = f"/Users/{ada['id']}"
    for attribute, value in CLEARED:
        answer = scim.patch(path, {"op": op, "path": attribute, "value": value})
        assert answer.status_code == 200, answer.content
        assert value in answer.content.decode(), attribute
    for attribute, value in CLEARED:
        answer = scim.patch(path, {"op": "Replace", "path": attribute, "value": empty})
        assert answer.status_code == 200, answer.content
        assert f'"{value}"' not in answer.content.decode(), attribute
    assert ENTERPRISE not in scim.get(path).json()


def test_entra_gallery_validation_sets_replaces_and_clears_the_manager(scim: ScimClient) -> None:
    person, first, second = ids_of(scim, 3)
    manager = f"{ENTERPRISE}:manager"
    for op, value in (("Add", first), ("Replace", second)):
        answer = scim.patch(f"/Users/{person}", {"op": op, "path": manager, "value": value})
        assert answer.json()[ENTERPRISE]["manager"]["value"] == value
    answer = scim.patch(f"/Users/{person}", {"op": "Replace", "path": manager, "value": ""})
    assert ENTERPRISE not in answer.json()


def test_entra_account_discovery_walks_pages_of_five(scim: ScimClient) -> None:
    people, seen = ids_of(scim, 12), []
    for start in (1, 6, 11, 16):
        page = scim.get("/Users", startIndex=start, count=5).json()
        assert page["startIndex"] == start
        assert page["itemsPerPage"] == len(page["Resources"])
        seen += [one["id"] for one in page["Resources"]]
    assert sorted(seen) == sorted(people)


def test_google_workspace_creates_suspends_and_deletes(scim: ScimClient) -> None:
    assert scim.get("/Users", count=1).status_code == 200
    sent = user(
        "g@example.com",
        name={"givenName": "G", "familyName": "W"},
        emails=[{"value": "g@example.com", "type": "work", "primary": True}],
        active=True,
    )
    made = scim.post("/Users", sent).json()
    path = f"/Users/{made['id']}"
    assert scim.put(path, {**sent, "active": False}).json()["active"] is False
    resume = {"op": "replace", "path": "active", "value": True}
    assert scim.patch(path, resume).json()["active"] is True
    assert scim.delete(path).status_code == 204
    assert scim.post("/Users", sent).status_code == 201


@pytest.mark.parametrize(
    "match", ['emails eq "{}"', 'emails.value eq "{}"', 'emails[value eq "{}"]', 'userName eq "{}"']
)
def test_ping_finds_a_person_by_work_mail_and_disables(scim: ScimClient, match: str) -> None:
    emails = [{"value": "Ping@example.com", "type": "work", "primary": True}]
    made = scim.post("/Users", user("ping@example.com", emails=emails, active=False)).json()
    found = scim.get("/Users", filter=match.format("ping@example.com")).json()["Resources"]
    assert [one["id"] for one in found] == [made["id"]]
    assert found[0]["active"] is False
    assert scim.put(f"/Users/{made['id']}", {**found[0], "active": True}).json()["active"] is True


def test_rippling_updates_by_paths_and_drops_from_groups(scim: ScimClient) -> None:
    for probe in ("/ServiceProviderConfig", "/Users", "/Groups"):
        assert scim.get(probe, startIndex=1, count=50).status_code == 200
    made = scim.post("/Users", user("r@example.com", title="a")).json()
    team = scim.post("/Groups", group(members=[{"value": made["id"], "type": "User"}])).json()
    answer = scim.patch(
        f"/Users/{made['id']}",
        {"op": "replace", "path": "title", "value": "b"},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "r2@example.com"},
        {"op": "replace", "path": "active", "value": False},
    ).json()
    assert (answer["title"], answer["active"]) == ("b", False)
    assert answer["groups"][0]["value"] == team["id"]
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    assert members_of(scim, team) == set()


def test_sailpoint_reads_single_types_and_schemas_and_toggles_by_add(scim: ScimClient) -> None:
    for document in (
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/ResourceTypes/Group",
        "/Schemas",
        f"/Schemas/{USER}",
        f"/Schemas/{GROUP}",
        f"/Schemas/{ENTERPRISE}",
    ):
        assert scim.get(document).status_code == 200, document
    (person,) = ids_of(scim, 1)
    for active in (False, True):
        answer = scim.patch(f"/Users/{person}", {"op": "add", "value": {"active": active}})
        assert answer.json()["active"] is active


def test_keycloak_replaces_people_and_groups_without_saying_much(scim: ScimClient) -> None:
    sent = user("k@example.com", externalId="kc-1", emails=[{"value": "k@example.com"}])
    made = scim.post("/Users", sent).json()
    path = f"/Users/{made['id']}"
    for word in ("false", "true"):
        answer = scim.patch(path, {"op": "replace", "path": "active", "value": word})
        assert answer.json()["active"] is (word == "true")
    member = {"value": made["id"], "$ref": f"Users/{made['id']}"}
    team = scim.post("/Groups", group("K", externalId="kc-g", members=[member])).json()
    assert members_of(scim, team) == {made["id"]}
    for op in (
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": [member]},
    ):
        assert scim.patch(f"/Groups/{team['id']}", op).status_code == 204
        assert members_of(scim, team) == ({made["id"]} if "value" in op else set())
    scim.put(f"/Groups/{team['id']}", group("K", externalId="kc-g", id=team["id"]))
    assert members_of(scim, team) == set()


def test_pocket_id_lists_a_thousand_and_puts_what_changed(scim: ScimClient) -> None:
    made = scim.post("/Users", user("i@example.com", externalId="pid-1")).json()
    page = scim.get("/Users", startIndex=1, count=1000).json()
    assert page["itemsPerPage"] == page["totalResults"] == 1
    same = scim.put(f"/Users/{made['id']}", user("i@example.com", externalId="pid-1")).json()
    assert same["meta"]["lastModified"] == made["meta"]["lastModified"]
    changed = scim.put(
        f"/Users/{made['id']}", user("i@example.com", externalId="pid-1", displayName="I")
    ).json()
    assert changed["meta"]["lastModified"] > made["meta"]["lastModified"]
    team = scim.post("/Groups", group(members=[{"value": made["id"]}])).json()
    answer = scim.put(f"/Groups/{team['id']}", group(externalId="pid-g"))
    assert (answer.status_code, answer.json()["members"]) == (200, [])


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_what_is_not_offered_says_so_to_every_method(scim: ScimClient, method: str) -> None:
    assert_error(getattr(scim, method)("/Me"), 501)
