"""Who manages an account, which of its fields, and giving edited ones back (docs/ownership.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from .mapping.accounts import account_field
from .mapping.context import Context
from .mapping.document import Placed
from .mapping.index import new_index_rows
from .mapping.owned import Owned, Owner, held_text, note_written
from .mapping.paths import get_value, set_value
from .mapping.profiles import place_apart, written_elsewhere
from .mapping.rows import insert_rows, update_objects
from .mapping.transactions import atomically, database, locking
from .models import AttributeValue, Connection, Resource
from .organizations import organizations
from .resources import UserResource, resource_types
from .routers import primary

__all__ = ["Management", "Owner", "give_back", "keep_apart", "management_of", "take_up"]

#: Rows of one transaction.
BATCH = 1000
#: What the identity provider's software calls itself → what people call it.
_NAMES = {
    "okta": "Okta",
    "onelogin": "OneLogin",
    "jumpcloud": "JumpCloud",
    "azure": "Microsoft Entra ID",
    "entra": "Microsoft Entra ID",
    "microsoft": "Microsoft Entra ID",
    "authentik": "authentik",
    "keycloak": "Keycloak",
    "pingone": "PingOne",
    "pingfederate": "PingFederate",
    "google": "Google Workspace",
    "rippling": "Rippling",
    "sailpoint": "SailPoint",
}
_MANAGEMENT = "scim_management"
_INDEX = ("connection", "resource", "path", "element", "key", "text")


@dataclass(frozen=True)
class Management:
    """``name`` of what manages an account, and the account's ``fields`` that only it changes."""

    name: str
    fields: frozenset[str]

    def __str__(self) -> str:
        return gettext("Managed by %(name)s.") % {"name": self.name}


def management_of(account: Any) -> Management | None:
    """Who manages the account; None where nobody does. One query, asked once."""
    if _MANAGEMENT not in vars(account):
        vars(account)[_MANAGEMENT] = _found(account)
    found: Management | None = vars(account)[_MANAGEMENT]
    return found


def _found(account: Any) -> Management | None:
    if account.pk is None:
        return None
    rows = Resource.objects.filter(account=account, connection__enabled=True)
    clients = list(rows.values_list("connection__last_client", "resource_type"))
    if not clients:
        return None
    types = {resource_type for _, resource_type in clients}
    return Management(
        " · ".join(dict.fromkeys(client_name(client) for client, _ in clients)),
        locked_fields(types),
    )


def client_name(client: str) -> str:
    """What people call the software; never what it says itself, which anybody may set."""
    lowered = client.lower()
    known = (name for mark, name in _NAMES.items() if mark in lowered)
    return next(known, gettext("your organization’s identity provider"))


def locked_fields(types: Collection[str] | None = None) -> frozenset[str]:
    """The account's fields that the identity provider owns, of all resource types or of some."""
    placed = [
        home
        for served in resource_types()
        if types is None or served.name in types
        for _, home in served.placed
    ]
    names = {name for home in placed if not isinstance(home, Owned) for name in home.account_fields}
    return frozenset(name for name in names if account_field(name) is not None)


# -- giving back -------------------------------------------------------------------------------


@primary()
def give_back(users: Iterable[Resource], *paths: str) -> int:
    """Let the identity provider's values win again, for these attributes or all that have owners.

    ``users`` are rows of :class:`~.models.ScimUser`; of an account that several organizations
    share, the one that owns its profile. Answers how many accounts changed.
    """
    keys = [user.pk for user in users]
    return sum(
        atomically(partial(_give_back, keys[start : start + BATCH], paths))
        for start in range(0, len(keys), BATCH)
    )


def _give_back(keys: Sequence[int], paths: Sequence[str]) -> int:
    served = _people()
    changed: dict[frozenset[str], list[Any]] = {}
    rows = _locked(Resource.objects.filter(pk__in=keys, owns_profile=True))
    for row in rows:
        before = {name: getattr(row.account, name) for name in _fields(served, paths)}
        for target, home in _owned(served, paths):
            home.hand_over(row, target, get_value(row.document, target))
        note_written(row)
        fields = frozenset(n for n, value in before.items() if getattr(row.account, n) != value)
        if fields:
            changed.setdefault(fields, []).append(row.account)
    for fields, accounts in changed.items():
        update_objects(get_user_model(), accounts, sorted(fields))
    Resource.objects.bulk_update(rows, ["written"])
    return sum(map(len, changed.values()))


