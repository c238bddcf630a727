"""Two organizations: nothing of one is seen, named, changed or counted through the other."""

from __future__ import annotations

import pytest

from tests.api.fixture_answers import assert_error, group, user


@pytest.fixture
def foreign(other_scim):
    """A User of the other organization, who is in a Group there."""
    person = other_scim.post("/Users", user("hank@globex.example", externalId="hank")).json()
    other_scim.post("/Groups", group("Doom", members=[{"value": person["id"]}]))
    return other_scim.get(f"/Users/{person['id']}").json()


@pytest.fixture
def foreign_group(foreign):
    return foreign["groups"][0]["value"]


def test_an_id_of_another_organization_is_unknown_to_every_method(
    scim, other_scim, foreign, foreign_group
):
    before = other_scim.get(f"/Groups/{foreign_group}").json()
    for url, body in (
        (f"/Users/{foreign['id']}", user("mine@acme.example")),
        (f"/Groups/{foreign_group}", group("Mine")),
    ):
        operation = {"op": "add", "path": "externalId", "value": "x"}
        assert_error(scim.get(url), 404)
        assert_error(scim.put(url, body), 404)
        assert_error(scim.patch(url, operation), 404)
        assert_error(scim.delete(url), 404)
        assert_error(scim.delete(url, headers={"If-Match": '"wrong"'}), 404)
    assert other_scim.get(f"/Users/{foreign['id']}").json() == foreign
    assert other_scim.get(f"/Groups/{foreign_group}").json() == before


@pytest.mark.parametrize("endpoint", ["", "/Users", "/Groups"])
@pytest.mark.parametrize(
    "condition",
    [
        "id pr",
        'userName pr or not (userName eq "x")',
        'externalId eq "hank" or displayName pr',
        'groups.display eq "Doom" or members.display co "hank"',
        'groups[not (value eq "x")] or members[not (value eq "x")]',
        'meta.location co "/" or schemas pr',
    ],
)
def test_no_filter_finds_what_another_organization_has(scim, foreign, endpoint, condition):
    terms = [t for t in condition.split(" or ") if endpoint == "" or _fits(t, endpoint)]
    if terms:
        page = scim.get(endpoint, filter=" or ".join(terms), sortBy="id").json()
        assert (page["totalResults"], page["Resources"]) == (0, [])


def _fits(term, endpoint):
    of_users, of_groups = ("userName", "groups"), ("displayName", "members")
    return not term.removeprefix("not (").startswith(
        of_groups if endpoint == "/Users" else of_users
    )


def test_a_member_of_another_organization_is_unknown(scim, foreign, foreign_group, engineers):
    url = f"/Groups/{engineers['id']}"
    for scim_id in (foreign["id"], foreign_group):
        members = [{"value": scim_id}]
        operation = {"op": "add", "path": "members", "value": members}
        assert_error(scim.patch(url, operation), 400, "invalidValue")
        assert_error(scim.put(url, group(members=members)), 400, "invalidValue")
        assert_error(scim.post("/Groups", group("Other", members=members)), 400, "invalidValue")
    assert scim.get(url).json() == engineers


def test_an_unknown_member_that_is_left_out_stays_out(scim, connection, foreign, engineers):
    connection.unknown_member = "ignore"
    connection.save()
    url = f"/Groups/{engineers['id']}"
    scim.patch(url, {"op": "add", "path": "members", "value": [{"value": foreign["id"]}]})
    assert not scim.get(url).json().get("members")


def test_a_manager_of_another_organization_is_an_id_and_no_more(scim, foreign, ada):
    path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
    operation = {"op": "add", "path": path, "value": {"value": foreign["id"]}}
    changed = scim.patch(f"/Users/{ada['id']}", operation)
    assert changed.status_code == 200
    assert "hank" not in changed.content.decode()


def test_a_name_of_another_organizations_user_is_taken_and_the_user_left_alone(
    scim, other_scim, foreign
):
    body = user(foreign["userName"], active=False, password="Tr0ub4dor and more")
    assert_error(scim.post("/Users", body), 409, "uniqueness")
    assert other_scim.get(f"/Users/{foreign['id']}").json() == foreign


def test_roles_of_another_organization_are_unknown(scim, other_scim):
    theirs = other_scim.get("/Roles").json()["Resources"]
    for role in theirs:
        assert_error(scim.get(f"/Roles/{role['id']}"), 404)
