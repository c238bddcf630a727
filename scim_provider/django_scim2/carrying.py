"""What django-scim2 kept in a site's own tables, carried over: ids, external ids, members.

An identity provider goes on with the ids that it holds. django-scim2 need not be installed any
more: its columns on the user and the group model are all that is read, and nothing of them is
changed. What is carried over already stays as it is, so that a run that was stopped goes on where
it ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from django.db import router
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

from scim_provider.mapping.context import Context
from scim_provider.mapping.existing import BATCH, Members, with_relations
from scim_provider.mapping.functions import EVERYTHING
from scim_provider.mapping.member_sql import MemberSql
from scim_provider.mapping.membership import touch_groups_of_all
from scim_provider.mapping.role_rules import RoleRules
from scim_provider.mapping.rows import batched, insert_resources
from scim_provider.mapping.transactions import atomically, one_at_a_time
from scim_provider.mapping.writing import StoredResourceType
from scim_provider.models import Connection, Membership, Resource
from scim_provider.protocol.schema import comparison_key
from scim_provider.resources import resource_types

from .people import People, external_id_of, wrong_ids
from .report import Report
from .source import NoSource, Source, text_of

#: Groups of one transaction.
GROUPS = 100
_NAME_LENGTH = Resource._meta.get_field("name").max_length or 0

#: Called with how many more are done.
Advance = Callable[[int], None]


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
        if self.source.group_model is None:
            return self.accounts.count()
        groups = self._groups_with(self.accounts.order_by().values("pk"))
        return self.accounts.count() + groups.count()

    @cached_property
    def accounts(self) -> QuerySet[Any]:
        """The organization's accounts, administrators too: the report names them."""
        return Members(self.context).all

    @cached_property
    def source_groups(self) -> QuerySet[Any]:
        """All groups; of a site with organizations, those with a person of this connection."""
        people = Resource.objects.filter(connection=self.connection, resource_type="User")
        return self._groups_with(people.values("account"))

    def _groups_with(self, accounts: QuerySet[Any, Any]) -> QuerySet[Any]:
        assert self.source.group_model is not None
        groups = self.source.group_model._base_manager.using(self.using)
        if self.context.owner is None:
            return groups
        through, to_user, to_group = self.source.through
        members = through._base_manager.filter(
            **{f"{to_group}_id": OuterRef("pk"), f"{to_user}__in": accounts}
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
        accounts_of = [row.account_id for row in rows]
        if groups := self._groups_of(accounts_of):
            _, to_user, _ = self.source.through
            joined = self._members(groups, Q(**{f"{to_user}__in": accounts_of}))
            people.report.counts["members"] = joined
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
        report.counts["members"] = self._members({group.pk: row.pk for group, row in rows})
        return report

    def _group_rows(self, groups: Sequence[Any], report: Report) -> Iterator[tuple[Any, Resource]]:
        """The groups to carry over, each with its unsaved row."""
        ids = {group.pk: text_of(getattr(group, self.source.group_id_field)) for group in groups}
        there = self.there("Group", [scim_id for scim_id in ids.values() if scim_id])
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
            elif reason := wrong_ids(scim_id, group) or self._wrong_group(name, key, taken):
                report.refuse("Group", scim_id, name, reason)
            else:
                seen.add(scim_id)
                taken.add(key)
                yield group, self._group_row(scim_id, name, key, group)

    def _group_row(self, scim_id: str, name: str, key: str, group: Any) -> Resource:
        row = self.groups.new_row(self.context, {})
        row.scim_id, row.external_id = scim_id, external_id_of(group) or None
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
        rows = self.resources("Group").filter(name_key__in_set=keys)
        return set(rows.values_list("name_key", flat=True))

    def there(self, kind: str, scim_ids: Sequence[str]) -> dict[str, Any]:
        """Ids that the connection has already, each with its account."""
        rows = self.resources(kind).filter(scim_id__in_set=scim_ids)
        return dict(rows.values_list("scim_id", "account"))

    def resources(self, kind: str) -> QuerySet[Resource]:
        rows = Resource.objects.using(self.using)
        return rows.filter(connection=self.connection, resource_type=kind)

    def _groups_of(self, accounts: Sequence[Any]) -> dict[Any, int]:
        """The groups of the accounts that were carried over: their rows by their own keys."""
        if self.source.group_model is None:
            return {}
        through, to_user, to_group = self.source.through
        members = through._base_manager.using(self.using).filter(**{f"{to_user}__in": accounts})
        groups = self.source.group_model._base_manager.using(self.using).filter(
            pk__in=members.values(f"{to_group}_id")
        )
        ids = {
            key: text_of(value)
            for key, value in groups.values_list("pk", self.source.group_id_field)
        }
        there = self.resources("Group").filter(scim_id__in_set=sorted(set(ids.values())))
        rows = dict(there.values_list("scim_id", "pk"))
        return {key: rows[scim_id] for key, scim_id in ids.items() if scim_id in rows}

    def _members(self, groups: Mapping[Any, int], which: Q = EVERYTHING) -> int:
        """Make members of those who are in the groups, whose rows are given, and are people."""
        pairs = list(groups.items())
        return sum(self._join(dict(some), which) for some in batched(pairs, GROUPS))

    def _join(self, groups: Mapping[Any, int], which: Q) -> int:
        """One statement, whose plan needs no statistics: they come too late for a first run.

        People are found by the index of their account. PostgreSQL takes a connection that it has
        not heard of for one without people, and would go through all of them for each row.
        """
        through, to_user, to_group = self.source.through
        people = (
            Resource.objects.using(self.using)
            .annotate(scim_owner=F("connection_id") + Value(0))
            .filter(account=OuterRef(f"{to_user}_id"), scim_owner=self.connection.pk)
        )
        group = Case(*(When(**{to_group: key}, then=Value(row)) for key, row in groups.items()))
        rows = (
            through._base_manager.using(self.using)
            .filter(which, **{f"{to_group}__in": list(groups)})
            .annotate(
                scim_of=Value(self.connection.pk, BigIntegerField()),
                scim_group=group,
                scim_member=Subquery(people.values("pk")[:1]),
                scim_at=Now(output_field=DateTimeField()),
                scim_shown=Value("", CharField()),
            )
            .filter(scim_member__isnull=False)
            .order_by("pk")
        )
        return MemberSql(self.connection.pk).insert_selected(
            rows.values_list("scim_of", "scim_group", "scim_member", "scim_at", "scim_shown")
        )


def _stored(name: str) -> StoredResourceType:
    """The resource type of that name. Raises :class:`NoSource` where SCIM's tables hold none."""
    for served in resource_types():
        if served.name == name and isinstance(served, StoredResourceType):
            return served
    raise NoSource(f"This site serves no {name} out of SCIM's own tables.")


def _group_name(group: Any) -> str:
    return text_of(getattr(group, "name", "")) or text_of(getattr(group, "scim_display_name", ""))
