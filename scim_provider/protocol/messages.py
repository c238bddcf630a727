"""Messages around resources: queries, lists and preconditions.

RFC 7644 §3.4.2, §3.4.3, §3.14; RFC 9865 for cursors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .errors import InvalidCount, InvalidCursor, InvalidSyntax, InvalidValue

LIST_RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

SortOrder = Literal["ascending", "descending"]

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
#: Past the end of every list and inside every database's integers.
_MOST = 2**31 - 1
#: RFC 3986 §2.3, which is all that a cursor may be made of (RFC 9865 §2).
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*\Z")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ENTITY_TAG = re.compile(r'\s*(?:W/)?(?:"([^"]*)"|([^\s,]+))\s*(?:,|\Z)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """What a client asks of a list (RFC 7644 §3.4.2). ``count`` is None where it names none.

    ``cursor`` is None where pages go by index, "" for the first page by cursor (RFC 9865 §2).
    """

    filter: str | None = None
    sort_by: str | None = None
    sort_order: SortOrder = "ascending"
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None
    attributes: tuple[str, ...] = ()
    excluded_attributes: tuple[str, ...] = ()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> ListQuery:
        """The query of a GET; parameters that mean nothing here are ignored.

        Raises :class:`InvalidValue` for a number that is none, an unknown ``sortOrder``, and
        ``cursor`` beside ``startIndex``; :class:`InvalidCursor` for what no cursor looks like.
        """
        return cls._from({name.lower(): value for name, value in parameters.items()})

    @classmethod
    def from_search_request(cls, body: Mapping[str, Any]) -> ListQuery:
        """The query of a SearchRequest message (RFC 7644 §3.4.3), its keys in any case.

        Raises :class:`InvalidSyntax` where ``schemas`` does not name the message, and
        :class:`InvalidValue` as :meth:`from_parameters`.
        """
        members = {name.lower(): value for name, value in body.items()}
        require_schema(members.get("schemas"), SEARCH_REQUEST_URN)
        return cls._from(members)

    @classmethod
    def _from(cls, members: Mapping[str, Any]) -> ListQuery:
        start_index = _number(members, "startIndex")
        count = _number(members, "count")
        cursor = _cursor(members)
        if cursor is not None and start_index is not None:
            raise InvalidValue("Send cursor or startIndex, not both: pages go by one of them.")
        return cls(
            filter=_text(members, "filter"),
            sort_by=_text(members, "sortBy"),
            sort_order=_sort_order(members),
            start_index=1 if start_index is None else max(start_index, 1),
            count=None if count is None else max(count, 0),
            cursor=cursor,
            attributes=attribute_names(members, "attributes"),
            excluded_attributes=attribute_names(members, "excludedAttributes"),
        )

    def limited(self, *, default: int, most: int) -> ListQuery:
        """This query with the ``count`` that is served: never more than ``most``.

        A cursor knows the count of its own first page. Raises :class:`InvalidCount` for more
        than ``most`` by cursor (RFC 9865 §2.1).
        """
        if self.cursor is not None and self.count is not None and self.count > most:
            raise InvalidCount(f"A page by cursor holds at most {most} resources. Lower count.")
        if self.cursor and self.count is None:
            return self
        return replace(self, count=min(default if self.count is None else self.count, most))


def attribute_names(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The names in parameter ``name``: a comma list, or an array in a message.

    ``members`` has lower-case keys. Raises :class:`InvalidValue` for anything else.
    """
    value = members.get(name.lower())
    if value is None:
        return ()
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise InvalidValue(f"{name} takes a list of attribute names.")
    _refuse_unstorable(name, *parts)
    return tuple(word for part in parts for word in map(str.strip, part.split(",")) if word)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidValue(f"{name} takes a string.")
    _refuse_unstorable(name, value)
    # What is left out in other words; any other blank is a mistake, and no filter for everybody.
    return value.strip() or value.strip(" \t\r\n") or None


def _cursor(members: Mapping[str, Any]) -> str | None:
    value = members.get("cursor")
    if value is None:
        return None
    if not isinstance(value, str) or not _UNRESERVED.match(value.strip()):
        raise InvalidCursor
    return value.strip()


def _number(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name.lower())
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = "" if isinstance(value, bool) else str(value).strip()
    if not _INTEGER.match(text):
        raise InvalidValue(f"{name} takes a whole number, not {text[:20] or value!r}.")
    return min(int(text[:20]), _MOST)


def _sort_order(members: Mapping[str, Any]) -> SortOrder:
    match (_text(members, "sortOrder") or "ascending").lower():
        case "ascending":
            return "ascending"
        case "descending":
            return "descending"
        case other:
            raise InvalidValue(f"sortOrder takes ascending or descending, not {other[:40]!r}.")


def _refuse_unstorable(name: str, *texts: str) -> None:
    if any(_UNSTORABLE.search(text) for text in texts):
        raise InvalidValue(f"{name} contains a character that is no text (NUL or a surrogate).")


def require_schema(schemas: object, urn: str) -> None:
    """Raise :class:`InvalidSyntax` where ``schemas`` of a message does not name it."""
    if isinstance(schemas, list) and any(
        isinstance(schema, str) and schema.lower() == urn.lower() for schema in schemas
    ):
        return
    raise InvalidSyntax(f'The message must say "schemas": ["{urn}"].')


def list_response(
    documents: Sequence[Mapping[str, Any]],
    *,
    total: int | None,
    start_index: int | None = 1,
    next_cursor: str | None = None,
) -> dict[str, Any]:
    """The ListResponse message around one page of ``documents`` (RFC 7644 §3.4.2).

    What is None is left out: the total where it is not known, the index of a page by cursor,
    the cursor of a last page (RFC 9865 §2).
    """
    message = {
        "schemas": [LIST_RESPONSE_URN],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": len(documents),
        "nextCursor": next_cursor,
        "Resources": documents,
    }
    return {name: value for name, value in message.items() if value is not None}


@dataclass(frozen=True)
class Precondition:
    """If-Match and If-None-Match: the opaque tags of each header, None where it is not sent.

    Tags compare weakly in both: SCIM's are weak, and RFC 7644 §3.14 uses them with If-Match.
    """

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None

    @classmethod
    def none(cls) -> Precondition:
        """No precondition: every version is fine."""
        return _NO_PRECONDITION

    @classmethod
    def parse(cls, if_match: str | None, if_none_match: str | None = None) -> Precondition:
        """The preconditions that two header values spell; an empty one counts as not sent."""
        if not if_match and not if_none_match:
            return _NO_PRECONDITION
        return cls(_entity_tags(if_match), _entity_tags(if_none_match))

    def allows(self, version: str) -> bool:
        """Whether a resource of that ``version`` may be changed; if not, answer 412."""
        return (self.if_match is None or _matches(self.if_match, version)) and not (
            self.is_cached(version)
        )

    def is_cached(self, version: str) -> bool:
        """Whether the client has that ``version`` already; if so, answer a GET with 304."""
        return self.if_none_match is not None and _matches(self.if_none_match, version)


_NO_PRECONDITION = Precondition()


def _entity_tags(header: str | None) -> frozenset[str] | None:
    if header is None or not header.strip():
        return None
    return frozenset(quoted or bare for quoted, bare in _ENTITY_TAG.findall(header))


def _matches(tags: frozenset[str], version: str) -> bool:
    return "*" in tags or bool(tags & (_entity_tags(version) or frozenset()))
