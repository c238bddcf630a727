"""An organization keeps somebody who may manage it, whatever an identity provider does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Model, QuerySet

from scim_provider.events import event, telling
from scim_provider.models import Connection, EventKind, Resource
from scim_provider.organizations import organizations, owner_of
from scim_provider.protocol.errors import Forbidden

from .functions import InSet
from .role_effects import is_hooked
from .transactions import locking


def is_last_admin(account: Any, owner: Model | None) -> bool:
    """Whether nobody else would be left to manage the organization.

    One query for most people. For an admin, another one's account is locked until the transaction
    ends: two requests at once cannot take one of the last two each.
    """
    admins = organizations().admins(owner)
    if account is None or not admins.filter(pk=account.pk).exists():
        return False
    return not _is_locked(_active(admins).exclude(pk=account.pk))


@contextmanager
def keeping_an_admin(
    connection: Connection, people: Collection[int], *, grants: bool
) -> Iterator[None]:
    """Raise :class:`Forbidden` where what is done within leaves no administrator among
    ``people``, the keys of their rows, nor elsewhere. For what clients do to roles.

    One query for most; none where roles have no effect: no Django group, and no hook.
    """
    if not (people and (grants or is_hooked())):
        yield
        return
    admins = _active(organizations().admins(owner_of(connection)))
    rows = Resource.objects.using(admins.db).filter(InSet(F("pk"), sorted(people)))
    among = rows.filter(account__isnull=False).values("account")
    others_stay = _is_locked(admins.exclude(pk__in=among))
    last = None if others_stay else admins.filter(pk__in=among).order_by("pk").first()
    yield
    if last is not None and not admins.exists():
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


def _active(admins: QuerySet[Any]) -> QuerySet[Any]:
    accounts = get_user_model()._base_manager.using(admins.db)
    fields = {field.name for field in get_user_model()._meta.get_fields()}
    active = {"is_active": True} if "is_active" in fields else {}
    return accounts.filter(pk__in=admins.order_by().values("pk"), **active)


def _is_locked(accounts: QuerySet[Any]) -> bool:
    """Whether there is one; it is locked."""
    locked = accounts.select_for_update(**locking(accounts.db)).order_by("pk")
    return bool(locked.values_list("pk")[:1])
