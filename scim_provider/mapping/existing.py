"""Accounts that were there before SCIM: found among the members of an organization, and listed.

An account that is listed gets the row that a create would have made beside it; nothing of the
account changes. Who is listed, was deleted through SCIM or is :class:`Unlisted` is passed over, so
that a run that was stopped goes on where it ended, and every run ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.models import ForeignKey, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from scim_provider.conf import scim_settings
from scim_provider.events import event, record
from scim_provider.models import (
    AttributeValue,
    Connection,
    EventKind,
    FormerUser,
    Resource,
    Unlisted,
    UnlistedReason,
)
from scim_provider.organizations import Organizations, organizations
from scim_provider.protocol.schema import comparison_key
from scim_provider.signals import announce, users_linked

from .accounts import account_field, is_privileged
from .context import Context
from .document import Document
from .index import new_index_rows
from .paths import set_value
from .profiles import note_owned
from .protections import protected_among, protection_restored
from .role_rules import give_default
from .rows import insert_resources, insert_rows
from .shared_homes import related_rows
from .transactions import atomically, database, is_dangling, one_at_a_time

if TYPE_CHECKING:
    from .resource_type import ResourceType

#: What names accounts that are not to be listed (again).
_KNOWN: tuple[type[Resource | FormerUser | Unlisted], ...] = (Resource, FormerUser, Unlisted)
#: Accounts of one transaction.
BATCH = 1000
_TRIES = 5
#: Of a login name and its key: what our columns take.
_LONGEST = 256
_INDEX = ("connection", "resource", "path", "element", "key", "text")


@dataclass
class Batch:
    """What one transaction did: rows that were made, accounts that could not be listed."""

    listed: list[Resource] = field(default_factory=list)
    passed_over: list[Unlisted] = field(default_factory=list)
    #: How many accounts were looked at, those who are listed by now among them.
    seen: int = 0
    #: The key of the last of them, None where there is no other.
    last: Any = None


def knows_members(context: Context) -> bool:
    """Whether the site says who the members are: without a word, nobody may seem to have left."""
    told = type(organizations()).members is not Organizations.members
    return told or context.connection.owner_type_id is None


class Members:
    """The members of a connection's organization, as far as SCIM may touch them."""

    def __init__(self, context: Context) -> None:
        self.context, self.connection = context, context.connection
        self.using = database()

    @cached_property
    def all(self) -> QuerySet[Any]:
        """Whoever belongs to the organization, administrators of the site too."""
        owner = self.context.owner
        members = organizations().members(owner).using(self.using)
        gone = owner is None and self.connection.owner_type_id is not None
        return members.none() if gone else members

    @cached_property
    def listable(self) -> QuerySet[Any]:
        """Without the site's administrators, whom SCIM does not touch."""
        members = self.all
        if scim_settings.allow_privileged:
            return members
        for name in filter(account_field, ("is_staff", "is_superuser")):
            members = members.exclude(**{name: True})
        return members

    @cached_property
    def missing(self) -> QuerySet[Any, Any]:
        """The keys of those who are not listed yet, and may be.

        A difference of sets costs the same whatever the planner thinks of the tables: while a new
        one has no statistics, PostgreSQL compares every row with every other to tell NOT EXISTS.
        """
        known = (self._known(model).values_list("account") for model in _KNOWN)
        return self.listable.order_by().values_list("pk").difference(*known)

    def first_missing(self) -> Any:
        """The lowest of the :attr:`missing` keys, None where nobody is missing."""
        key = self.all.model._meta.pk.name
        return next((row[0] for row in self.missing.order_by(key)[:1]), None)

    def known(self, keys: Sequence[Any]) -> set[Any]:
        """Those of the accounts with these keys who are listed or left alone."""
        found: set[Any] = set()
        for model in _KNOWN:
            rows = self._known(model).filter(account__in=keys)
            found.update(rows.values_list("account", flat=True))
        return found

    def _known(self, model: type[Resource | FormerUser | Unlisted]) -> QuerySet[Any]:
        rows = model._default_manager.using(self.using).filter(connection=self.connection)
        if model is Unlisted:
            rows = rows.exclude(Q(reason=UnlistedReason.LET_IN))
        return rows.filter(account__isnull=False).order_by()

    def strangers(self, resource_type: str) -> QuerySet[Any, Any]:
        """The keys of accounts of people who are in no list of members (any more)."""
        rows = self._known(Resource).filter(resource_type=resource_type)
        return rows.values_list("account").difference(self.all.order_by().values_list("pk"))


def list_members(
    resource_type: ResourceType,
    context: Context,
    *,
    only: Q | None = None,
    after: Any = None,
    most: int = BATCH,
) -> Batch:
    """List those of ``most`` members behind the key ``after`` who are not, in one transaction.

    Two at once wait for each other; where a client's create takes one of the accounts meanwhile,
    the rest is done again.
    """

    def operation() -> Batch:
        one_at_a_time(context.connection)
        members = Members(context)
        rows = members.listable if only is None else members.listable.filter(only)
        if after is not None:
            rows = rows.filter(pk__gt=after)
        accounts = list(with_relations(rows, resource_type).order_by("pk")[:most])
        known = members.known([account.pk for account in accounts])
        missing = {account.pk: account for account in accounts if account.pk not in known}
        batch = Listing(resource_type, context).run(list(missing.values()))
        batch.seen = len(accounts)
        batch.last = accounts[-1].pk if len(accounts) == most else None
        return batch

    for _ in range(_TRIES):
        try:
            return atomically(operation)
        except IntegrityError as error:
            if is_dangling(error):
                raise
    return atomically(operation)


