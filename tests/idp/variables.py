"""``${name}`` in a transcript, and the lists it spells in short."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

REFERENCE = re.compile(r"\$\{([\w:.\-]+)(?:\|(\w+))?\}")
FORMS: dict[str | None, Callable[[str], str]] = {
    None: str,
    "q": lambda text: quote(text, safe=""),
    "plus": quote_plus,
    "upper": str.upper,
    "lower": str.lower,
}
#: ``${user_${i}}`` is as deep as transcripts go.
DEEPEST = 4


class Unknown(Exception):
    """The transcript uses a value that no earlier step has saved."""


class Variables:
    """The values of one run: given at its start or saved by its steps.

    ``run`` and ``RUN`` are random, ``uuid:<name>`` is one UUID per name.
    """

    def __init__(self, **given: str) -> None:
        run = secrets.token_hex(4)
        self._values: dict[str, Any] = {"run": run, "RUN": run.upper(), **given}

    def __getitem__(self, name: str) -> Any:
        if name.startswith("uuid:"):
            self._values.setdefault(name, str(uuid.uuid4()))
        try:
            return self._values[name]
        except KeyError:
            raise Unknown(f"nothing was saved as {name!r}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def in_text(self, text: str) -> str:
        """``text`` with every reference replaced, the innermost first."""
        for _ in range(DEEPEST):
            text = REFERENCE.sub(lambda found: FORMS[found[2]](str(self[found[1]])), text)
        return text

    def in_value(self, value: Any) -> Any:
        """A JSON value with every reference replaced; a lone reference keeps its JSON type."""
        if isinstance(value, list):
            return [self.in_value(one) for one in value]
        if isinstance(value, dict):
            return self._in_object(value)
        if not isinstance(value, str):
            return value
        lone = REFERENCE.fullmatch(value)
        return self[lone[1]] if lone and not lone[2] else self.in_text(value)

    def _in_object(self, value: dict[str, Any]) -> Any:
        if value.keys() != {"$list"}:
            return {self.in_text(name): self.in_value(part) for name, part in value.items()}
        series = value["$list"]
        return [self.in_value(series["item"]) for _ in self.count(series)]

    def count(self, series: dict[str, Any]) -> Iterator[str]:
        """Walk a variable from ``from`` to ``to``; yields each value while it has it."""
        first, last = (int(self.in_value(series[end])) for end in ("from", "to"))
        for number in map(str, range(first, last + 1)):
            self[series["var"]] = number
            yield number
