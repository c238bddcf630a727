"""People who are taken out of SCIM while their accounts stay on the site as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext

from scim_provider.events import event, record
from scim_provider.models import (
    Connection,
    EventKind,
    Resource,
    RoleAssignment,
    Unlisted,
)
from scim_provider.organizations import organizations, owner_of
from scim_provider.signals import announce, users_unlinked

from .context import Context
from .membership import touch_groups_of_all
from .protections import keep_protection
from .references import forget_managers
from .role_effects import roles_ended
from .transactions import atomically, database, locking


def take_out(
    connection: Connection,
    keys: Iterable[int],
    reason: str,
    *,
    by: Any = None,
    for_good: bool = False,
) -> list[Resource]:
    """Delete the Users with these primary keys, in one transaction; nothing of the accounts.

    ``for_good`` keeps the accounts from being listed or linked again. Answers who was there.
    """
    using = database()
    wanted = sorted(keys)

    def operation() -> list[Resource]:
        rows = Resource.objects.using(using).filter(
            connection=connection, resource_type="User", pk__in=wanted
        )
        locked = rows.order_by("pk").select_for_update(**locking(using))
        people = list(locked.prefetch_related("account"))
        if people:
            _take_out(connection, people, reason, by, for_good=for_good)
        return people

    return atomically(operation)


def _take_out(
    connection: Connection, people: Sequence[Resource], reason: str, by: Any, *, for_good: bool
) -> None:
    now, keys = timezone.now(), [person.pk for person in people]
    touch_groups_of_all(keys, now)
    forget_managers(connection.pk, [person.scim_id for person in people], now)
    _remember(connection, people, for_good=for_good)
    who = {"by": str(by)} if by else {}
    record(
        [
            event(connection, EventKind.PERSON_UNLINKED, resource=person, reason=reason, data=who)
            for person in people
        ]
    )
    announce(users_unlinked, connection, users=list(people))
    _, deleted = Resource.objects.filter(pk__in=keys).delete()
    if deleted.get(RoleAssignment._meta.label):  # what their roles granted goes with the roles
        accounts = [person.account for person in people if person.account is not None]
        roles_ended(accounts, owner_of(connection))


def _remember(connection: Connection, people: Sequence[Resource], *, for_good: bool) -> None:
    """Keep the accounts out ``for_good``, and that they are protected in any case."""
    rows = keep_protection(connection, people, unlinked=for_good)
    if rows:
        keys = [row.account_id for row in rows]
        Unlisted.objects.filter(connection=connection, account__in=keys).delete()
        Unlisted.objects.bulk_create(rows)


def let_go(context: Context, rows: Sequence[Resource]) -> int:
    """Take out those of the people whose accounts have left the organization.

    They are listed again when they return. The site itself is asked: its list of members may
    leave out some who belong there, as deactivated ones.
    """
    if not rows:
        return 0
    prefetch_related_objects(rows, "account")
    accounts: dict[int, Any] = {row.pk: row.account for row in rows}
    left = organizations().leaving(list(accounts.values()), context.owner)
    gone = [key for key, account in accounts.items() if account.pk in left]
    if not gone:
        return 0
    reason = gettext("The account is no member of the organization any more")
    return len(take_out(context.connection, gone, reason))
