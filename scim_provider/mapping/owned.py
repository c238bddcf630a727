"""Who owns an attribute that the person may edit on the site, too (docs/ownership.md).

What the client sends is stored and answered whoever owns it, so that it has nothing to correct.
The account's column is a copy, written as long as it is the identity provider's to write: beside
the resource stands what was last written there, and once the column says something else, the
person has edited it.
"""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import get_user_model

from scim_provider.protocol.schema import Target

from .homes import Home, Store
from .paths import get_value

#: What a row calls the columns that were written and are yet to be saved.
_WRITTEN_NOW = "scim_written_now"


class Owner(StrEnum):
    """Whose value the account has."""

    #: What the client sends, whatever the person did.
    IDP = "idp"
    #: What the client sends, until the person has edited it.
    PERSON_ONCE_EDITED = "person_once_edited"
    #: What the client sent with the create, and then what the person says.
    PERSON_ALWAYS = "person_always"


class Owned(Store):
    """A stored attribute, of which ``home`` keeps a copy on the account while it may."""

    def __init__(self, home: Home, owner: Owner) -> None:
        self.plain, self.owner = home, owner
        self.joins = ("account",)

    @property
    def account_fields(self) -> frozenset[str]:
        return self.plain.account_fields

    def set_fields(self, row: Any) -> frozenset[str]:
        written: frozenset[str] = vars(row).get(_WRITTEN_NOW, frozenset())
        return self.account_fields & written

    def rewritten(self, target: Target, value: Any) -> Any:
        return value

    def write(self, row: Any, target: Target, value: Any) -> None:
        if value is not None:
            self.plain.rewritten(target, value)  # refuses what the column cannot hold
        if self._is_clients(row, target):
            self.hand_over(row, target, value)

    def hand_over(self, row: Any, target: Target, value: Any) -> None:
        """Write the column, whoever edited it."""
        self.plain.write(row, target, value)
        vars(row)[_WRITTEN_NOW] = vars(row).get(_WRITTEN_NOW, frozenset()) | self.account_fields

    def adopted(self, row: Any, target: Target) -> Any:
        found = self.plain.adopted(row, target)
        return self.plain.on_account(row, target) if found is None else found

    def _is_clients(self, row: Any, target: Target) -> bool:
        if row.account._state.adding:
            return True
        return self.owner != Owner.PERSON_ALWAYS and not self.is_edited(row, target)

    def is_edited(self, row: Any, target: Target) -> bool:
        """Whether the account says something else than was last written."""
        return any(self._differs(row, target, name) for name in self.account_fields)

    def _differs(self, row: Any, target: Target, name: str) -> bool:
        held = held_text(row.account, name)
        if name in row.written:
            return bool(held != row.written[name])
        return held != "" and held != self._expected(row, target, name)

    def _expected(self, row: Any, target: Target, name: str) -> str:
        """What the stored value would have written; for rows from before there was an owner."""
        trial = SimpleNamespace(account=copy(row.account), document=row.document)
        self.plain.write(trial, target, get_value(row.document, target))
        return held_text(trial.account, name)


def is_ownable(path: str, home: Home | None) -> bool:
    """Whether there can be another owner than the client: of one column of the account, by which
    nobody is told apart or let in.
    """
    if home is None or home.beside or path in ("userName", "active", "externalId", "password"):
        return False
    columns = {field.name for field in get_user_model()._meta.concrete_fields}
    return bool(home.account_fields) and home.account_fields <= columns


def held_text(account: Any, name: str) -> str:
    """What a column of the account holds, as a text that is the same for the same value."""
    field: Any = get_user_model()._meta.get_field(name)
    value = getattr(account, field.attname)
    if value is None or value == "":
        return ""
    while field.is_relation:
        field = field.target_field
    value = field.to_python(value)
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return str(value)


def note_written(row: Any) -> None:
    """Keep beside the row what its saved account holds in the columns that were written."""
    if names := vars(row).pop(_WRITTEN_NOW, None):
        row.written = row.written | {name: held_text(row.account, name) for name in names}
