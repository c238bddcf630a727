"""Scripts: what an identity provider does, as data.

A script is phases of steps. A step has a plain sentence, one request, the statuses it accepts and
what it expects of the answer. ``scripts/answers.json`` names groups of expectations that the
scripts share. docs/simulator.md describes the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

Level = Literal["must", "should"]

PROVIDERS = ("okta", "entra", "onelogin")

_EXPECTATION_KEYS = {"at", "header", "advice", "level"}
_STEP_KEYS = {
    "say", "method", "path", "status", "body", "headers", "expect",
    "save", "set", "each", "when", "level", "advice", "pages",
}  # fmt: skip
_PHASE_KEYS = {"name", "title", "needed", "when", "steps"}


class ScriptError(ValueError):
    """A script that does not follow the format."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One test of one place in the answer: a JSON pointer, or a header."""

    place: str
    test: str
    operand: Any
    advice: str
    level: Level
    in_header: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """Ask again with the next ``${start}`` until the list ends, at most `most` times."""

    size: int
    most: int


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what must come back.

    `assign` changes the directory before the request, `save` keeps parts of the answer.
    """

    say: str
    method: str
    path: str
    statuses: tuple[int, ...]
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()
    save: Mapping[str, str] = field(default_factory=dict)
    assign: Mapping[str, Any] = field(default_factory=dict)
    each: str = ""
    when: frozenset[str] = frozenset()
    level: Level = "must"
    advice: str = ""
    pages: Pages | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps under one title. When a `needed` phase fails, the rest is not played."""

    name: str
    title: str
    steps: tuple[Step, ...]
    needed: bool = False
    when: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Script:
    """A provider: its name, the headers of all its requests, and its phases."""

    name: str
    title: str
    headers: Mapping[str, str]
    content_type: str
    phases: tuple[Phase, ...]


def load_script(provider: str) -> Script:
    """The script of one of `PROVIDERS`; raises `ScriptError`."""
    if provider not in PROVIDERS:
        raise ScriptError(f"There is no script {provider!r}: choose one of {', '.join(PROVIDERS)}.")
    return parse_script(_read(provider), answers=_read("answers"))


def parse_script(data: Mapping[str, Any], *, answers: Mapping[str, Any]) -> Script:
    """A script from its JSON; raises `ScriptError` for anything the format does not have."""
    reader = _Reader(answers, data.get("bodies", {}))
    return Script(
        name=data["name"],
        title=data["title"],
        headers=data["headers"],
        content_type=data["content_type"],
        phases=tuple(reader.phase(phase) for phase in data["phases"]),
    )


def _read(name: str) -> Any:
    return json.loads((files(__package__) / "scripts" / f"{name}.json").read_text("utf-8"))


def _refuse_unknown(data: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(data) - known:
        raise ScriptError(f"{where} has unknown keys: {', '.join(sorted(unknown))}.")


@dataclass(frozen=True, slots=True)
class _Reader:
    answers: Mapping[str, Any]
    bodies: Mapping[str, Any]

    def phase(self, data: Mapping[str, Any]) -> Phase:
        _refuse_unknown(data, _PHASE_KEYS, f"Phase {data.get('name')!r}")
        return Phase(
            name=data["name"],
            title=data["title"],
            steps=tuple(self.step(step) for step in data["steps"]),
            needed=data.get("needed", False),
            when=frozenset(data.get("when", ())),
        )

    def step(self, data: Mapping[str, Any]) -> Step:
        _refuse_unknown(data, _STEP_KEYS, f"Step {data.get('say')!r}")
        return Step(
            say=data["say"],
            method=data["method"],
            path=data["path"],
            statuses=tuple(data["status"]),
            body=self.body(data.get("body")),
            headers=data.get("headers", {}),
            expectations=tuple(self.expectations(data.get("expect", ()))),
            save=data.get("save", {}),
            assign=data.get("set", {}),
            each=data.get("each", ""),
            when=frozenset(data.get("when", ())),
            level=data.get("level", "must"),
            advice=data.get("advice", ""),
            pages=Pages(**data["pages"]) if "pages" in data else None,
        )

    def body(self, body: Any) -> Any:
        if not isinstance(body, str):
            return body
        if body not in self.bodies:
            raise ScriptError(f"There is no body named {body!r}.")
        return self.bodies[body]

    def expectations(self, entries: Any) -> list[Expectation]:
        found: list[Expectation] = []
        for entry in entries:
            if isinstance(entry, str):
                found += self.expectations(self._named(entry))
            else:
                found.append(self._expectation(entry))
        return found

    def _named(self, name: str) -> Any:
        if name not in self.answers:
            raise ScriptError(f"There is no answer named {name!r}.")
        return self.answers[name]

    def _expectation(self, data: Mapping[str, Any]) -> Expectation:
        tests = set(data) - _EXPECTATION_KEYS
        if len(tests) != 1 or ("at" in data) == ("header" in data):
            raise ScriptError(f"An expectation is one test of one place: {json.dumps(data)}")
        test = tests.pop()
        return Expectation(
            place=data["header"] if "header" in data else data["at"],
            test=test,
            operand=data[test],
            advice=data.get("advice", ""),
            level=data.get("level", "must"),
            in_header="header" in data,
        )
