"""Cursors: where the next page begins, signed for one query of one connection (RFC 9865)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner

from scim_provider.conf import scim_settings
from scim_provider.models import Connection
from scim_provider.protocol.errors import ExpiredCursor, InvalidCursor
from scim_provider.protocol.messages import ListQuery

from .keyset import Position


@dataclass(frozen=True)
class Cursor:
    """The row before the next page, and what later pages need to know of the first.

    ``total`` is None where it was not counted; ``seen`` counts the rows of all pages so far.
    """

    position: Position
    count: int
    seen: int
    total: int | None


class CursorSigner:
    """Writes and reads the cursors of one query; nothing is kept on the server.

    Connection, endpoint, filter and order are part of what is signed and not of the cursor: it
    stays short, and another query's is as unknown as a forged one (RFC 9865 §5.2).
    """

    def __init__(self, connection: Connection, endpoint: str, query: ListQuery) -> None:
        self._terms = [connection.pk, endpoint, query.filter, query.sort_by, query.sort_order]

    @cached_property
    def _signer(self) -> TimestampSigner:
        return TimestampSigner(salt=f"scim_provider.cursor {json.dumps(self._terms)}", sep=".")

    def token(self, cursor: Cursor) -> str:
        """The cursor as a client carries it: unreserved characters only."""
        position = [_plain(cursor.position.pk), _plain(cursor.position.key)]
        parts = [*position, cursor.count, cursor.seen, cursor.total]
        is_long = isinstance(position[1], str)  # numbers alone would be no shorter
        return self._signer.sign_object(parts, compress=is_long)

    def cursor(self, token: str) -> Cursor:
        """What :meth:`token` wrote. Raises :class:`InvalidCursor`, :class:`ExpiredCursor`."""
        try:
            parts = self._signer.unsign_object(token, max_age=scim_settings.cursor_max_age)
        except SignatureExpired:
            raise ExpiredCursor from None
        except BadSignature:
            raise InvalidCursor from None
        pk, key, count, seen, total = parts
        return Cursor(Position(pk, key), count, seen, total)


def _plain(value: Any) -> Any:
    """A value of a column as JSON holds it; the column's lookups take it back."""
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
