"""What django-scim2 kept in a site's own tables, carried over: ids, external ids, members.

An identity provider goes on with the ids that it holds. django-scim2 need not be installed any
more: its columns on the user and the group model are all that is read, and nothing of them is
changed. What is carried over already stays as it is, so that a run that was stopped goes on where
it ended.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from django.db import router
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Now
from django.utils import timezone
from django.utils.translation import gettext

from scim_provider.mapping.context import Context
from scim_provider.mapping.existing import BATCH, Listing, Members, with_relations
from scim_provider.mapping.functions import BinaryText
from scim_provider.mapping.member_sql import MemberSql
from scim_provider.mapping.membership import touch_groups_of_all
from scim_provider.mapping.role_rules import RoleRules
from scim_provider.mapping.rows import insert_resources
from scim_provider.mapping.transactions import atomically, one_at_a_time
from scim_provider.mapping.writing import StoredResourceType
from scim_provider.models import Connection, FormerUser, Membership, Resource, UnlistedReason
from scim_provider.protocol.schema import comparison_key
from scim_provider.resources import resource_types

from .source import NoSource, Source, text_of

#: Groups of one transaction.
GROUPS = 100
#: Conflicts that are told one by one.
MOST_TOLD = 1000
_NAME_LENGTH = Resource._meta.get_field("name").max_length or 0
_ID_LENGTH = Resource._meta.get_field("scim_id").max_length or 0
_EXTERNAL_ID_LENGTH = Resource._meta.get_field("external_id").max_length or 0

#: Called with how many more are done.
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Conflict:
    """Somebody or something that was left out, and why, in words for an admin."""

    type: str
    id: str
    name: str
    reason: str


@dataclass
class Report:
    """How many were carried over, were there already, have no id; and what is in the way."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)

    def refuse(self, kind: str, scim_id: str, name: str, reason: str) -> None:
        self.counts["conflicts"] += 1
        if len(self.conflicts) < MOST_TOLD:
            self.conflicts.append(Conflict(kind, scim_id, name, reason))

    def add(self, other: Report) -> None:
        self.counts += other.counts
        self.conflicts = (self.conflicts + other.conflicts)[:MOST_TOLD]


