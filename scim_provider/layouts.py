"""How stored documents are laid out as texts, so that most can be answered without being read.

The first line names the *layout*: which attributes there are, whatever their values. Each member of
the document begins a line, and so does each member of an object in it, behind tabs. No string
of JSON contains a raw line break, so that a line that begins with a name is that member::

    {"$":"hC0eYwWq8Zb1kQ3x",
    "name":{
    <tab>"formatted":"Ana Lima"},
    "title":"Engineer"}
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring
from typing import Any

#: The names that lead to a value, outermost first.
Path = tuple[str, ...]

#: The member with the name of the layout. No attribute can be called so (RFC 7643 §2.1).
_MEMBER = "$"
_LENGTH = 16
_START = f'{{"{_MEMBER}":"'
#: Where the name of a layout ends.
_NAMED = len(_START) + _LENGTH
#: The text of no attributes, which is its own layout.
_EMPTY = "{}"

#: Among the names of a structure: where an object begins, and where it ends.
_INWARD, _OUTWARD = 1, -1

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def document_text(document: dict[str, Any]) -> str:
    """The object as a text with a layout. Raises ``TypeError`` for what JSON lacks."""
    if not document:
        return _EMPTY
    structure: list[str | int] = []
    members = _object(document, "\n", structure)[1:]
    return f'{_START}{_name(tuple(structure))}",{members}'


def _object(values: dict[str, Any], start: str, structure: list[str | int]) -> str:
    """An object each of whose members begins with ``start``, and whose names are noted."""
    members = []
    for name, value in values.items():
        structure.append(name)
        if type(value) is str:
            text = encode_basestring(value)
        elif value and isinstance(value, dict):
            structure.append(_INWARD)
            text = _object(value, f"{start}\t", structure)
            structure.append(_OUTWARD)
        else:
            text = _encode(value)
        members.append(f"{start}{encode_basestring(name)}:{text}")
    return f"{{{','.join(members)}}}"


def read_text(document: Any) -> Any:
    """The object, of what a text of :func:`document_text` was parsed to."""
    if isinstance(document, dict):
        document.pop(_MEMBER, None)
    return document


def layout_of(text: str) -> str:
    """The name of the layout, "" for a text that has none."""
    if text == _EMPTY:
        return _EMPTY
    return text[len(_START) : _NAMED] if text.startswith(_START) else ""


def body_of(text: str) -> str:
    """The members of a text with a layout, each behind a comma and a line break, and the brace
    that closes it.
    """
    return text[_NAMED + 1 :] or "}"


def member(*path: str) -> str:
    """How a member begins in a body: on a new line, with its name."""
    tabs = "\t" * (len(path) - 1)
    return f"\n{tabs}{encode_basestring(path[-1])}:"


def paths(document: dict[str, Any]) -> Iterator[Path]:
    """Where the values are that are no objects, or objects without members."""
    for name, value in document.items():
        if value and isinstance(value, dict):
            yield from ((name, *path) for path in paths(value))
        else:
            yield (name,)


@lru_cache(maxsize=4096)
def _name(structure: tuple[str | int, ...]) -> str:
    digest = blake2b(json.dumps(structure).encode(), digest_size=_LENGTH * 3 // 4).digest()
    return urlsafe_b64encode(digest).decode()
