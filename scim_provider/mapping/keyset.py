"""Keyset paging: a page begins behind the last row of the one before, wherever that was.

No row is skipped over, as by OFFSET, so page 1,000 costs what page 1 costs; and what is added or
deleted before the row moves nothing behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, Q, QuerySet

#: The sort key of each row, read beside its key.
SORT_KEY = "scim_sort_key"


@dataclass(frozen=True)
class Position:
    """A row's place in an order: its key and its sort key."""

    pk: Any
    key: Any = None


@dataclass(frozen=True)
class Order:
    """By an expression, unassigned last (first when descending), and always by key.

    RFC 7644 §3.4.2.3; the key at the end makes the order total, so that pages never overlap.
    """

    expression: Any = None
    descending: bool = False

    def sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows in this order."""
        if self.expression is None:
            return rows.order_by(self._directed(F("pk")))
        nulls: dict[str, bool] = {}
        if not self._never_null(rows.model):
            nulls = {"nulls_first": True} if self.descending else {"nulls_last": True}
        return rows.order_by(self._directed(self.expression, **nulls), self._directed(F("pk")))

    def keyed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows in this order, each with its sort key, where there is one."""
        if self.expression is not None:
            rows = rows.annotate(**{SORT_KEY: self.expression})
        return self.sorted(rows)

    def after(self, rows: QuerySet[Any], position: Position | None) -> QuerySet[Any]:
        """The rows behind ``position``, all where it is None, as :meth:`keyed` has them."""
        rows = self.keyed(rows)
        return rows if position is None else rows.filter(self._behind(position, rows.model))

    @property
    def columns(self) -> tuple[str, ...]:
        """What makes a :class:`Position` of a row of :meth:`keyed`."""
        return ("pk",) if self.expression is None else ("pk", SORT_KEY)

    def _behind(self, position: Position, model: type[Model]) -> Q:
        beyond = "lt" if self.descending else "gt"
        tie = Q(**{f"pk__{beyond}": position.pk})
        if self.expression is None:
            return tie
        if position.key is None:
            rest = Q(**{f"{SORT_KEY}__isnull": True}) & tie
            return rest | Q(**{f"{SORT_KEY}__isnull": False}) if self.descending else rest
        # Not (key > … OR key = … AND pk > …): the first term is the range that an index serves.
        here = Q(**{f"{SORT_KEY}__{beyond}e": position.key})
        here &= Q(**{f"{SORT_KEY}__{beyond}": position.key}) | tie
        if self.descending or self._never_null(model):
            return here
        return here | Q(**{f"{SORT_KEY}__isnull": True})

    def _directed(self, expression: Any, **nulls: bool) -> Any:
        return expression.desc(**nulls) if self.descending else expression.asc(**nulls)

    def _never_null(self, model: type[Model]) -> bool:
        """A column of the table that takes no NULL; no index serves an order that minds NULLs."""
        columns = (field for field in model._meta.concrete_fields if not field.null)
        return any(self.expression == F(field.name) for field in columns)
