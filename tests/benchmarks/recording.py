"""What one request of ours does to the database, as a recipe to replay (see replay.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from .replay import BEGIN, COMMIT, Blank, Recipe, Step, Text

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Executed:
    sql: str
    parameters: Any = None
    returned: list[Any] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[list[Executed]]:
    """Everything that goes to the database meanwhile, transactions included."""
    log: list[Executed] = []

    class Recorder(CursorWrapper):
        def execute(self, sql: Any, params: Any = None) -> Any:
            if not str(sql).startswith("BEGIN"):
                log.append(Executed(str(sql), params))
            return super().execute(sql, params)

        def fetchone(self) -> Any:
            row = self.cursor.fetchone()
            log[-1].returned.append(row)
            return row

        def fetchall(self) -> Any:
            rows = self.cursor.fetchall()
            log[-1].returned += rows
            return rows

    connection = connections[DEFAULT_DB_ALIAS]
    own = {name: getattr(connection, name) for name in ("set_autocommit", "commit")}

    def set_autocommit(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        if not autocommit:
            log.append(Executed(BEGIN))
        own["set_autocommit"](autocommit, *args, **kwargs)

    def commit() -> None:
        log.append(Executed(COMMIT))
        own["commit"]()

    replaced: dict[str, Callable[..., Any]] = {
        "make_cursor": lambda cursor: Recorder(cursor, connection),
        "set_autocommit": set_autocommit,
        "commit": commit,
    }
    vars(connection).update(replaced)
    try:
        yield log
    finally:
        for name in replaced:
            del vars(connection)[name]


def recipe(log: Sequence[Executed], subject: Sequence[Any], status: int, body: bytes) -> Recipe:
    """What was recorded, with blanks for the subject's values and for what was made on the way."""
    blanks: dict[Any, int] = {value: index for index, value in enumerate(subject)}
    fresh = _fresh_ids(log, blanks)
    for made in fresh:
        blanks[made] = len(blanks)
    steps = []
    for executed in log:
        parameters = blanked(executed.parameters, blanks)
        made_row = "INSERT INTO" in executed.sql and len(executed.returned) == 1
        if made_row:
            blanks[executed.returned[0][0]] = len(blanks)
        steps.append(Step(executed.sql, parameters, made_row))
    return Recipe(tuple(steps), tuple(map(type, subject)), len(fresh), status, body)


def _fresh_ids(log: Sequence[Executed], known: dict[Any, int]) -> list[str]:
    """The random ids that INSERTs bring, in order."""
    found: dict[str, None] = {}
    for executed in log:
        if "INSERT INTO" in executed.sql:
            for text in _UUID.findall(str(executed.parameters)):
                if text not in known:
                    found[text] = None
    return list(found)


def blanked(parameter: Any, blanks: dict[Any, int]) -> Any:
    """The parameter with a blank for each value that is one; JSON objects become their text."""
    if hasattr(parameter, "obj") and hasattr(parameter, "dumps"):  # psycopg's Jsonb
        parameter = parameter.dumps(parameter.obj)
    if isinstance(parameter, list | tuple):
        return type(parameter)(blanked(one, blanks) for one in parameter)
    if isinstance(parameter, str):
        return _text(parameter, blanks)
    if type(parameter) is int and parameter in blanks:
        return Blank(blanks[parameter])
    return parameter


def _text(text: str, blanks: dict[Any, int]) -> str | Blank | Text:
    known = sorted((b for b in blanks if isinstance(b, str) and b in text), key=len, reverse=True)
    if not known:
        return text
    if text in blanks:
        return Blank(blanks[text])
    pieces = re.split("(" + "|".join(map(re.escape, known)) + ")", text)
    return Text(tuple(blanks.get(piece, piece) for piece in pieces if piece))