def with_relations(rows: QuerySet[Any], resource_type: ResourceType) -> QuerySet[Any]:
    """The accounts with the rows that homes look at."""
    names = {name for _, home in resource_type.placed for name in home.account_fields}
    related = [name for name in names if isinstance(account_field(name), ForeignKey)]
    rows = rows.select_related(*sorted(related)) if related else rows
    several = {name for _, home in resource_type.placed for name in related_rows(home)}
    return rows.prefetch_related(*sorted(several)) if several else rows


class Listing:
    """The rows beside accounts that were there."""

    @property
    def why(self) -> str:
        """What the events say."""
        return gettext("A member of the organization, listed by policy")

    def __init__(self, resource_type: ResourceType, context: Context) -> None:
        self.kind: Any = resource_type
        self.context, self.connection = context, context.connection
        self.batch = Batch()
        self.documents: list[Document] = []
        #: The keys of accounts that were protected when they were last here.
        self.protected: set[Any] = set()

    def run(self, accounts: Sequence[Any]) -> Batch:
        note_owned(accounts, self.context)
        self.protected = protected_among(self.connection, [account.pk for account in accounts])
        named = [(account, str(account.get_username() or "")) for account in accounts]
        keys = {account.pk: comparison_key(name, precis=True) for account, name in named}
        taken = self._taken(list(keys.values()))
        for account, name in named:
            key = keys[account.pk]
            reason = _reason(account, name, key, taken)
            if reason is None:
                taken.add(key)
                self.batch.listed.append(self.row(account, name))
            else:
                self.pass_over(account, reason)
        self._save()
        return self.batch

    def _taken(self, keys: Sequence[str]) -> set[str | None]:
        rows = Resource.objects.using(database()).filter(
            connection=self.connection, resource_type=self.kind.name, unique_key__in_set=keys
        )
        return set(rows.values_list("unique_key", flat=True))

    def pass_over(self, account: Any, reason: UnlistedReason) -> None:
        """Note who cannot be listed."""
        protected = account.pk in self.protected
        unlisted = Unlisted(
            connection=self.connection, account=account, reason=reason, protected=protected
        )
        self.batch.passed_over.append(unlisted)

    def row(self, account: Any, name: str) -> Resource:
        """The unsaved row beside ``account``."""
        row: Resource = self.kind.row_beside(account, self.context, {"userName": name})
        row.name, row.unique_key = name, row.name_key
        row.protected = account.pk in self.protected
        stored: Document = {}
        for target, home in self.kind.homes_of(row):
            value = home.adopted(row, target)
            if value is not None:
                set_value(stored, target, value)
                home.keep(stored, target, value)
        row.document = stored
        return row

    def _save(self) -> None:
        listed = self.batch.listed
        kept = [row.account_id for row in self.batch.passed_over if row.protected]
        if kept:  # by another row until now
            Unlisted.objects.filter(connection=self.connection, account__in=kept).delete()
        Unlisted.objects.bulk_create(self.batch.passed_over, ignore_conflicts=True)
        if not listed:
            return
        insert_resources(listed)
        insert_rows(AttributeValue, _INDEX, self._index())
        protection_restored(self.connection, listed)
        record(
            [
                event(self.connection, EventKind.PERSON_LISTED, resource=row, reason=self.why)
                for row in listed
            ]
        )
        announce(users_linked, self.connection, users=listed)
        give_default(self.connection, [row.pk for row in listed])

    def _index(self) -> Iterator[Sequence[Any]]:
        schema = self.kind.resource_schema
        for row in self.batch.listed:
            for values in new_index_rows(row.document, schema):
                yield (self.connection.pk, row.pk, *values)


def _reason(account: Any, name: str, key: str, taken: set[str | None]) -> UnlistedReason | None:
    """Why the account cannot be listed."""
    if is_privileged(account):
        return UnlistedReason.PRIVILEGED
    if not name.strip():
        return UnlistedReason.NO_NAME
    if max(len(name), len(key)) > _LONGEST:
        return UnlistedReason.TOO_LONG
    return UnlistedReason.SAME_NAME if key in taken else None


def forget_obstacles(connection: Connection) -> None:
    """Let the next run try again whom an earlier one could not list."""
    rows = Unlisted.objects.filter(connection=connection)
    let_in(rows.exclude(reason=UnlistedReason.UNLINKED))


def let_in(rows: QuerySet[Unlisted]) -> int:
    """Leave the accounts of ``rows`` alone no longer; how many these were."""
    rows = rows.exclude(reason=UnlistedReason.LET_IN)
    kept = rows.filter(protected=True).update(reason=UnlistedReason.LET_IN)
    return kept + rows.filter(protected=False).delete()[0]


def note_end(connection: Connection) -> None:
    """The members who were there are listed to the last."""
    if connection.members_listed_at is None:
        connection.members_listed_at = timezone.now()
        Connection.objects.filter(pk=connection.pk).update(
            members_listed_at=connection.members_listed_at
        )
