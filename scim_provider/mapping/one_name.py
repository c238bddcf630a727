"""A site with one column for the whole name: what clients send in parts reaches it.

Okta and OneLogin send ``givenName`` and ``familyName`` and no ``formatted``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .document import Document, Placed

_WHOLE, _PARTS = "name.formatted", frozenset({"name.givenName", "name.familyName"})


def has_one_name(placed: Iterable[Placed]) -> bool:
    """Whether ``name.formatted`` is a column of the account, and neither of its parts is."""
    columns = {str(target) for target, home in placed if home.account_fields}
    return _WHOLE in columns and not columns & _PARTS


def compose_name(before: Document, after: Document) -> None:
    """Make ``name.formatted`` of ``after`` of its parts, where the client does not say it.

    One that a client once said in a form of its own stays until it says another, and so does
    the one of an account that was there before, until both parts are known.
    """
    name, had = after.get("name") or {}, before.get("name") or {}
    whole, was, said = _joined(name), _joined(had), name.get("formatted")
    if not whole or (said and said != had.get("formatted")):
        return
    is_complete = bool(name.get("givenName") and name.get("familyName"))
    if not said or said == was or (is_complete and not was):
        after["name"] = {**name, "formatted": whole}


def _joined(name: dict[str, Any]) -> str:
    return " ".join(part for key in ("givenName", "familyName") if (part := name.get(key)))
