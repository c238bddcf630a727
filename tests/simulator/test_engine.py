"""The parts of the simulator on their own."""

from __future__ import annotations

import ast
import http.client
import zlib
from pathlib import Path
from typing import Any

import pytest

import scim_provider.simulator
from scim_provider.simulator.client import Answer, Client, Unreachable
from scim_provider.simulator.roles import choose_roles, declared_roles
from scim_provider.simulator.script import (
    PROVIDERS,
    Expectation,
    ScriptError,
    Step,
    load_script,
    parse_script,
)
from scim_provider.simulator.secrecy import Secrets
from scim_provider.simulator.variables import REFERENCE, UnknownVariable, Variables
from scim_provider.simulator.verdict import TESTS, describe_answer, find, judge

from .service import KEY, Service, running

FOLDER = Path(scim_provider.simulator.__file__).parent


def answer(document: Any = None, status: int = 200, **headers: str) -> Answer:
    return Answer(status, "", headers, "", 1.0, document)


def expect(place: str, test: str, operand: Any) -> Expectation:
    return Expectation(place, test, operand, "advice", "must")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_engine_does_not_know_django(path: Path) -> None:
    modules = {
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert not {name for name in modules if name.split(".")[0] in ("django", "rest_framework")}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_script_is_well_formed(provider: str) -> None:
    script = load_script(provider)
    steps = [step for phase in script.phases for step in phase.steps]
    assert script.phases[0].needed
    assert {expectation.test for step in steps for expectation in step.expectations} <= set(TESTS)
    assert all(expectation.advice for step in steps for expectation in step.expectations)
    assert all(step.say.startswith(script.title) for step in steps)
    assert all(".id}" not in step.path for step in steps), "ids in paths are encoded"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_reference_in_a_script_can_be_read(provider: str) -> None:
    text = (FOLDER / "scripts" / f"{provider}.json").read_text(encoding="utf-8")
    assert text.count("${") == len(REFERENCE.findall(text))


@pytest.mark.parametrize(
    "step",
    [
        {"say": "a", "method": "GET", "path": "/", "status": [200], "colour": 1},
        {"say": "a", "method": "GET", "path": "/", "status": [200], "expect": ["no such"]},
        {"say": "a", "method": "GET", "path": "/", "status": [200], "body": "no such"},
        {"say": "a", "method": "GET", "path": "/", "status": [200], "expect": [{"at": "/a"}]},
        {"say": "a", "method": "GET", "path": "/", "status": [200], "expect": [{"is": 1}]},
    ],
)
def test_a_malformed_step_is_refused(step: dict[str, Any]) -> None:
    script = {
        "name": "x",
        "title": "X",
        "headers": {},
        "content_type": "application/json",
        "phases": [{"name": "a", "title": "A", "steps": [step]}],
    }
    with pytest.raises(ScriptError):
        parse_script(script, answers={})


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ScriptError, match="okta, entra, onelogin"):
        load_script("../okta")


@pytest.mark.parametrize(
    ("test", "operand", "good", "bad"),
    [
        ("is", True, [True], [1, "true", False]),
        ("is", 0, [0], [False, "0", 0.0]),
        ("is_ignoring_case", "Ana@x", ["ana@X"], ["ben@x", None]),
        ("type", "boolean", [True], ["True", 1]),
        ("type", "integer", [1], [True, "1", 1.0]),
        ("matches", "^a", ["ab"], ["ba", None, 1]),
        ("contains", "a", [["a", "b"]], ["a", ["b"], None]),
        ("size", 0, [[]], [[1], None]),
        ("size", 2, [[1, 2]], [[1], "ab"]),
        ("at_least", 1, [1, 2], [0, "2", True]),
        ("empty", True, [None, "", [], {}], ["a", 0, False]),
        ("empty", False, ["a", 0, False], [None, "", []]),
        ("has", {"value": "a"}, [[{"value": "a", "type": "b"}]], [[], [{"value": "b"}], None]),
        ("lacks", {"value": "a"}, [[], None, [{"value": "b"}]], [[{"value": "a"}]]),
        ("every", {"id": "string"}, [[], [{"id": "a"}]], [[{"id": 1}], [{}], None, ["a"]]),
    ],
)
def test_expectations(test: str, operand: Any, good: list[Any], bad: list[Any]) -> None:
    step = Step("say", "GET", "/", (200,), expectations=(expect("/a", test, operand),))
    assert [judge(step, answer({"a": value})) for value in good] == [[] for _ in good]
    assert all(judge(step, answer({"a": value})) for value in bad)


def test_only_the_first_miss_at_a_place_is_told() -> None:
    expectations = (expect("/a", "type", "boolean"), expect("/a", "is", True))
    step = Step("say", "GET", "/", (200,), expectations=expectations)
    assert [problem.came for problem in judge(step, answer({"a": "True"}))] == [
        '/a is "True" (string)'
    ]


def test_an_answer_without_a_document_is_one_problem() -> None:
    expectations = (expect("/a", "is", 1), expect("/b", "is", 1))
    step = Step("say", "GET", "/", (200,), expectations=expectations)
    assert [problem.expected for problem in judge(step, answer())] == ["a JSON body"]


