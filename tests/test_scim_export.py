"""``manage.py scim_export``: everything of one connection, in four formats, as a stream."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from example_project.accounts.models import Account
from scim_provider import exporting
from scim_provider.connections import find_connection
from scim_provider.events import event, record
from scim_provider.models import Connection, EventKind, Resource
from tests.api.fixture_answers import user
from tests.conftest import ScimClient
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"


def run(*arguments: str, **options: Any) -> str:
    printed = StringIO()
    call_command("scim_export", *arguments, "--organization=Acme", stdout=printed, **options)
    return printed.getvalue()


def lines(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments).splitlines()]


def person(name: str, **more: Any) -> dict[str, Any]:
    return {
        "userName": f"{name}@example.com",
        "externalId": f"00u-{name}",
        "name": {"givenName": name.title(), "familyName": "Lima"},
        "emails": [{"value": f"{name}@example.com", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+4930123", "type": "work"}, {"value": "+4930456"}],
        "title": "=HYPERLINK(1)",
        "role": "analyst",
        **more,
    }


@pytest.fixture
def company(scim: ScimClient, other_scim: ScimClient) -> dict[str, str]:
    """Ana, who manages Bo; both in a group that is in another one. And a stranger elsewhere."""
    ana = scim.post("/Users", person("ana")).json()["id"]
    more = {ENTERPRISE: {"department": "Küche", "manager": {"value": ana}}, "active": False}
    bo = scim.post("/Users", person("bo", **more)).json()["id"]
    members = [{"value": ana}, {"value": bo}]
    inner = scim.post("/Groups", {"displayName": "Sales", "members": members}).json()["id"]
    outer = {"displayName": "All", "members": [{"value": inner}]}
    assert scim.post("/Groups", outer).status_code == 201
    other_scim.post("/Users", person("stranger"))
    return {"ana": ana, "bo": bo, "inner": inner}


def test_lines_are_what_a_client_reads(scim: ScimClient, company: dict[str, str]) -> None:
    exported = lines()
    assert [each["meta"]["resourceType"] for each in exported[:4]] == ["User"] * 2 + ["Group"] * 2
    assert {each["meta"]["resourceType"] for each in exported[4:]} == {"Role"}
    by_id = {each["id"]: each for each in exported}
    for name, kind in (("ana", "Users"), ("bo", "Users"), ("inner", "Groups")):
        mine, answered = by_id[company[name]], scim.get(f"/{kind}/{company[name]}").json()
        location = mine["meta"].pop("location")
        assert answered["meta"].pop("location").endswith(location)
        mine, answered = (without_references(each) for each in (mine, answered))
        assert mine == answered
    assert "stranger" not in json.dumps(exported)


def without_references(document: Any) -> Any:
    if isinstance(document, dict):
        return {k: without_references(v) for k, v in document.items() if k != "$ref"}
    return [without_references(v) for v in document] if isinstance(document, list) else document


@pytest.mark.usefixtures("company")
def test_a_list_response_is_one_document() -> None:
    told = json.loads(run("users", "groups", "--format=scim"))
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert (told["totalResults"], told["itemsPerPage"], len(told["Resources"])) == (4, 4, 4)
    assert json.loads(run("events", "--format=scim"))["Resources"] == []


@pytest.mark.usefixtures("company")
def test_a_bulk_request_makes_the_same_company_elsewhere(other_scim: ScimClient) -> None:
    body = json.loads(run("--format=bulk"))
    assert {operation["method"] for operation in body["Operations"]} == {"POST"}
    before = shape(lines("users", "groups"))
    Account.objects.filter(username__endswith="@example.com").delete()
    Resource.objects.all().delete()
    answers = other_scim.post("/Bulk", body).json()["Operations"]
    assert [answer["status"] for answer in answers] == ["201"] * 4
    globex = StringIO()
    call_command("scim_export", "users", "groups", "--organization=Globex", stdout=globex)
    after = shape([json.loads(line) for line in globex.getvalue().splitlines()])
    assert after == before
    assert before["Bo"]["manager"] == "ana@example.com"


def shape(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What stays the same under other ids: names in their place."""
    found = {each["id"]: each for each in documents}
    names = {i: each.get("userName") or each["displayName"] for i, each in found.items()}
    shaped = {}
    for each in found.values():
        given = each.get("name", {}).get("givenName") or each["displayName"]
        manager = each.get(ENTERPRISE, {}).get("manager", {}).get("value")
        kept = {k: v for k, v in each.items() if k not in ("id", "meta", "groups", "members")}
        kept.pop(ENTERPRISE, None)
        members = sorted(names[member["value"]] for member in each.get("members", []))
        shaped[given] = {**kept, "members": members, "manager": names.get(manager)}
    return shaped


