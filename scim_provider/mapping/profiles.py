"""Who writes the account of a person whom several connections have.

The connection that owns the profile writes the account's columns, and reads them. What the others
send stays in their own documents, is answered to them and found by them, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, CharField, Q, When

from scim_provider.models import Resource, SharedProfile
from scim_provider.organizations import organizations
from scim_provider.protocol.filter import Operator
from scim_provider.protocol.schema import Target

from .beside import Pair, SingleValue, placed_value
from .columns import Column, KeyColumn
from .context import Context
from .document import Document, Placed, Written, write_changes
from .homes import Home, Store
from .member_active import MemberActive
from .paths import get_value
from .saving import update_where
from .starts import check_of
from .transactions import database

_OWNED, _APART = Q(owns_profile=True), Q(owns_profile=False)
_STORE = Store()
#: What an account of a batch knows of itself, so that nobody asks for each one.
_KNOWN = "scim_profile_owned"


class SharedColumn(Column):
    """A column of an account that several connections may have: one of them owns it."""

    def __init__(self, column: Column) -> None:
        super().__init__(column.field)
        self.column = column

    @property
    def account_fields(self) -> frozenset[str]:
        return self.column.account_fields

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        apart = check_of(_STORE.compare(target, operator, key, context))
        return _OWNED & self.column.compare(target, operator, key, context) | _APART & apart

    def present(self, target: Target, context: Context) -> Q:
        apart = check_of(_STORE.present(target, context))
        return _OWNED & self.column.present(target, context) | _APART & apart

    def order(self, target: Target, context: Context) -> Any:
        owned = self.column.order(target, context)
        if target.leaf.type not in ("string", "reference"):
            return Case(When(_OWNED, then=owned))  # keys of the index are texts
        apart = _STORE.order(target, context)
        return Case(When(_OWNED, then=owned), default=apart, output_field=CharField())

    def read(self, row: Any, target: Target) -> Any:
        if row.owns_profile:
            return self.column.read(row, target)
        return get_value(row.document, target)

    def converter(self, target: Target) -> Callable[[Any], Any] | None:
        return self.column.converter(target)

    def rewrites(self, target: Target) -> bool:
        return self.column.rewrites(target)

    def rewritten(self, target: Target, value: Any) -> Any:
        return self.column.rewritten(target, value)

    def write(self, row: Any, target: Target, value: Any) -> None:
        self.column.write(row, target, value)

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        self.column.keep(stored, target, value)


class SharedSingleValue(SingleValue):
    """The same for one element of an attribute; for the others, all of its elements are stored."""

    def __init__(self, home: SingleValue) -> None:
        vars(self).update(vars(home))

    @property
    def counts(self) -> Q:
        return _OWNED

    def order(self, target: Target, context: Context) -> Any:
        apart = _STORE.order(target, context)
        owned = When(_OWNED, then=super().order(target, context))
        return Case(owned, default=apart, output_field=CharField())

    def read(self, row: Any, target: Target) -> Any:
        return self._own(self.column.read(row, placed_value(target))) or None

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        super().fill([pair for pair in pairs if _may_hold(pair[0])], target, context)


def _may_hold(row: Any) -> bool:
    """Whether the column may be the row's; of rows that were read without that, nobody knows."""
    return bool(getattr(row, "owns_profile", True))


class KeptApart(Home):
    """The same column for a connection that does not own it: its value stays in the document."""

    def __init__(self, column: Home) -> None:
        self.column = column

    def write(self, row: Any, target: Target, value: Any) -> None:
        self.column.write(row, target, value)

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        """All of it."""

    def adopted(self, row: Any, target: Target) -> Any:
        return self.column.read(row, target)


def shared(home: Home) -> Home:
    """The home as it is where accounts are shared."""
    plain = isinstance(home, Column) and not isinstance(home, KeyColumn | MemberActive)
    if plain and isinstance(home, Column) and home.field.startswith("account__"):
        return SharedColumn(home)
    if type(home) is SingleValue and home.column.field.startswith("account__"):
        return SharedSingleValue(home)
    return home


def kept_apart(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """The homes of a row that does not own the profile."""
    return tuple((target, _apart(home)) for target, home in placed)


def _apart(home: Home) -> Home:
    if isinstance(home, SharedColumn):
        return KeptApart(home.column)
    return KeptApart(home) if isinstance(home, SharedSingleValue) else home


# -- whose it is -------------------------------------------------------------------------------


def note_owned(accounts: Sequence[Any], context: Context) -> None:
    """Look up for all of a batch at once whose profile is not this connection's to write.

    It has an owner, or another organization counts on the account: whoever writes the address or
    the password of a person can enter wherever the person may. One statement.
    """
    if not organizations().shares_accounts or not accounts:
        return
    using, keys = database(), [account.pk for account in accounts]
    owned = Resource.objects.using(using).filter(_OWNED, account__in=keys).order_by()
    these = get_user_model()._base_manager.using(using).filter(pk__in=keys)
    elsewhere = organizations().needed_elsewhere(these, context.owner).order_by()
    taken = owned.values_list("account").union(elsewhere.values_list("pk"))
    not_ours = {key for (key,) in taken}
    for account in accounts:
        vars(account)[_KNOWN] = account.pk in not_ours


def may_own(account: Any, context: Context) -> bool:
    """Whether a row of the connection beside ``account`` owns the profile."""
    if account._state.adding or not organizations().shares_accounts:
        return True
    if context.connection.shared_profile == SharedProfile.EVERY:
        return True
    if _KNOWN not in vars(account):
        note_owned([account], context)
    return not vars(account).pop(_KNOWN)


def place_apart(
    row: Resource, before: Document, after: Document, homes: Sequence[Placed]
) -> Written:
    """Write what differs into the row alone; what is wrong with it is told all the same."""
    account = row.account
    row.account = copy(account)
    try:
        written = write_changes(row, before, after, homes)
    finally:
        row.account = account
    return replace(written, account_fields=frozenset())


def place_whole(row: Resource, after: Document, homes: Sequence[Placed]) -> Written:
    """Write everything of a row that owns the profile from now on."""
    written = write_changes(row, {}, after, homes)
    fields = set(written.account_fields)
    for target, home in homes:
        if isinstance(home, SharedColumn | SharedSingleValue) and get_value(after, target) is None:
            home.write(row, target, None)
            fields |= home.account_fields
    update_where(Resource, {"id": row.pk}, {"owns_profile": True})
    return replace(written, account_fields=frozenset(fields))
