"""Plays a recorded conversation of an identity provider against a running service provider.

A transcript is a JSON list of steps: ``name``, ``method``, ``path`` and optionally ``query``,
``headers`` (null takes a default one away), ``body`` or ``raw_body``, ``repeat``, ``needs``,
``level`` ("should": a miss is reported and no failure), ``expect`` with ``status``, ``headers``
and ``json`` (pointer → value or matcher), ``save`` (variable → pointer, ``:status`` or
``header:Name``).

    python -m tests.idp.replay http://127.0.0.1:8000/scim/v2 KEY tests/idp/transcripts/okta-*.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from .matching import MISSING, at, matches, shown
from .variables import Unknown, Variables

Step = dict[str, Any]
MEDIA_TYPE = "application/scim+json"


@dataclass(frozen=True)
class Answer:
    """What came back; ``body`` is JSON, text, or ``MISSING``."""

    status: int
    headers: HTTPMessage
    body: Any


#: Sends method, URL, headers and body to the site; answers with status, headers and body.
Transport = Callable[
    [str, SplitResult, Mapping[str, bytes], bytes | None], tuple[int, HTTPMessage, bytes]
]


def over_http(
    method: str, url: SplitResult, headers: Mapping[str, bytes], content: bytes | None
) -> tuple[int, HTTPMessage, bytes]:
    """To the server at the URL, on a connection of its own."""
    http = HTTPConnection(url.hostname or "", url.port, timeout=60)
    try:
        target = url.path + ("?" + url.query if url.query else "")
        http.request(method, target, body=content, headers=headers)
        response = http.getresponse()
        return response.status, response.headers, response.read()
    finally:
        http.close()


@dataclass(frozen=True)
class Result:
    """One step as it went."""

    step: str
    level: str
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return bool(self.problems) and self.level == "must"

    def __str__(self) -> str:
        return "\n    ".join([f"{self.level}: {self.step}", *self.problems])


class Player:
    """One run of one transcript with one access key."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        prefix: str,
        lacking: Collection[str] = (),
        transport: Transport = over_http,
    ):
        self.base_url = base_url.rstrip("/")
        self.transport = transport
        self.lacking = set(lacking)
        self.authorization = f"Bearer {key}"
        self.variables = Variables(
            token=key, prefix=prefix, auth=self.authorization, base=self.base_url
        )

    def play(self, transcript: Path) -> Iterator[Result]:
        """The results of the steps.

        A step that needs what is ``lacking`` is sent, because later steps build on it, and its
        misses are no failures.
        """
        for step in json.loads(transcript.read_text(encoding="utf-8")):
            if not self.lacking.isdisjoint(step.get("needs", [])):
                step["level"] = "lacking"
            yield from self._repeated(step)

    def _repeated(self, step: Step) -> Iterator[Result]:
        if "repeat" not in step:
            yield self._result(step, step["name"])
            return
        for number in self.variables.count(step["repeat"]):
            yield self._result(step, f"{step['name']} ({number})")

    def _result(self, step: Step, name: str) -> Result:
        try:
            answer = self._exchange(step)
            problems = [*self._unmet(step.get("expect", {}), answer), *self._save(step, answer)]
        except Unknown as unknown:
            problems = [str(unknown)]
        return Result(name, step.get("level", "must"), problems)

    # The request

    def _exchange(self, step: Step) -> Answer:
        url = urlsplit(self.base_url + self.variables.in_text(step["path"]))
        query = "&".join(filter(None, [url.query, self._query(step.get("query", ""))]))
        content = self._content(step)
        status, headers, body = self.transport(
            step["method"].upper(),
            url._replace(query=query),
            self._headers(step.get("headers", {}), has_content=content is not None),
            content,
        )
        return Answer(status, headers, _parsed(body))

    def _query(self, query: str | dict[str, Any]) -> str:
        if isinstance(query, str):
            return self.variables.in_text(query)
        return "&".join(
            f"{quote(name, safe='')}={quote(str(self.variables.in_value(value)), safe='')}"
            for name, value in query.items()
        )

    def _content(self, step: Step) -> bytes | None:
        if "raw_body" in step:
            return self.variables.in_text(step["raw_body"]).encode()
        if "body" not in step:
            return None
        return json.dumps(self.variables.in_value(step["body"]), ensure_ascii=False).encode()

    def _headers(self, own: dict[str, str | None], *, has_content: bool) -> dict[str, bytes]:
        headers: dict[str, str | None] = {
            "accept": f"{MEDIA_TYPE}, application/json",
            "authorization": self.authorization,
        }
        if has_content:
            headers["content-type"] = MEDIA_TYPE
        headers |= {name.lower(): value for name, value in own.items()}
        return {
            name: self.variables.in_text(value).encode()
            for name, value in headers.items()
            if value is not None
        }

    # The answer

    def _unmet(self, expected: dict[str, Any], answer: Answer) -> Iterator[str]:
        statuses = expected.get("status") or [answer.status]
        if answer.status not in statuses:
            yield f"status {answer.status} instead of {statuses}: {shown(answer.body)}"
        for name, wanted in expected.get("headers", {}).items():
            value = answer.headers.get(name, MISSING)
            yield from self._mismatch(f"header {name}", value, wanted)
        if answer.body is MISSING:
            if expected.get("body"):
                yield "the body is empty"
            return
        yield from self._unmet_body(expected.get("json", {}), answer.body)

    def _unmet_body(self, expected: dict[str, Any], body: Any) -> Iterator[str]:
        if expected and not isinstance(body, (dict, list)):
            yield f"the body is not JSON: {shown(body)}"
            return
        for pointer, wanted in expected.items():
            value = at(body, self.variables.in_text(pointer))
            yield from self._mismatch(pointer, value, wanted)

    def _mismatch(self, where: str, value: Any, wanted: Any) -> Iterator[str]:
        wanted = self.variables.in_value(wanted)
        if not matches(value, wanted):
            yield f"{where}: {shown(value)} instead of {shown(wanted)}"

    def _save(self, step: Step, answer: Answer) -> Iterator[str]:
        for name, source in step.get("save", {}).items():
            value = self._saved(source, answer)
            if value is MISSING:
                yield f"there is no {source} to save as {name}"
            else:
                self.variables[self.variables.in_text(name)] = value

    def _saved(self, source: str, answer: Answer) -> Any:
        if source == ":status":
            return answer.status
        if source.startswith("header:"):
            return answer.headers.get(source.removeprefix("header:"), MISSING)
        return at(answer.body, self.variables.in_text(source))


def _parsed(content: bytes) -> Any:
    if not content:
        return MISSING
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def main(base_url: str, key: str, *transcripts: str) -> int:
    """Play transcripts from the command line; 1 where a step failed."""
    results = []
    for transcript in map(Path, transcripts):
        player = Player(base_url, key, prefix="SCIM-API-Key")
        played = list(player.play(transcript))
        failed = sum(result.failed for result in played)
        print(f"{transcript.stem}: {len(played)} steps, {failed} failed")
        for result in filter(lambda result: result.problems, played):
            print(f"  {result}")
        results += played
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