class Import:
    """Carries people and groups over to one connection."""

    def __init__(self, connection: Connection, source: Source) -> None:
        self.context, self.source = Context(connection, ""), source
        self.connection = connection
        self.using = router.db_for_write(Resource)
        self.report = Report()
        self.users, self.groups = _stored("User"), _stored("Group")

    def run(self, advance: Advance) -> None:
        """People first: groups refer to them."""
        people = with_relations(self.accounts, self.users)
        self._batches(people, self._carry_people, BATCH, advance)
        if self.source.group_model is not None:
            self._batches(self.source_groups, self._carry_groups, GROUPS, advance)

    def total(self) -> int:
        """How many rows will be looked at."""
        groups = self.source_groups.count() if self.source.group_model is not None else 0
        return self.accounts.count() + groups

    @cached_property
    def accounts(self) -> QuerySet[Any]:
        """The organization's accounts, administrators too: the report names them."""
        return Members(self.context).all

    @cached_property
    def source_groups(self) -> QuerySet[Any]:
        """All groups; of a site with organizations, those with a member in this one."""
        assert self.source.group_model is not None
        groups = self.source.group_model._base_manager.using(self.using)
        if self.context.owner is None:
            return groups
        through, to_user, to_group = self.source.through
        people = Resource.objects.filter(connection=self.connection, resource_type="User")
        members = through._base_manager.filter(
            **{f"{to_group}_id": OuterRef("pk"), f"{to_user}__in": people.values("account")}
        )
        return groups.filter(Exists(members))

    # -- batches -------------------------------------------------------------------------------

    def _batches(
        self,
        rows: QuerySet[Any],
        carry: Callable[[Sequence[Any]], Report],
        size: int,
        advance: Advance,
    ) -> None:
        """Each batch is a transaction, which is done again after a deadlock."""
        found = list(rows.order_by("pk")[:size])
        while found:
            self.report.add(atomically(partial(self._locked, carry, found)))
            advance(len(found))
            found = list(rows.filter(pk__gt=found[-1].pk).order_by("pk")[:size])

    def _locked(self, carry: Callable[[Sequence[Any]], Report], rows: Sequence[Any]) -> Report:
        one_at_a_time(self.connection)
        return carry(rows)

    def _carry_people(self, accounts: Sequence[Any]) -> Report:
        people = People(self, accounts)
        people.run(people.new)
        rows = people.batch.listed
        people.report.counts["users"] = len(rows)
        if self.source.group_model is not None and rows:
            _, to_user, _ = self.source.through
            accounts_of = [row.account_id for row in rows]
            joined = self._members(Q(**{f"{to_user}__in": accounts_of}))
            people.report.counts["members"] = joined
            if joined:
                self._note_joined([row.pk for row in rows])
        return people.report

    def _note_joined(self, people: Sequence[int]) -> None:
        """Groups that were there got members: their version says so, and their rules know."""
        touch_groups_of_all(people, timezone.now())
        with_rules = Membership.objects.filter(member__in=people, group__has_rules=True)
        joined: dict[Resource, list[int]] = defaultdict(list)
        for membership in with_rules.select_related("group").order_by("group", "pk"):
            joined[membership.group].append(membership.member_id)
        for group, members in joined.items():
            RoleRules(group, self.connection).moved(members, ())

    def _carry_groups(self, groups: Sequence[Any]) -> Report:
        report = Report()
        rows = list(self._group_rows(groups, report))
        insert_resources([row for _, row in rows])
        report.counts["groups"] = len(rows)
        if rows:
            _, _, to_group = self.source.through
            keys = [group.pk for group, _ in rows]
            report.counts["members"] = self._members(Q(**{f"{to_group}__in": keys}))
        return report

    def _group_rows(self, groups: Sequence[Any], report: Report) -> Iterator[tuple[Any, Resource]]:
        """The groups to carry over, each with its unsaved row."""
        ids = {group.pk: text_of(getattr(group, self.source.group_id_field)) for group in groups}
        there = self._there("Group", [scim_id for scim_id in ids.values() if scim_id])
        names = {group.pk: _group_name(group) for group in groups}
        taken = self._taken_names([comparison_key(name) for name in names.values()])
        seen: set[str] = set()
        for group in groups:
            scim_id, name = ids[group.pk], names[group.pk]
            key = comparison_key(name)
            if not scim_id:
                report.counts["groups_without_id"] += 1
            elif scim_id in there:
                report.counts["groups_there_already"] += 1
            elif scim_id in seen:
                report.refuse("Group", scim_id, name, gettext("Another group has the same id."))
            elif reason := _wrong_ids(scim_id, group) or self._wrong_group(name, key, taken):
                report.refuse("Group", scim_id, name, reason)
            else:
                seen.add(scim_id)
                taken.add(key)
                yield group, self._group_row(scim_id, name, key, group)

    def _group_row(self, scim_id: str, name: str, key: str, group: Any) -> Resource:
        row = self.groups.new_row(self.context, {})
        row.scim_id, row.external_id = scim_id, _external_id(group) or None
        row.name, row.name_key = name, key
        row.unique_key = key if self.connection.unique_group_names else None
        return row

    def _wrong_group(self, name: str, key: str, taken: set[str]) -> str:
        if not name:
            return gettext("It has no name. Give it one.")
        if max(len(name), len(key)) > _NAME_LENGTH:
            return gettext("Its name is too long. Shorten it.")
        if key in taken and self.connection.unique_group_names:
            return gettext(
                "Another group has the same name, in this spelling or another. Rename one of "
                "them, or switch off unique_group_names of the connection."
            )
        return ""

    def _taken_names(self, keys: Sequence[str]) -> set[str]:
        rows = self._resources("Group").filter(name_key__in_set=keys)
        return set(rows.values_list("name_key", flat=True))

    def _there(self, kind: str, scim_ids: Sequence[str]) -> dict[str, Any]:
        """Ids that the connection has already, each with its account."""
        rows = self._resources(kind).filter(scim_id__in_set=scim_ids)
        return dict(rows.values_list("scim_id", "account"))

    def _resources(self, kind: str) -> QuerySet[Resource]:
        rows = Resource.objects.using(self.using)
        return rows.filter(connection=self.connection, resource_type=kind)

    def _members(self, which: Q) -> int:
        """Make members of those who are in a group, of ``which``. One statement."""
        through, to_user, to_group = self.source.through
        assert self.source.group_model is not None
        person = f"{to_user}__scim_resources"
        ids = self.source.group_model._base_manager.filter(pk=OuterRef(f"{to_group}_id"))
        groups = self._resources("Group").filter(scim_id=BinaryText(OuterRef("scim_group_id")))
        known = Membership.objects.filter(group=OuterRef("scim_group"), member=OuterRef(person))
        rows = (
            through._base_manager.using(self.using)
            .filter(
                which,
                **{f"{person}__connection": self.connection, f"{person}__resource_type": "User"},
            )
            .annotate(
                scim_group_id=Subquery(
                    ids.values_list(Cast(self.source.group_id_field, CharField()))[:1],
                    output_field=CharField(),
                )
            )
            .annotate(scim_group=Subquery(groups.values("pk")[:1]))
            .filter(~Exists(known), scim_group__isnull=False)
            .order_by("pk")
        )
        constants = {
            "scim_of": Value(self.connection.pk, BigIntegerField()),
            "scim_at": Now(output_field=DateTimeField()),
            "scim_shown": Value("", CharField()),
        }
        selected = rows.annotate(**constants).values_list(
            "scim_of", "scim_group", person, "scim_at", "scim_shown"
        )
        return MemberSql(self.connection.pk).insert_selected(selected)


