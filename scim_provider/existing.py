"""People who were there before SCIM: counted, listed, unlinked. Pages and commands share it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Length
from django.utils.translation import gettext

from .mapping import leaving
from .mapping.context import Context
from .mapping.existing import BATCH, Members, forget_obstacles, let_in, list_members, note_end
from .mapping.functions import NormalisedKey
from .mapping.look_alikes import spellings
from .mapping.transactions import database
from .models import Connection, ExistingPeople, Resource, Unlisted, UnlistedReason
from .protocol.schema import comparison_key
from .resources import UserResource, resource_types

logger = logging.getLogger("scim_provider")

#: What a column of ours takes of a login name.
_LONGEST_NAME = 256

#: Called with how many more are done.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Outlook:
    """What listing the members of a connection's organization would do, counted in the database.

    Names in two spellings are counted as the database folds case, which is what listing does for
    all but a few letters.
    """

    connection: Connection

    @cached_property
    def _members(self) -> Members:
        return Members(Context(self.connection, ""))

    @cached_property
    def members(self) -> int:
        """Members whom SCIM may touch."""
        return self._members.listable.count()

    @cached_property
    def administrators(self) -> int:
        """Members who are administrators of the site and stay out."""
        return self._members.all.count() - self.members

    @cached_property
    def missing(self) -> int:
        """Members who are not listed yet, and are not known to be unlistable."""
        return self._members.missing.count()

    @cached_property
    def listed(self) -> int:
        """People who are in SCIM, however they came there."""
        return Resource.objects.filter(connection=self.connection, resource_type="User").count()

    @property
    def done(self) -> int:
        """Members with whom listing is through, one way or the other."""
        return self.members - self.missing

    @cached_property
    def obstacles(self) -> dict[str, int]:
        """How many of the missing cannot be listed, by :class:`UnlistedReason`."""
        if not self.missing:
            return {}
        counted = {
            UnlistedReason.NO_NAME: self._candidates.filter(**{self._login: ""}).count(),
            UnlistedReason.TOO_LONG: self._too_long(),
            UnlistedReason.SAME_NAME: self._same_name(),
        }
        return {reason.value: number for reason, number in counted.items() if number}

    @property
    def _login(self) -> str:
        return str(get_user_model().USERNAME_FIELD)

    @cached_property
    def _candidates(self) -> QuerySet[Any]:
        left_alone = Unlisted.objects.filter(connection=self.connection, account=OuterRef("pk"))
        left_alone = left_alone.exclude(reason=UnlistedReason.LET_IN)
        return self._members.listable.order_by().filter(~Exists(left_alone))

    def _same_name(self) -> int:
        named = self._candidates.annotate(scim_name=NormalisedKey(F(self._login)))
        same = named.exclude(scim_name="").values("scim_name").annotate(number=Count("pk"))
        counted = same.filter(number__gt=1).aggregate(people=Sum("number"), names=Count("number"))
        people: int = counted["people"] or 0
        return people - int(counted["names"])

    def _too_long(self) -> int:
        limit = getattr(get_user_model()._meta.get_field(self._login), "max_length", None)
        if limit is not None and limit <= _LONGEST_NAME:
            return 0
        named = self._candidates.annotate(scim_length=Length(self._login))
        too_long: int = named.filter(scim_length__gt=_LONGEST_NAME).count()
        return too_long

    @property
    def listable(self) -> int:
        """How many a run would list."""
        return max(self.missing - sum(self.obstacles.values()), 0)

    @cached_property
    def unlisted(self) -> dict[str, int]:
        """Accounts that are left alone, by :class:`UnlistedReason`."""
        rows = Unlisted.objects.filter(connection=self.connection)
        rows = rows.exclude(reason=UnlistedReason.LET_IN)
        counted = rows.order_by().values("reason").annotate(number=Count("pk"))
        return {row["reason"]: row["number"] for row in counted}


@dataclass
class Listing:
    """What a run did: people listed, accounts passed over; and whether it is through."""

    listed: int = 0
    passed_over: int = 0
    finished: bool = False


def lists_members(connection: Connection) -> bool:
    """Whether the policy of the connection is to list the members of its organization."""
    return connection.existing_people == ExistingPeople.LIST


def choose(connection: Connection, policy: str) -> None:
    """Set the policy for existing people; a list begins anew, and nobody is listed twice.

    Raises ``ValueError`` for what is no :class:`~scim_provider.models.ExistingPeople`.
    """
    connection.existing_people = ExistingPeople(policy)
    connection.members_listed_at = connection.members_due_at = None
    connection.save(update_fields=["existing_people", "members_listed_at", "members_due_at"])
    if connection.existing_people == ExistingPeople.LIST:
        forget_obstacles(connection)


def list_all(connection: Connection, progress: Progress) -> Listing:
    """List every member who is missing; ``progress`` hears of each transaction.

    What was done stays done when the process is killed, and the next run goes on from there.
    """
    return _run(connection, progress, lambda: False)


def list_for(connection: Connection, seconds: float) -> Listing:
    """Go on listing for about so long: what one request of a page does."""
    until = time.monotonic() + seconds
    return _run(connection, lambda number: None, lambda: time.monotonic() > until)


def _run(connection: Connection, progress: Progress, is_over: Callable[[], bool]) -> Listing:
    kind, context, done, after = _people(), Context(connection, ""), Listing(), None
    first = Members(context).first_missing()
    while first is not None:
        batch = list_members(kind, context, only=Q(pk__gte=first), after=after, most=BATCH)
        done.listed += len(batch.listed)
        done.passed_over += len(batch.passed_over)
        progress(len(batch.listed) + len(batch.passed_over))
        after = batch.last
        if after is None:
            break
        if is_over():
            return done
    note_end(connection)
    done.finished = True
    return done


def unlink(connection: Connection, people: Iterable[Resource], *, by: Any = None) -> int:
    """Take people out of SCIM and leave their accounts on the site as they are.

    They are not listed or linked again until :func:`relink`. Answers how many were there.
    """
    keys, gone = [person.pk for person in people], 0
    reason = gettext("Unlinked by an administrator")
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        gone += len(leaving.take_out(connection, some, reason, by=by, for_good=True))
    logger.info("%s people of %s were unlinked by %s.", gone, connection, by or "the command line")
    return gone


def relink(connection: Connection, name: str) -> int:
    """Let an account that was unlinked be listed or linked again; 0 where there is none."""
    using = database()
    login = get_user_model().USERNAME_FIELD
    named = {f"account__{login}__in": sorted(set(spellings(name)))}
    rows = Unlisted.objects.using(using).filter(connection=connection, **named)
    return relink_all(rows.filter(reason=UnlistedReason.UNLINKED))


def relink_all(accounts: QuerySet[Unlisted]) -> int:
    """Let all of the ``accounts`` be listed or linked again; how many there were."""
    return let_in(accounts)


def person_named(connection: Connection, name: str) -> Resource | None:
    """The User of a connection with that userName, in any case."""
    key = comparison_key(name, precis=True)
    rows = Resource.objects.filter(connection=connection, resource_type="User", name_key=key)
    return rows.first()


def _people() -> UserResource:
    """The resource type of Users. Raises ``LookupError`` where the site serves none."""
    for served in resource_types():
        if isinstance(served, UserResource):
            return served
    raise LookupError("This site serves no Users.")
