"""Names and addresses that accounts of the site hold: nobody gets them through SCIM by asking.

A login name that is taken, or looks like one that is, is refused to everybody else. An e-mail
address is refused where another account is known by it that is none of the organization's: by its
login name, by proof of ownership, by an indexed column. What is refused becomes an event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from scim_provider.events import event, telling
from scim_provider.models import EventKind, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import Uniqueness
from scim_provider.protocol.schema import comparison_key

from .accounts import account_field, is_privileged, refuse_incomplete
from .context import Context
from .login_names import holders
from .look_alikes import spellings
from .transactions import database

_NO_ADDRESSES: dict[str, list[Any]] = {}


def refuse_account(account: Any, fields: frozenset[str], context: Context) -> None:
    """Raise what an account must not be saved for, all of it or its changed ``fields``."""
    login, email = get_user_model().USERNAME_FIELD, get_user_model().get_email_field_name()
    is_new = account._state.adding
    name = account.get_username() if is_new or login in fields else ""
    address = getattr(account, email, "") if email in fields else ""
    refuse_claims(account, name, address or "", context)
    if is_new:
        refuse_incomplete(account)


def refuse_claims(account: Any, name: str, address: str, context: Context) -> None:
    """409 where the login name, or the address, is another account's; "" claims none."""
    if not (name or address):
        return
    wanted, known_by = spellings(name or address), spellings(address or name)
    found = holders(account, (*wanted, *known_by))
    others = [(key, login) for key, login in found if key != account.pk]
    known = {comparison_key(text) for text in known_by} if address and address != name else set()
    named = {comparison_key(text) for text in wanted} if name else set()
    for key, login in others:
        if name and (comparison_key(login) in named or comparison_key(login) not in known):
            raise taken_name(name, key, context, managed=managed_among(context, [key]))
    if address:
        outside = foreigners(context, [address], {key for key, _ in others})
        refuse_address(account, address, outside, context)


def refuse_address(account: Any, address: str, found: Any, context: Context) -> None:
    """409 where the address is another one's of the accounts ``found`` by :func:`foreigners`."""
    others = [one for one in found.get(address.lower(), ()) if one.pk != account.pk]
    if not others:
        return
    refusal = Uniqueness(
        f"The e-mail address {address!r} belongs to an account of this site that this "
        "organization does not manage. Send another address."
    )
    reason = gettext("An e-mail address of this account was sent for somebody else")
    raise telling(refusal, _refused(context, address, others[0].pk, reason))


def foreigners(
    context: Context, addresses: Collection[str], holders: Collection[Any]
) -> dict[str, list[Any]]:
    """Address in lower case → the accounts outside of the organization that are known by it.

    Administrators of the site are outside of every one. ``holders`` are the keys of accounts whose
    login names the addresses are.
    """
    lower = sorted({address.lower() for address in addresses})
    proven = list(organizations().verified_addresses(lower))
    owners: dict[Any, set[str]] = {}
    for address, key in (*proven, *_column_holders(addresses)):
        owners.setdefault(key, set()).add(address.lower())
    keys = {*owners, *holders}
    if not keys:
        return _NO_ADDRESSES
    by_fold: dict[str, set[str]] = defaultdict(set)
    for address in lower:
        for each in spellings(address):
            by_fold[comparison_key(each)].add(address)
    found: dict[str, list[Any]] = defaultdict(list)
    for account in _outside(context, keys):
        login = by_fold.get(comparison_key(account.get_username()), set())
        for address in owners.get(account.pk, set()) | login:
            found[address].append(account)
    return dict(found)


def _outside(context: Context, keys: Collection[Any]) -> Iterator[Any]:
    accounts = get_user_model()._default_manager.using(database()).filter(pk__in=keys)
    found = list(accounts)
    ordinary = [one for one in found if not is_privileged(one)]
    members = organizations().belonging(ordinary, context.owner) if ordinary else ()
    return (one for one in found if is_privileged(one) or one.pk not in members)


def _column_holders(addresses: Collection[str]) -> Iterable[tuple[str, Any]]:
    """Who has the addresses in the account's column, where an index finds them."""
    name = get_user_model().get_email_field_name()
    field: Any = account_field(name)
    if field is None or not (field.unique or field.db_index):
        return ()
    texts = {text for address in addresses for text in (address, address.lower())}
    rows = get_user_model()._default_manager.using(database())
    return rows.filter(**{f"{name}__in": sorted(texts)}).values_list(name, "pk")


def managed_among(context: Context, keys: Collection[Any]) -> set[Any]:
    """Those of the accounts with these keys that are people of this connection already."""
    rows = Resource.objects.using(database()).filter(connection=context.connection)
    return set(rows.filter(account__in=keys).values_list("account", flat=True)) if keys else set()


def taken_name(name: str, holder: Any, context: Context, *, managed: Collection[Any]) -> Uniqueness:
    """What refuses a login name that another account has.

    An event as well, unless the account is among those that are ``managed`` here.
    """
    refusal = Uniqueness(
        f"userName {name!r} is taken by an account of this site that SCIM does not manage, or "
        "looks like one. Use another userName. Accounts of this organization can be listed, or "
        "linked, by its policies for existing people."
    )
    if holder in managed:
        return Uniqueness(
            f"userName {name!r} is taken. Use another one, or update the User that has it."
        )
    reason = gettext("Its login name, or one that looks like it, was sent for somebody else")
    return telling(refusal, _refused(context, name, holder, reason))


def _refused(context: Context, name: str, holder: Any, reason: str) -> Any:
    account = get_user_model()(pk=holder)
    kind = EventKind.LINK_REFUSED
    return event(context.connection, kind, name=name, account=account, reason=reason)
