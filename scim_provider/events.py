"""Events of a connection: made, attached to refusals, written."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, router, transaction
from django.utils import timezone

from .mapping.saving import add_object
from .models import Connection, Event, EventKind, Resource
from .protocol.errors import ScimError

logger = logging.getLogger("scim_provider")

#: A refusal of the same account is told again after this time.
REPEATED_AFTER = timedelta(days=1)


def event(
    connection: Connection,
    kind: EventKind,
    *,
    resource: Resource | None = None,
    name: str = "",
    account: Any = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """An unsaved event; ``account`` is a row of ``AUTH_USER_MODEL``. Nothing is written yet."""
    made = Event(
        connection_id=connection.pk,
        kind=kind,
        name=name[:256],
        account_id=getattr(account, "pk", None),
        reason=reason[:500],
        data=data or {},
    )
    if resource is not None:
        made.resource_type, made.scim_id = resource.resource_type, resource.scim_id
        made.name = made.name or resource.name
        made.account_id = made.account_id or resource.account_id
    return made


def record(events: Sequence[Event]) -> None:
    """Write events along with what they tell of, in its transaction: one statement."""
    if len(events) == 1:
        add_object(events[0])
    elif events:
        Event.objects.bulk_create(events)


E = TypeVar("E", bound=ScimError)


def telling(error: E, told: Event) -> E:
    """``error``, of which ``told`` is to be written once its transaction is rolled back."""
    error.told = told
    return error


def record_refusal(error: ScimError) -> None:
    """Write what a refusal is to leave behind; a failure to do so is nobody's problem."""
    record_refusals([error])


def record_refusals(errors: Iterable[ScimError]) -> None:
    """:func:`record_refusal` of many: two statements.

    Identity providers repeat what was refused, some every half an hour: the same of the same
    account is told once a day.
    """
    told: list[Event] = []
    for error in errors:
        if isinstance(error.told, Event):
            told.append(error.told)
            error.told = None
    if not told:
        return
    try:
        with transaction.atomic(using=router.db_for_write(Event)):
            known = _told_lately(told)
            Event.objects.bulk_create([each for each in told if _what(each) not in known])
    except DatabaseError:
        logger.exception("A SCIM event could not be recorded")


def _what(told: Event) -> tuple[Any, ...]:
    return told.kind, told.account_id, told.name, told.reason


def _told_lately(told: Sequence[Event]) -> set[tuple[Any, ...]]:
    """What was recorded of the same accounts, found by their index."""
    accounts = {each.account_id for each in told if each.account_id is not None}
    rows = Event.objects.using(router.db_for_write(Event)).filter(
        connection__in={each.connection_id for each in told},
        account__in=accounts,
        created_at__gt=timezone.now() - REPEATED_AFTER,
    )
    found = rows.order_by().values_list("kind", "account", "name", "reason")
    return set(found) if accounts else set()
