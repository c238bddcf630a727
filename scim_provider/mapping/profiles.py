"""Who writes the account of a person whom several connections have.

The connection that owns the profile writes the account's columns, and reads them. What the others
send stays in their own documents, is answered to them and found by them, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model, Q

from scim_provider.models import Resource, SharedProfile
from scim_provider.organizations import organizations

from .context import Context
from .document import Document, Placed, Written, write_changes
from .paths import get_value
from .saving import update_where
from .shared_homes import OWNED, is_apart
from .transactions import database

#: What an account of a batch knows of itself, so that nobody asks for each one.
_KNOWN = "scim_profile_owned"
_FIRST = SharedProfile.FIRST


def note_owned(accounts: Sequence[Any], context: Context) -> None:
    """Look up for all of a batch at once whose profile is not this connection's to write.

    It has an owner, or another organization counts on the account: whoever writes the address or
    the password of a person can enter wherever the person may. One statement.
    """
    if not organizations().shares_accounts or not accounts:
        return
    not_ours = written_elsewhere(accounts, context, others=Q())
    for account in accounts:
        vars(account)[_KNOWN] = account.pk in not_ours


def written_elsewhere(
    accounts: Sequence[Any], context: Context, *, others: Q | None = None
) -> set[Any]:
    """The keys of the accounts that another connection owns, or another organization counts on.

    ``others`` are the rows that may own one: those of other connections, unless told.
    """
    using, keys = database(), [account.pk for account in accounts]
    theirs = ~Q(connection=context.connection) if others is None else others
    owned = Resource.objects.using(using).filter(OWNED, theirs, account__in=keys).order_by()
    these = get_user_model()._base_manager.using(using).filter(pk__in=keys)
    elsewhere = organizations().needed_elsewhere(these, context.owner).order_by()
    return {key for (key,) in owned.values_list("account").union(elsewhere.values_list("pk"))}


def may_own(account: Any, context: Context) -> bool:
    """Whether a row of the connection beside ``account`` owns the profile."""
    if account._state.adding or not organizations().shares_accounts:
        return True
    if context.connection.shared_profile == SharedProfile.EVERY:
        return True
    if _KNOWN not in vars(account):
        note_owned([account], context)
    return not vars(account).pop(_KNOWN)


def is_lost(row: Resource, before: Document, after: Document, context: Context) -> bool:
    """Whether a profile is no longer the connection's: the membership that it had here does not
    count, before or after a change, and another organization counts on the account.

    One statement, for changes of people who are not active.
    """
    if row.pk is None or (before.get("active") is not False and after.get("active") is not False):
        return False
    if not organizations().shares_accounts or context.connection.shared_profile != _FIRST:
        return False
    these = get_user_model()._base_manager.using(database()).filter(pk__in=[row.account_id])
    return organizations().needed_elsewhere(these, context.owner).exists()


def give_up(row: Resource, before: Document, after: Document, homes: Sequence[Placed]) -> Written:
    """Keep apart from now on what a row has that owned the profile."""
    row.owns_profile = False
    update_where(Resource, {"id": row.pk}, {"owns_profile": False})
    return place_apart(row, before, after, homes)


def place_apart(
    row: Resource, before: Document, after: Document, homes: Sequence[Placed]
) -> Written:
    """Write what differs into the row alone; what is wrong with it is told all the same."""
    account = row.account
    row.account = _copied(account)
    try:
        written = write_changes(row, before, after, homes)
    finally:
        row.account = account
    return replace(written, account_fields=frozenset())


def _copied(account: Any) -> Any:
    """The account, and what a column behind a relation of it is in."""
    trial = copy(account)
    related = trial._state.fields_cache
    related.update({n: copy(one) for n, one in related.items() if isinstance(one, Model)})
    return trial


def place_whole(row: Resource, after: Document, homes: Sequence[Placed]) -> Written:
    """Write everything of a row that owns the profile from now on."""
    update_where(Resource, {"id": row.pk}, {"owns_profile": True})
    return _written_whole(row, after, homes)


def account_of_heir(row: Resource, after: Document, homes: Sequence[Placed]) -> Any:
    """What the account would be if the row owned the profile: a copy."""
    heir = copy(row)
    heir.account = _copied(row.account)
    _written_whole(heir, after, homes)
    return heir.account


def _written_whole(row: Resource, after: Document, homes: Sequence[Placed]) -> Written:
    written = write_changes(row, {}, after, homes)
    fields = set(written.account_fields)
    beside = list(written.beside)
    for target, home in homes:
        if is_apart(home) and get_value(after, target) is None:
            home.write(row, target, None)
            fields |= home.account_fields
            beside += [(target, home, None)] if home.beside else []
    return replace(written, account_fields=frozenset(fields), beside=tuple(beside))
