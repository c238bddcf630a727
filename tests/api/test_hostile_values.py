"""Values and filters that no honest client sends: refused, or taken alike by every database."""

from __future__ import annotations

import pytest

from tests.api.fixture_answers import SEARCH_REQUEST_URN, assert_error, group, user

LONGER_IN_LOWER_CASE = "İ"


def found(scim, filter_text, endpoint="/Users"):
    body = {"schemas": [SEARCH_REQUEST_URN], "filter": filter_text}
    response = scim.post(f"{endpoint}/.search", body)
    assert response.status_code == 200, response.content
    return response.json()["totalResults"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "members.display", "value": "Ada"},
        {"op": "replace", "path": "members.type", "value": "User"},
        {"op": "add", "path": "members.$ref", "value": "https://example.com/Users/1"},
        {"op": "add", "path": 'members[display eq "Ada"]', "value": {"type": "User"}},
        {"op": "add", "path": 'members[type eq "User"]', "value": {"unknown": 1}},
        {"op": "add", "path": 'members[type eq "User"].display', "value": "Ada"},
    ],
)
def test_a_member_that_has_no_value_is_not_made(scim, engineers, operation):
    url = f"/Groups/{engineers['id']}"
    assert_error(scim.patch(url, operation), 400, "noTarget")
    assert scim.get(url).json() == engineers


def test_a_name_whose_key_is_too_long_is_refused_before_the_database_is_asked(scim):
    assert scim.post("/Groups", group(LONGER_IN_LOWER_CASE * 128)).status_code == 201
    refused = scim.post("/Groups", group(LONGER_IN_LOWER_CASE * 129))
    assert "displayName" in assert_error(refused, 400, "invalidValue")
    assert scim.get("/Groups").json()["totalResults"] == 1


def test_a_user_name_whose_key_is_too_long_leaves_no_account(scim, django_user_model):
    before = django_user_model.objects.count()
    assert_error(scim.post("/Users", user(LONGER_IN_LOWER_CASE * 140)), 400, "invalidValue")
    assert django_user_model.objects.count() == before


@pytest.mark.parametrize("sent", ["é", "e\u0301"], ids=["composed", "decomposed"])
@pytest.mark.parametrize("asked", ["é", "e\u0301"], ids=["composed", "decomposed"])
@pytest.mark.parametrize("operator", ["eq", "co", "sw", "ew"])
def test_an_external_id_is_found_however_its_letters_are_composed(scim, sent, asked, operator):
    created = scim.post("/Users", user(externalId=sent)).json()
    assert created["externalId"] == sent
    assert found(scim, f'externalId {operator} "{asked}"') == 1


ALTERNATING = (
    ('(title eq "t" and (title pr or ', "))"),
    ('not (title eq "x" or not (emails.value eq "x" and ', "))"),
)


@pytest.mark.parametrize(("opening", "closing"), ALTERNATING)
@pytest.mark.parametrize("endpoint", ["/Users", ""])
def test_a_filter_nested_fifty_levels_deep_is_answered(scim, ada, opening, closing, endpoint):
    assert found(scim, opening * 25 + "title pr" + closing * 25, endpoint) == 0


@pytest.mark.parametrize(("opening", "closing"), ALTERNATING)
@pytest.mark.parametrize("endpoint", ["/Users", ""])
def test_what_sqlite_cannot_parse_is_an_invalid_filter(scim, ada, opening, closing, endpoint):
    core = 'emails[not (type eq "x" or value ew "x")]'
    filter_text = opening * 31 + core + closing * 31
    response = scim.post(
        f"{endpoint}/.search", {"schemas": [SEARCH_REQUEST_URN], "filter": filter_text}
    )
    if response.status_code != 200:
        assert_error(response, 400, "invalidFilter")


@pytest.mark.parametrize(
    "filter_text",
    [
        " and ".join(['title eq "t"'] * 250),
        " and ".join(['emails[type eq "work" and value co "a"]'] * 120),
        "emails[" + " and ".join(['type eq "work"'] * 250) + "]",
        " and ".join(['groups.display eq "g"'] * 100),
        " or ".join(['title ne "t"'] * 250),
    ],
    ids=["attributes", "value paths", "one value path", "groups", "or"],
)
@pytest.mark.parametrize("endpoint", ["/Users", ""])
def test_a_filter_of_hundreds_of_conditions_is_answered(scim, ada, filter_text, endpoint):
    assert found(scim, filter_text, endpoint) in (0, 1)


def test_a_patch_of_thousands_of_operations_is_413_and_changes_nothing(scim, ada):
    url = f"/Users/{ada['id']}"
    operations = [
        {"op": "add", "path": "emails", "value": [{"value": f"{number}@example.com"}]}
        for number in range(1001)
    ]
    assert "1000 operations" in assert_error(scim.patch(url, *operations), 413)
    assert scim.get(url).json() == ada


def test_thousands_of_operations_on_members_are_one_change(scim, ada, engineers):
    member = [{"value": ada["id"]}]
    operations = [{"op": op, "path": "members", "value": member} for op in ("add", "remove")]
    url = f"/Groups/{engineers['id']}"
    assert scim.patch(url, *operations * 1000).status_code == 204
    assert not scim.get(url).json().get("members")


def test_a_refused_role_is_not_repeated_at_length(scim):
    response = scim.post("/Users", user(roles=[{"value": "y" * 70_000}]))
    assert len(assert_error(response, 400, "invalidValue")) < 500
