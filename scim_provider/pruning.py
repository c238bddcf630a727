"""What nobody needs any more: found, counted, deleted in batches.

Each batch is a short transaction of its own. A run that was stopped leaves nothing half done, and
the next one goes on where it ended. Two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from .conf import scim_settings
from .login_sessions import ended_sessions
from .mapping.transactions import database, together
from .models import AccessKey, Connection, Event, FormerUser, LoginSession, Resource

#: Rows of one transaction.
BATCH = 1000
#: How long ended keys are kept by default: who had access when is asked late.
ENDED_KEYS_DAYS = 365

#: Called with how many more are done.
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Ages:
    """After how many days what is deleted; None keeps it for ever."""

    events: int | None = None
    ended_keys: int | None = ENDED_KEYS_DAYS
    former_users: int | None = None

    @classmethod
    def configured(cls) -> Ages:
        return cls(events=scim_settings.event_retention_days)


@dataclass(frozen=True)
class Sweep:
    """Rows of one kind to delete.

    ``oldest_first`` says that they are the first ones by key: the look ends at the first row
    that stays, and no other is read.
    """

    name: str
    rows: QuerySet[Any]
    condition: Q
    oldest_first: bool = False

    @property
    def found(self) -> QuerySet[Any]:
        return self.rows.filter(self.condition)

    def count(self) -> int:
        return self.found.order_by().count()

    def run(self, advance: Advance) -> int:
        """Delete them all; says how many they were."""
        removed = 0
        while keys := self._next():
            with together():
                model: type[Model] = self.rows.model
                model._base_manager.using(database()).filter(pk__in=keys).delete()
            removed += len(keys)
            advance(len(keys))
        return removed

    def _next(self) -> list[Any]:
        if not self.oldest_first:
            return list(self.found.order_by("pk").values_list("pk", flat=True)[:BATCH])
        first = list(self.rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        return list(self.found.filter(pk__in=first).values_list("pk", flat=True))


class SessionSweep:
    """Notes of log-ins whose sessions are over; of the whole site."""

    name = "login_sessions"

    def count(self) -> int:
        return sum(map(len, self._batches()))

    def run(self, advance: Advance) -> int:
        removed = 0
        for keys in self._batches():
            with together():
                LoginSession.objects.filter(pk__in=keys).delete()
            removed += len(keys)
            advance(len(keys))
        return removed

    def _batches(self) -> Iterator[list[int]]:
        """Keys of notes, oldest first; a session that is younger than its cookie is not over."""
        old = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
        rows, last = LoginSession.objects.filter(started_at__lt=old).order_by("pk"), 0
        while found := dict(rows.filter(pk__gt=last).values_list("session_key", "pk")[:BATCH]):
            last = max(found.values())
            if gone := ended_sessions(list(found)):
                yield [found[key] for key in gone]


def sweeps(connection: Connection | None, ages: Ages) -> Iterator[Sweep | SessionSweep]:
    """What there is to delete of one connection, or of all."""
    now = timezone.now()
    if ages.events is not None:
        old = Q(created_at__lt=_days_before(now, ages.events))
        yield Sweep("events", _rows(Event, connection), old, oldest_first=True)
    if ages.ended_keys is not None:
        ended = _days_before(now, ages.ended_keys)
        yield Sweep("access_keys", _rows(AccessKey, connection), _ended_before(ended))
    yield Sweep("former_users", _rows(FormerUser, connection), _forgotten(ages, now))
    if connection is None:
        yield SessionSweep()


def _rows(model: type[Model], connection: Connection | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.using(database())
    return rows if connection is None else rows.filter(connection=connection)


def _days_before(now: datetime, days: int) -> datetime:
    """Nothing is older than the first day that there is."""
    try:
        return now - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)


def _ended_before(moment: datetime) -> Q:
    return Q(revoked_at__lt=moment) | Q(expires_at__lt=moment)


def _forgotten(ages: Ages, now: datetime) -> Q:
    """Accounts that are people again, and, where that is wanted, those who left long ago."""
    again = Resource.objects.filter(connection=OuterRef("connection"), account=OuterRef("account"))
    forgotten = Q(Exists(again))
    if ages.former_users is not None:
        forgotten |= Q(deleted_at__lt=_days_before(now, ages.former_users))
    return forgotten
