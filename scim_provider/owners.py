"""The organization of a connection: a row of any model of the site.

The row of a key says which one it is, so that reading it takes a second statement. A process
remembers what a key's row said, reads that organization along with the key, and asks again where
the row says otherwise by now. What is remembered decides nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from .combined import PreparedPair
from .models import Connection
from .prepared import (
    NotPreparable,
    Prepared,
    Row,
    by_primary_key,
    instance,
    key_value,
    prepared_by_key,
)

#: So many are remembered; then it begins anew.
_MOST_REMEMBERED = 10_000
_FIELD: Any = Connection._meta.get_field("owner")


def owner_of(connection: Connection) -> Model | None:
    """The organization of ``connection``; None on a site without any, and where it is gone."""
    if connection.owner_type_id is None:
        return None
    if _FIELD.is_cached(connection):
        owner: Model | None = _FIELD.get_cached_value(connection)
        return owner
    model = _model(connection.owner_type_id)
    owner = None if model is None else by_primary_key(model, connection.owner_id)
    _FIELD.set_cached_value(connection, owner)
    return owner


class _Expected(NamedTuple):
    """Which organization a key's row named, and what its own row is read with."""

    owner_type_id: int
    owner_id: str
    model: type[Model]
    key: Any

    def is_of(self, connection: Connection) -> bool:
        return (self.owner_type_id, self.owner_id) == (
            connection.owner_type_id,
            connection.owner_id,
        )


class Found(NamedTuple):
    """The row of a key, and that of the organization that was ``expected`` for it, if any was."""

    using: str
    key: Row
    expected: _Expected | None = None
    owner: Row | None = None


class OwnersAlong:
    """``keys`` finds a row by one text; the organization expected for it is read along."""

    def __init__(self, keys: Prepared) -> None:
        self._keys = keys
        self._pairs: dict[type[Model], PreparedPair] = {}
        self._expected: dict[str, _Expected] = {}

    def find(self, text: str) -> Found | None:
        """The row for the text. One statement."""
        if expected := self._expected.get(text):
            try:
                using, pairs = self._pair(expected.model).select([text], [expected.key])
            except NotPreparable:  # it lives in another database
                self._expected.pop(text, None)
            else:
                return Found(using, pairs[0][0], expected, pairs[0][1]) if pairs else None
        using, rows = self._keys.select(text)
        return Found(using, rows[0]) if rows else None

    def settle(self, text: str, found: Found, connection: Connection) -> None:
        """Give the connection the organization that was read along, where it is its own."""
        if found.expected and found.expected.is_of(connection):
            model, row = found.expected.model, found.owner
            owner = None if row is None else instance(model, found.using, row)
            _FIELD.set_cached_value(connection, owner)
        elif connection.owner_type_id is not None:
            self._remember(text, connection.owner_type_id, connection.owner_id)

    def _pair(self, model: type[Model]) -> PreparedPair:
        if model not in self._pairs:
            self._pairs[model] = PreparedPair(self._keys, prepared_by_key(model))
        return self._pairs[model]

    def _remember(self, text: str, owner_type_id: int, owner_id: str) -> None:
        model = _model(owner_type_id)
        key = None if model is None else key_value(model, owner_id)
        if model is None or key is None:
            return
        if len(self._expected) >= _MOST_REMEMBERED:
            self._expected.clear()
        self._expected[text] = _Expected(owner_type_id, owner_id, model, key)


def _model(owner_type_id: int) -> type[Model] | None:
    return ContentType.objects.get_for_id(owner_type_id).model_class()
