"""Remembering what a run made, so that all of it can be removed, whatever went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from .client import Answer

NAMED_BY = {"/Users": "userName", "/Groups": "displayName"}


@dataclass(slots=True, eq=False)
class Made:
    """One resource: `id` is empty when the service took the request but did not say it."""

    endpoint: str
    name: str
    id: str = ""

    @property
    def path(self) -> str:
        return f"{self.endpoint}/{quote(self.id, safe='')}"

    @property
    def lookup(self) -> str:
        """The query that finds it by name."""
        literal = self.name.replace("\\", "\\\\").replace('"', '\\"')
        condition = f'{NAMED_BY[self.endpoint]} eq "{literal}"'
        return f"{self.endpoint}?filter={quote(condition, safe='')}"

    def ids_in(self, document: Any) -> list[str]:
        """The ids of exactly this name in a list answer: a service may ignore the filter."""
        listed = document.get("Resources") if isinstance(document, dict) else None
        named_by = NAMED_BY[self.endpoint]
        return [
            item["id"]
            for item in (listed if isinstance(listed, list) else [])
            if isinstance(item, dict)
            and isinstance(item.get("id"), str)
            and str(item.get(named_by)).casefold() == self.name.casefold()
        ]


class Ledger:
    """What a run has made and not yet removed."""

    def __init__(self) -> None:
        self._made: list[Made] = []

    def __iter__(self) -> Iterator[Made]:
        """Newest first: groups before their members."""
        return iter(list(reversed(self._made)))

    def expect(self, method: str, path: str, body: Any) -> Made | None:
        """Note a creation before it is sent: it may happen even when no answer arrives."""
        if method != "POST" or path not in NAMED_BY or not isinstance(body, dict):
            return None
        made = Made(path, str(body.get(NAMED_BY[path], "")))
        self._made.append(made)
        return made

    def settle(self, made: Made, answer: Answer) -> None:
        """Take the id out of the answer; forget what the service refused to make."""
        if 400 <= answer.status < 500:
            self.forget(made)
        elif isinstance(answer.document, dict) and isinstance(answer.document.get("id"), str):
            made.id = answer.document["id"]
        elif location := answer.headers.get("location"):
            made.id = unquote(location.rstrip("/").rsplit("/", 1)[-1])

    def removed(self, path: str) -> None:
        """The script itself deleted what is at this path."""
        for made in self:
            if made.id and made.path == path:
                self.forget(made)

    def follow(self, document: Any) -> None:
        """Learn the new name of something that an answer shows."""
        for made in self:
            if made.id and isinstance(document, dict) and document.get("id") == made.id:
                made.name = str(document.get(NAMED_BY[made.endpoint], made.name))

    def forget(self, made: Made) -> None:
        if made in self._made:
            self._made.remove(made)
