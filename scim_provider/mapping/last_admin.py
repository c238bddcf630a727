"""An organization keeps somebody who may manage it, whatever an identity provider does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from types import NoneType
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import F, QuerySet
from django.db.models.expressions import Col
from django.db.models.fields.related_lookups import RelatedExact
from django.db.models.lookups import Exact, IntegerFieldExact
from django.db.models.manager import BaseManager
from django.db.models.sql import AND, Query

from scim_provider.events import event, telling
from scim_provider.models import Connection, EventKind, Resource
from scim_provider.organizations import Organizations, organizations, owner_of
from scim_provider.prepared import Prepared, placeholder_of_key
from scim_provider.protocol.errors import Forbidden

from .functions import InSet
from .lock import has_locked_account
from .role_effects import is_hooked
from .transactions import locking, one_at_a_time


def is_last_admin(row: Resource, connection: Connection) -> bool:
    """Whether nobody else than the person would be left to manage the organization.

    One query for most people; none where the columns of the locked account tell. For an admin, the
    connection is locked before it is asked who else there is: two requests at once cannot take one
    of the last two each.
    """
    account: Any = row.account
    if account is None or not _is_admin(row, connection):
        return False
    one_at_a_time(connection)
    return not _active(_admins(connection)).exclude(pk=account.pk).exists()


@contextmanager
def keeping_an_admin(
    connection: Connection, people: Collection[int], *, grants: bool
) -> Iterator[None]:
    """Raise :class:`Forbidden` where what is done within leaves no administrator among
    ``people``, the keys of their rows, nor elsewhere. For what clients do to roles.

    One query about those people where none of them is an administrator; none where roles have no
    effect: no Django group, and no hook. Otherwise as :func:`is_last_admin`.
    """
    if not (people and (grants or is_hooked())):
        yield
        return
    admins = _admins(connection)
    rows = Resource.objects.using(admins.db).filter(InSet(F("pk"), sorted(people)))
    among = rows.filter(account__isnull=False).values("account")
    concerned = admins.filter(pk__in=among)
    if not _active(concerned).exists():
        yield
        return
    one_at_a_time(connection)
    others_stay = _active(admins).exclude(pk__in=among).exists()
    last = None if others_stay else _active(concerned).order_by("pk").first()
    yield
    if last is not None and not _is_locked(concerned):
        raise last_admin_stays(rows.get(account=last), connection)


def last_admin_stays(row: Resource, connection: Connection) -> Forbidden:
    """What refuses to take the last administrator away, and the event that tells of it."""
    name = organizations().name(owner_of(connection))
    detail = (
        f"{row.name} is the last active administrator of {name}. Make somebody else an "
        "administrator there first."
    )
    told = event(
        connection, EventKind.CHANGE_REFUSED, resource=row, account=row.account, reason=detail
    )
    return telling(Forbidden(detail), told)


def _is_admin(row: Resource, connection: Connection) -> bool:
    account: Any = row.account
    asked = _by_default() if type(organizations()).admins is Organizations.admins else None
    if asked is not None:
        return bool(asked.rows(account.pk, limit=1))
    admins = _admins(connection)
    told = _told_by_columns(admins, account) if has_locked_account(row) else None
    return admins.filter(pk=account.pk).exists() if told is None else told


def _told_by_columns(accounts: QuerySet[Any], account: Any) -> bool | None:
    """Whether the account is one of ``accounts``; None where its own columns do not tell.

    They do where all that is asked is that some of them equal numbers, booleans or UUIDs, which
    are equal for a database where they are for Python, and where the site has no hand in asking.
    """
    query: Any = accounts.query
    table = query.model._meta.db_table
    is_plain = (
        type(query) is Query
        and type(accounts).filter is QuerySet.filter
        and type(accounts).exists is QuerySet.exists
        and type(account) is query.model
        and accounts.db == account._state.db
        and not (query.is_sliced or query.combinator or query.annotations or query.extra)
        and not (query.where.negated or query.where.connector != AND)
        and {alias for alias, uses in query.alias_refcount.items() if uses} <= {table}
    )
    if not is_plain:
        return None
    told = [_equals(lookup, account) for lookup in query.where.children]
    return None if None in told else all(told)


def _equals(lookup: Any, account: Any) -> bool | None:
    """Whether the column that is compared equals the value; None where it is not so simple.

    A field of the site's own may make what it likes of a column.
    """
    if type(lookup) not in (Exact, IntegerFieldExact, RelatedExact) or type(lookup.lhs) is not Col:
        return None
    field, asked = lookup.lhs.target, lookup.rhs
    value = vars(account).get(field.attname, lookup)
    if type(asked) not in _EXACT or type(value) not in (*_EXACT, NoneType):
        return None
    return bool(value == asked) if type(field).__module__.startswith("django.db.") else None


#: Of these, equal ones are the same for every database.
_EXACT = (int, bool, UUID)


@cache
def _by_default() -> Prepared | None:
    """Whether an account is among :meth:`Organizations.admins`, which knows no organization.

    None where that may be another query each time: with a manager of the site's own.
    """
    model = get_user_model()
    key, manager = placeholder_of_key(model), type(model._default_manager)
    if key is None or manager.get_queryset.__module__ != BaseManager.__module__:
        return None
    return Prepared(lambda: Organizations().admins(None).filter(pk=key).values_list("pk"), key)


def _admins(connection: Connection) -> QuerySet[Any]:
    return organizations().admins(owner_of(connection))


def _active(accounts: QuerySet[Any]) -> QuerySet[Any]:
    fields = {field.name for field in get_user_model()._meta.get_fields()}
    return accounts.filter(is_active=True) if "is_active" in fields else accounts


def _is_locked(admins: QuerySet[Any]) -> bool:
    """Whether one of them is active, and locked: whoever deactivates the account waits or did."""
    accounts = get_user_model()._base_manager.using(admins.db)
    found = _active(accounts.filter(pk__in=admins.order_by().values("pk")))
    locked = found.select_for_update(**locking(found.db)).order_by("pk")
    return bool(locked.values_list("pk")[:1])