@pytest.mark.usefixtures("company")
def test_a_table_has_a_column_for_each_attribute() -> None:
    rows = list(csv.DictReader(StringIO(run("users", "--format=csv"))))
    (bo,) = (row for row in rows if row["userName"] == "bo@example.com")
    assert bo["name.givenName"] == "Bo"
    assert (bo["emails"], bo["active"]) == ("bo@example.com", "false")
    assert bo["phoneNumbers"] == "'+4930123; '+4930456"  # no spreadsheet reckons with it
    assert bo["title"] == "'=HYPERLINK(1)"
    assert bo[f"{ENTERPRISE}:department"] == "Küche"
    assert bo[f"{ENTERPRISE}:manager.displayName"] is not None
    assert f"{KLAXON}:location" in bo
    assert not {"password", "emails.value"} & bo.keys()
    groups = list(csv.DictReader(StringIO(run("groups", "--format=csv"))))
    assert sorted(len(row["members"].split("; ")) for row in groups) == [1, 2]


@pytest.mark.parametrize(
    "text", ["=1", "\n=1", " =1", "\t@1", "\uff1d1", "a;=1", "a\r\n;-1", ";+1", 'a;"=1', '"=1']
)
def test_no_spreadsheet_finds_a_formula_wherever_it_parts_cells(
    scim: ScimClient, text: str
) -> None:
    scim.post("/Users", user("ada", displayName=text, title="a=1; b-2"))
    (ada,) = csv.DictReader(StringIO(run("users", "--format=csv"), newline=""))
    assert ada["title"] == "a=1; b-2"
    cells = [cell.strip(' "') for cell in re.split("[;\t\r\n]", ada["displayName"])]
    assert not [cell for cell in cells if cell[:1] in {*"=+-@\uff1d"} - {""}]
    assert ada["displayName"].replace("'", "") == text


def test_events_are_exported_too(connection: Connection, company: dict[str, str]) -> None:
    made = Resource.objects.get(scim_id=company["ana"])
    record([event(connection, EventKind.PERSON_LINKED, resource=made, reason="By hand.")])
    told = lines("events")[-1]
    assert (told["resourceId"], told["kind"]) == (company["ana"], "person.linked")
    rows = list(csv.DictReader(StringIO(run("events", "--format=csv"))))
    assert rows[-1]["reason"] == "By hand."
    assert "ana@" not in run("events", "--mask")


@pytest.mark.usefixtures("company")
def test_what_is_personal_can_be_masked(company: dict[str, str]) -> None:
    text = run("users", "groups", "--mask")
    for secret in ("Lima", "ana@", "+4930", "Küche", "HYPERLINK", "Sales", "00u-"):
        assert secret not in text
    ana = next(each for each in map(json.loads, text.splitlines()) if each["id"] == company["ana"])
    assert (ana["userName"], ana["active"]) == ("a•••@example.com", True)
    assert ana["emails"][0]["type"] == "work"


@pytest.mark.usefixtures("company")
def test_who_reads_the_first_line_alone_is_no_failure() -> None:
    class Closed(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(SystemExit) as ended:
        call_command("scim_export", "--organization=Acme", stdout=Closed())
    assert ended.value.code == 1


@pytest.mark.usefixtures("company")
def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "people.jsonl"
    told = json.loads(run("users", "--json", f"--output={target}"))
    assert target.stat().st_mode & 0o077 == 0
    assert (told["records"], told["kinds"]) == (2, ["users"])
    assert len(target.read_text("utf-8").splitlines()) == 2
    assert "Records: 2 of 2\n2 records in" in run("users", f"--output={target}")
    target.unlink()

    def broken(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield {"id": "1"}
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting.Export, "records", broken)
    with pytest.raises(KeyboardInterrupt):
        run("users", f"--output={target}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CommandError, match="cannot be written"):
        run("users", f"--output={tmp_path / 'no' / 'folder'}")


def test_pages_are_read_by_key(
    scim: ScimClient, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        scim.post("/Users", {"userName": f"p{number}@example.com"})
    monkeypatch.setattr(exporting, "PAGE", 3)
    with CaptureQueriesContext(connections["default"]) as counted:
        names = [each["userName"] for each in exporting.Export(connection).records("users")]
    assert names == [f"p{number}@example.com" for number in range(7)]
    assert not [q["sql"] for q in counted.captured_queries if "OFFSET 3" in q["sql"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["people"], "Unknown: people. There are: users, groups, roles, events."),
        (["--format=csv"], "A CSV file has one kind"),
        (["--format=bulk", "--mask"], "nobody's input"),
    ],
)
def test_what_cannot_be_is_refused(connection: Connection, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        run(*arguments)
    assert refused.value.returncode == 2


def test_nothing_is_made_by_asking(db: None) -> None:
    initech = OrganizationFactory(name="Initech")
    with pytest.raises(CommandError, match="There is no connection yet"):
        call_command("scim_export", "--organization=Initech")
    assert find_connection(initech) is None