class People(Listing):
    """Accounts under the ids that they had."""

    def __init__(self, carrying: Import, accounts: Sequence[Any]) -> None:
        super().__init__(carrying.users, carrying.context)
        self.report = Report()
        field_name = carrying.source.user_id_field
        self.ids = {account.pk: text_of(getattr(account, field_name)) for account in accounts}
        self.new = self._new(carrying, accounts)

    @property
    def why(self) -> str:
        return gettext("Carried over from django-scim2")

    def _new(self, carrying: Import, accounts: Sequence[Any]) -> list[Any]:
        """Those who are to be carried over; the report has the others."""
        listed = dict(
            carrying._resources("User")
            .filter(account__in=[account.pk for account in accounts])
            .values_list("account", "scim_id")
        )
        there = set(carrying._there("User", [scim_id for scim_id in self.ids.values() if scim_id]))
        former = FormerUser.objects.using(carrying.using).filter(
            connection=carrying.connection, account__in=[account.pk for account in accounts]
        )
        gone = set(former.values_list("account", flat=True))
        return [account for account in accounts if self._is_new(account, listed, there, gone)]

    def _is_new(
        self, account: Any, listed: dict[Any, str], there: set[str], gone: set[Any]
    ) -> bool:
        scim_id = self.ids[account.pk]
        if not scim_id:
            self.report.counts["users_without_id"] += 1
        elif listed.get(account.pk) == scim_id:
            self.report.counts["users_there_already"] += 1
        elif account.pk in listed:
            other = listed[account.pk]
            self._refuse(account, gettext(_LISTED_OTHERWISE) % {"id": other})
        elif account.pk in gone:
            self.report.counts["users_deleted_since"] += 1
        elif scim_id in there:
            self._refuse(account, gettext("Another person of this connection has the same id."))
        elif reason := _wrong_ids(scim_id, account):
            self._refuse(account, reason)
        else:
            there.add(scim_id)
            return True
        return False

    def row(self, account: Any, name: str) -> Resource:
        row = super().row(account, name)
        row.scim_id = self.ids[account.pk]
        row.external_id = _external_id(account) or None
        row.created = getattr(account, "date_joined", None) or row.created
        return row

    def pass_over(self, account: Any, reason: UnlistedReason) -> None:
        self._refuse(account, gettext(_REASONS[reason]))

    def _refuse(self, account: Any, reason: str) -> None:
        name = str(account.get_username() or "")
        self.report.refuse("User", self.ids[account.pk], name, reason)


_LISTED_OTHERWISE = (
    "The account is listed here already, under the id %(id)s, which the identity provider does "
    "not know. Unlink it, then run this again."
)
_REASONS = {
    UnlistedReason.PRIVILEGED: (
        "It is an administrator of the site, whom SCIM does not touch: the identity provider will "
        "get 404. Take the account out of the identity provider, or set ALLOW_PRIVILEGED."
    ),
    UnlistedReason.NO_NAME: "It has no login name. Give it one, or clear its scim_id.",
    UnlistedReason.TOO_LONG: "Its login name is too long. Shorten it.",
    UnlistedReason.SAME_NAME: (
        "Another person has the same login name in another spelling, and userName is compared "
        "without case. Rename one of them."
    ),
}


def _stored(name: str) -> StoredResourceType:
    """The resource type of that name. Raises :class:`NoSource` where SCIM's tables hold none."""
    for served in resource_types():
        if served.name == name and isinstance(served, StoredResourceType):
            return served
    raise NoSource(f"This site serves no {name} out of SCIM's own tables.")


def _group_name(group: Any) -> str:
    return text_of(getattr(group, "name", "")) or text_of(getattr(group, "scim_display_name", ""))


def _external_id(row: Any) -> str:
    return text_of(getattr(row, "scim_external_id", ""))


def _wrong_ids(scim_id: str, row: Any) -> str:
    """Why the ids of a user or a group cannot be kept, "" where they can."""
    if len(scim_id) > _ID_LENGTH:
        return gettext("Its id is too long: at most %(most)s characters.") % {"most": _ID_LENGTH}
    if len(_external_id(row)) > _EXTERNAL_ID_LENGTH:
        return gettext("Its external id is too long: at most %(most)s characters.") % {
            "most": _EXTERNAL_ID_LENGTH
        }
    return ""