def test_expectations_are_about_the_first_status() -> None:
    step = Step("say", "PATCH", "/", (200, 204), expectations=(expect("/a", "is", 1),))
    assert judge(step, answer(status=204)) == []


def test_a_redirect_is_explained() -> None:
    moved = answer(status=301, location="https://scim.example.com/v2/")
    (problem,) = judge(Step("say", "GET", "/", (200,)), moved)
    assert "https://scim.example.com/v2/" in problem.came
    assert "do not follow redirects" in problem.advice


def test_a_long_page_is_cut_short() -> None:
    page = Answer(500, "Oops", {}, "<html>" * 1000, 1.0)
    assert len(describe_answer(page)) < 200


@pytest.mark.parametrize(
    ("pointer", "value"), [("/a/0/b", 1), ("/x~1y", 2), ("/x~0y", 3), ("/urn:a:2.0:B/c", 4)]
)
def test_json_pointers(pointer: str, value: int) -> None:
    document = {"a": [{"b": 1}], "x/y": 2, "x~y": 3, "urn:a:2.0:B": {"c": 4}}
    assert find(document, pointer) == value


def test_variables_fill_in_text_and_keep_types() -> None:
    variables = Variables(
        {"run": "x", "person": {"active": False, "login": "a+b@x"}}, frozenset({"role"})
    )
    template = {"a": "${person.active}", "b": "${run}-${person.login:query}", "c": [None, 1]}
    assert variables.render(template) == {"a": False, "b": "x-a%2Bb%40x", "c": [None, 1]}
    assert variables.render({"a": {"if": "role", "then": 1}, "b": {"if": "x", "then": 1}}) == {
        "a": 1
    }
    with pytest.raises(UnknownVariable):
        variables.text("${person.id}")


def test_a_list_of_people_keeps_the_person_at_hand() -> None:
    people = [{"id": "1"}, {"id": "2"}]
    variables = Variables({"people": people, "person": people[0]})
    rendered = variables.render({"for": "people", "item": {"value": "${person.id}"}})
    assert rendered == [{"value": "1"}, {"value": "2"}]
    assert variables["person.id"] == "1"


@pytest.mark.parametrize(
    ("known", "wanted", "first", "second"),
    [
        (("admin", "manager", "analyst"), "", "manager", "analyst"),
        (("admin", "manager"), "", "manager", "admin"),
        (("admin", "manager"), "ADMIN", "manager", "ADMIN"),
        (("only",), "", "only", "only"),
        ((), "free", "free", "free"),
    ],
)
def test_roles_are_chosen_harmless_first(
    known: tuple[str, ...], wanted: str, first: str, second: str
) -> None:
    roles = choose_roles(known, wanted)
    assert roles is not None
    assert (roles.first, roles.second) == (first, second)


@pytest.mark.parametrize(
    "schemas",
    [None, [], "text", {"Resources": None}, {"Resources": [None, {"id": "x"}]}],
)
def test_odd_schemas_declare_no_role(schemas: Any) -> None:
    assert declared_roles(schemas) is None
    assert choose_roles((), "") is None


def test_secrets_are_hidden_in_every_form() -> None:
    secrets = Secrets('Bearer a/b"c')
    assert 'a/b"c' not in secrets.hide('a/b"c and "a/b\\"c" and a%2Fb%22c')
    assert secrets.hide_in({"x": ['a/b"c', 1]}) == {"x": ["[access key]", 1]}


def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(Service()) as service:
        client = Client(service.base_url, f"Bearer {KEY}")
        assert client.send("GET", "/Users", headers={}).status == 200
        closed = ["once"]
        getresponse = http.client.HTTPConnection.getresponse

        def hang_up_once(connection: http.client.HTTPConnection) -> Any:
            if closed:
                closed.clear()
                raise http.client.RemoteDisconnected
            return getresponse(connection)

        monkeypatch.setattr(http.client.HTTPConnection, "getresponse", hang_up_once)
        assert client.send("GET", "/Users", headers={}).status == 200
        client.close()


def test_https_is_verified_and_explained() -> None:
    with running(Service()) as service:
        url = service.base_url.replace("http://", "https://")
        with pytest.raises(Unreachable, match="http, not https"):
            Client(url, "Bearer k", timeout=5).send("GET", "/Users", headers={})


@pytest.mark.parametrize("bits", [zlib.MAX_WBITS, zlib.MAX_WBITS | 16])
def test_compressed_answers_are_read(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compressor = zlib.compressobj(wbits=bits)
    data = compressor.compress(b'{"a": 1}') + compressor.flush()
    with running(Service()) as service:
        monkeypatch.setattr(http.client.HTTPResponse, "read", lambda self, most: data)
        encoding = [("Content-Encoding", "gzip")]
        monkeypatch.setattr(http.client.HTTPResponse, "getheaders", lambda self: encoding)
        client = Client(service.base_url, f"Bearer {KEY}")
        assert client.send("GET", "/Users", headers={}).document == {"a": 1}
        client.close()


def test_the_page_about_the_simulator_names_every_test_and_step_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    fields = {"say", "status", "body", "set", "expect", "save", "each", "when", "level", "pages"}
    assert [name for name in {*TESTS, *fields} if f"`{name}`" not in page] == []
