"""Pages of stored texts that are handed through unread say what a GET of each person says."""

from __future__ import annotations

import json
import random
from importlib.util import find_spec
from typing import Any

import pytest
from django.db import connection as database

from scim_provider.mapping import listing, people_as_texts, reader
from scim_provider.models import Resource
from tests.conftest import ScimClient

from .test_groups import group

pytestmark = pytest.mark.django_db

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"
#: What would end a string or begin a member, were it not escaped.
HOSTILE = [
    'say "hi"',
    "back\\slash",
    "line\nbreak",
    '\n"name":{',
    '\n\t"manager":{"value":"somebody"}',
    '"manager":{"value":"x"}}',
    '{"$":"0123456789abcdef",',
    "\t\x7f\u2028\u00a0",
    "Łucja 😀",
    '","id":"1',
]
PAGES = [
    {"count": 100},
    {"cursor": "", "count": 100},
    {"count": 100, "startIndex": 2},
    {"filter": "userName pr", "count": 100},
    {"sortBy": "userName", "sortOrder": "descending", "count": 100},
    {"sortBy": "title", "cursor": "", "count": 100},
]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each page was handed through, as they come."""
    told: list[bool] = []
    documents = people_as_texts.PeopleAsTexts.documents

    def noted(*arguments: Any) -> Any:
        made = documents(*arguments)
        told.append(made is not None)
        return made

    monkeypatch.setattr(people_as_texts.PeopleAsTexts, "documents", noted)
    return told


def pages(*handed: bool) -> list[bool]:
    """What :func:`handed` holds of these pages: without orjson none is tried."""
    return list(handed) if find_spec("orjson") else []


def create(scim: ScimClient, user_name: str, **attributes: Any) -> str:
    document = {"schemas": [USER, ENTERPRISE, KLAXON], "userName": user_name, **attributes}
    made = scim.post("/Users", document)
    assert made.status_code == 201, made.content
    scim_id: str = made.json()["id"]
    return scim_id


def assert_alike(scim: ScimClient, page: dict[str, Any]) -> None:
    """A page says of each what a GET says, and no more than once."""
    content = scim.get("/Users", **page).content
    found = json.loads(content, object_pairs_hook=once)["Resources"]
    assert len(found) >= 2
    for each in found:
        assert each == json.loads(scim.get(f"/Users/{each['id']}").content)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_whatever_people_have(scim: ScimClient, handed: list[bool], page: dict[str, Any]) -> None:
    chief = create(scim, "chief")
    create(scim, "bare", externalId="x-1", active=False)
    create(scim, "given", name={"givenName": "Ana"}, title="Clerk")
    create(scim, "formatted", name={"formatted": "Ana B", "familyName": "B"}, title="Cook")
    create(scim, "led", **{ENTERPRISE: {"manager": {"value": chief}, "department": "Sales"}})
    create(scim, "led by a stranger", **{ENTERPRISE: {"manager": {"value": "of another system"}}})
    create(scim, "reached", **{KLAXON: {"notificationPhoneNumber": "+1 555"}})
    both = {ENTERPRISE: {"costCenter": "7"}, KLAXON: {"notificationPhoneNumber": "+1 556"}}
    last = create(scim, "reached and led", **both, emails=[{"value": "a@example.com"}])
    inner = scim.post("/Groups", group("Inner", chief, last)).json()["id"]
    scim.post("/Groups", group("Outer", inner))
    scim.post("/Groups", group('Quoted "group"', chief))
    assert_alike(scim, page)
    assert handed == pages(True)


@pytest.mark.parametrize("page", PAGES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_it_says(
    scim: ScimClient, handed: list[bool], page: dict[str, Any], seed: int
) -> None:
    chance = random.Random(seed)

    def text() -> str:
        return "".join(chance.sample(HOSTILE, chance.randint(1, 3)))

    def some(*names: str) -> dict[str, str]:
        return {name: text() for name in names if chance.random() < 0.6}

    ids = []
    for number in range(12):
        work: dict[str, dict[str, Any]] = {
            ENTERPRISE: {**some("department", "costCenter", "division", "employeeNumber")}
        }
        if ids and chance.random() < 0.5:
            work[ENTERPRISE]["manager"] = {"value": chance.choice(ids)}
        told = some("displayName", "title", "nickName", "externalId")
        told |= {"externalId": f"{number}{told.get('externalId', '')}"}
        name = some("formatted", "givenName", "familyName", "middleName")
        addresses = [{"type": "work", **some("streetAddress", "locality")}]
        ids.append(create(scim, f"n{number}", **told, name=name, addresses=addresses, **work))
    assert_alike(scim, page)
    assert handed == pages(True)


@pytest.mark.parametrize(
    "odd",
    [
        {ENTERPRISE: {"manager": {"value": 'q"uo\\te'}}},
        {"password": "correct horse battery staple"},
        {"title": "Clerk"},
    ],
    ids=["a manager that is escaped", "what is never answered", "nothing odd"],
)
def test_what_cannot_be_handed_through_is_read(
    scim: ScimClient, handed: list[bool], odd: dict[str, Any]
) -> None:
    create(scim, "plain", title="Cook")
    create(scim, "odd", **odd)
    assert_alike(scim, {"count": 100})
    assert handed == pages("manager" not in str(odd))


def test_what_was_taken_away_stays_away(scim: ScimClient, handed: list[bool]) -> None:
    """``active`` is in a column that cannot be empty: the document says that there is none."""
    scim_id = create(scim, "ana")
    create(scim, "bo")
    scim.patch(f"/Users/{scim_id}", {"op": "remove", "path": "active"})
    assert_alike(scim, {"count": 100})
    assert handed == pages(False)


@pytest.mark.parametrize("fraction", ["000000", "120000", "000001"])
def test_moments_have_microseconds(scim: ScimClient, handed: list[bool], fraction: str) -> None:
    for name in ("ana", "bo"):
        create(scim, name)
    moment = f"2026-01-31T12:00:00.{fraction}Z"
    Resource.objects.update(created=moment)
    assert_alike(scim, {"count": 100})
    found = scim.get("/Users").json()["Resources"]
    assert {each["meta"]["created"] for each in found} == {moment}
    assert handed == pages(True, True)


def test_numbers_beyond_64_bits_are_json(scim: ScimClient) -> None:
    """A site's own decimal column may hold them."""
    pytest.importorskip("orjson")
    made = people_as_texts._members("n", [2**70, 1.5, None, "x"])
    assert made == [f'"n":{2**70},', '"n":1.5,', "", '"n":"x",']


