"""The *same work* floor: a plain Django view that runs the statements that ours ran.

A recipe is what one request of ours executed, with blanks where a request names what it is
about. The view fills the blanks, runs every statement in the same transactions, fetches every
row and answers with the JSON that ours made.
"""

from __future__ import annotations

import json
import os
import pickle
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

BEGIN, COMMIT = "BEGIN", "COMMIT"


@dataclass(frozen=True)
class Blank:
    """A parameter that is filled in whole."""

    index: int


@dataclass(frozen=True)
class Text:
    """A text with blanks, which are its integers."""

    pieces: tuple[str | int, ...]


@dataclass(frozen=True)
class Step:
    """One statement, or BEGIN or COMMIT. ``returns``: its first value fills the next blank."""

    sql: str
    parameters: Any = None
    returns: bool = False


@dataclass(frozen=True)
class Recipe:
    """Blanks are numbered: the values of the subject, fresh ids, what INSERTs returned."""

    steps: tuple[Step, ...]
    subject_types: tuple[type, ...]
    fresh_ids: int
    status: int
    body: bytes

    @property
    def statements(self) -> int:
        """How many statements there are, BEGIN and COMMIT not counted."""
        return sum(step.sql not in (BEGIN, COMMIT) for step in self.steps)

    def save(self, folder: Path, name: str) -> None:
        (folder / f"{name}.recipe").write_bytes(pickle.dumps(self))


@cache
def _load(name: str) -> Recipe:
    recipe: Recipe = pickle.loads(
        (Path(os.environ["BENCH_FOLDER"]) / f"{name}.recipe").read_bytes()
    )
    return recipe


@csrf_exempt
def same_work(request: HttpRequest, name: str, subject: str) -> HttpResponse:
    """Run the recipe ``name`` for ``subject``: its values, with commas between."""
    recipe = _load(name)
    if request.method in ("POST", "PUT", "PATCH"):
        json.loads(request.body)
    run(recipe, subject.split(","))
    return HttpResponse(recipe.body, status=recipe.status, content_type="application/scim+json")


def run(recipe: Recipe, subject: list[str]) -> None:
    values: list[Any] = [
        kind(text) for kind, text in zip(recipe.subject_types, subject, strict=False)
    ]
    values += [str(uuid.uuid4()) for _ in range(recipe.fresh_ids)]
    with ExitStack() as open_transaction:
        for step in recipe.steps:
            if step.sql == BEGIN:
                open_transaction.enter_context(transaction.atomic())
            elif step.sql == COMMIT:
                open_transaction.close()
            else:
                _execute(step, values)


def _execute(step: Step, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(step.sql, fill(step.parameters, values))
        rows: list[Any] = cursor.fetchall() if cursor.description else []
    if step.returns:
        values.append(rows[0][0])


def fill(parameter: Any, values: list[Any]) -> Any:
    """The parameter with its blanks filled."""
    kind = type(parameter)
    if kind is Blank:
        return values[parameter.index]
    if kind is Text:
        return "".join(
            piece if type(piece) is str else str(values[piece]) for piece in parameter.pieces
        )
    if kind in (list, tuple):
        return kind(fill(one, values) for one in parameter)
    return parameter