# -- taking up ---------------------------------------------------------------------------------


@primary()
def take_up(connection: Connection) -> int:
    """For people who were there before an attribute got an owner: what their accounts say now is
    what the identity provider sent. Once, after ``owners`` changed; answers how many people.
    """
    rows = Resource.objects.filter(connection=connection, resource_type=_people().name)
    rows = rows.filter(owns_profile=True)  # the others keep what they were sent
    keys, last, done = rows.order_by("pk").values_list("pk", flat=True), 0, 0
    while batch := list(keys.filter(pk__gt=last)[:BATCH]):
        last = batch[-1]
        done += atomically(partial(_take_up, batch))
    return done


def _take_up(keys: Sequence[int]) -> int:
    served, changed, index = _people(), [], []
    for row in _locked(Resource.objects.filter(pk__in=keys)):
        added = dict(_added(row, served))
        if added:
            changed.append(row)
            index += [(row.connection_id, row.pk, *values) for values in _index(added, served)]
    Resource.objects.bulk_update(changed, ["document", "written"])
    insert_rows(AttributeValue, _INDEX, index)
    return len(changed)


def _added(row: Resource, served: UserResource) -> Iterator[tuple[Any, Any]]:
    for target, home in _owned(served, ()):
        unknown = home.account_fields - row.written.keys()
        if get_value(row.document, target) is not None or not unknown:
            continue
        value = home.adopted(row, target)
        if value is not None:
            set_value(row.document, target, value)
            row.written = row.written | {name: held_text(row.account, name) for name in unknown}
            yield target, value


def _index(added: Mapping[Any, Any], served: UserResource) -> Iterator[Sequence[Any]]:
    document: dict[str, Any] = {}
    for target, value in added.items():
        set_value(document, target, value)
    yield from new_index_rows(document, served.resource_schema)


# -- several organizations ---------------------------------------------------------------------


@primary()
def keep_apart(connection: Connection) -> int:
    """Once ``shared_profile`` of the connection says ``first``, after it said ``every``.

    An account that another connection writes too, or that another organization counts on, is no
    longer this one's to write; what it says of the person stays in its own documents. 1,000 people
    a transaction; answers how many.
    """
    if not organizations().shares_accounts:
        return 0
    rows = Resource.objects.filter(connection=connection, resource_type=_people().name)
    keys = rows.filter(owns_profile=True).order_by("pk").values_list("pk", flat=True)
    last, done = 0, 0
    while batch := list(keys.filter(pk__gt=last)[:BATCH]):
        last = batch[-1]
        done += atomically(partial(_keep_apart, connection, batch))
    return done


def _keep_apart(connection: Connection, keys: Sequence[int]) -> int:
    served, context = _people(), Context(connection, "")
    rows = _locked(served.annotated(Resource.objects.filter(pk__in=keys)))
    elsewhere = written_elsewhere([row.account for row in rows], context)
    pairs = [(row, served.document(row, context)) for row in rows if row.account_id in elsewhere]
    served.fill(pairs, context)
    for row, document in pairs:
        row.owns_profile = False
        place_apart(row, document, document, served.homes_of(row))
    changed = [row for row, _ in pairs]
    Resource.objects.bulk_update(changed, ["document", "owns_profile"])
    AttributeValue.objects.filter(resource__in=changed).delete()
    insert_rows(
        AttributeValue,
        _INDEX,
        (
            (connection.pk, row.pk, *values)
            for row in changed
            for values in new_index_rows(row.document, served.resource_schema)
        ),
    )
    return len(changed)


# -- the parts ---------------------------------------------------------------------------------


def _people() -> UserResource:
    served = next(each for each in resource_types() if isinstance(each, UserResource))
    return served


def _locked(rows: Any) -> list[Resource]:
    """With their accounts, both locked."""
    has_account = rows.filter(account__isnull=False).select_related("account").order_by("pk")
    return list(has_account.select_for_update(**locking(database())))


def _owned(served: UserResource, paths: Sequence[str]) -> Iterator[tuple[Any, Owned]]:
    placed: Iterable[Placed] = served.placed
    for target, home in placed:
        if isinstance(home, Owned) and (not paths or str(target) in paths):
            yield target, home


def _fields(served: UserResource, paths: Sequence[str]) -> set[str]:
    return {name for _, home in _owned(served, paths) for name in home.account_fields}