def test_documents_from_before_there_were_layouts(scim: ScimClient, handed: list[bool]) -> None:
    ids = [create(scim, name, name={"formatted": name, "givenName": "G"}) for name in ("a", "b")]
    for row in Resource.objects.filter(scim_id=ids[0]):
        with database.cursor() as cursor:
            text = json.dumps(row.document)
            table = Resource._meta.db_table
            cursor.execute(f"UPDATE {table} SET document = %s WHERE id = %s", [text, row.pk])
    assert_alike(scim, {"count": 100})
    scim.patch(f"/Users/{ids[0]}", {"op": "add", "path": "title", "value": "Clerk"})
    assert_alike(scim, {"count": 100})
    assert handed == pages(False, True)


@pytest.mark.parametrize(
    "query",
    [
        {"attributes": "userName,name.givenName,groups"},
        {"excludedAttributes": "groups"},
        {"excludedAttributes": "name.familyName,title"},
        {"attributes": f"{ENTERPRISE}:manager.displayName"},
    ],
)
def test_who_asks_for_less_gets_less(
    scim: ScimClient, handed: list[bool], query: dict[str, str]
) -> None:
    for name in ("a", "b"):
        create(scim, name, name={"givenName": "G", "familyName": "F"}, title="Clerk")
    found = scim.get("/Users", **query).json()["Resources"]
    assert found == [scim.get(f"/Users/{each['id']}", **query).json() for each in found]
    assert not any(handed)


def test_without_orjson_documents_are_made(
    scim: ScimClient, handed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        create(scim, name, title="Clerk")
    monkeypatch.setattr(people_as_texts, "orjson", None)
    monkeypatch.setattr("scim_provider.api.negotiation.orjson", None)
    listing._statements.cache_clear()
    reader._row_reader.cache_clear()
    try:
        assert_alike(scim, {"count": 100})
    finally:
        listing._statements.cache_clear()
        reader._row_reader.cache_clear()
    assert handed == []
