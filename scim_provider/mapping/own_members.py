"""Members that are rows of the site's own many-to-many table: of a team, say. Written as sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.constants import OnConflict
from django.db.models.functions import Cast
from django.db.models.signals import m2m_changed
from django.utils import timezone

from scim_provider.models import Resource, UnknownMember
from scim_provider.protocol.delta import ValueDelta
from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.filter import Filter, evaluate
from scim_provider.protocol.projection import Window
from scim_provider.protocol.schema import Target

from .belonging import group_element
from .beside import Pair, Several
from .context import Context
from .document import Document
from .elements import ElementEvaluator
from .functions import NormalisedKey
from .membership import refuse_others
from .paths import set_value
from .relations import GroupElement, ResourceElement
from .rows import insert_objects, saves_are_watched
from .starts import Check, Finds, Start
from .transactions import locking


class _Table(Several):
    """A many-to-many field of the site's model, whose rows pair its rows with accounts."""

    def __init__(self, field: str) -> None:
        self.owner, _, self.field = field.partition("__")

    @property
    def many(self) -> Any:
        """The ``ManyToManyField``."""
        model: Any = Resource._meta.get_field(self.owner).related_model
        return model._meta.get_field(self.field)

    @property
    def through(self) -> Any:
        """The model of the pairs."""
        return self.many.remote_field.through

    @property
    def group(self) -> str:
        """The foreign key of a pair to the site's row."""
        return str(self.many.m2m_field_name())

    @property
    def account(self) -> str:
        """The foreign key of a pair to the account."""
        return str(self.many.m2m_reverse_field_name())

    @property
    def to_resource(self) -> str:
        """From a pair to the resource of the site's row."""
        relation: Any = Resource._meta.get_field(self.owner)
        return f"{self.group}__{relation.field.name}"

    @property
    def pairs(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.through._default_manager.all()
        return rows


def _people(context: Context) -> QuerySet[Resource]:
    return Resource.objects.filter(connection=context.connection, resource_type="User").order_by()


class OwnMembers(_Table):
    """``members`` of a Group: ``OwnMembers("team__members")``. People, and no groups."""

    beside = False
    types = {"User": "/Users"}

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        element = ElementEvaluator(ResourceElement(context, "", self.types))
        people = _people(context).filter(evaluate(tree, element))
        pairs = self.pairs.filter(**{f"{self.account}__in": people.values("account")})
        own = pairs.filter(**{self.group: OuterRef(f"{self.owner}__pk")})
        return Start(
            Q(**{f"{self.owner}__in": pairs.values(self.group)}), Q(Check(own)), Finds.SOME
        )

    def order(self, target: Target, context: Context) -> Any:
        """The key of the first member, as documents have them."""
        path = f"{self.account}__scim_resources__"
        key = ResourceElement(context, path, self.types).key(target)
        own = self.pairs.filter(
            **{
                self.group: OuterRef(f"{self.owner}__pk"),
                f"{path}connection": context.connection,
                f"{path}resource_type": "User",
            }
        )
        return Subquery(own.order_by("pk").values_list(key)[:1])

    # -- reading -------------------------------------------------------------------------------

    def of(
        self, keys: Sequence[int], context: Context, window: Window | None = None
    ) -> dict[int, list[Document]]:
        """Group row id → its members as elements, by one statement."""
        base = context.location("/Users", "")
        person = f"{self.account}__scim_resources"
        rows = self.pairs.filter(
            **{
                f"{self.to_resource}__in": keys,
                f"{person}__connection": context.connection,
                f"{person}__resource_type": "User",
            }
        ).order_by("pk")
        found: dict[int, list[Document]] = defaultdict(list)
        values = rows.values_list(self.to_resource, f"{person}__scim_id", f"{person}__name")
        if window is not None:
            values = values[window.start - 1 : window.start - 1 + window.most]
        for key, scim_id, name in values.iterator(2000):
            element = {"value": scim_id, "$ref": base + scim_id, "display": name, "type": "User"}
            found[key].append(element)
        return found

    # -- writing -------------------------------------------------------------------------------

    def apply(self, row: Resource, delta: ValueDelta, context: Context) -> bool:
        """Change the members of a locked group; True when that changed anything."""
        self._refuse(delta.added, context)
        own = getattr(row, self.owner)
        removed = 0
        if delta.cleared:
            listed = self._named(own, _people(context))
            wanted = _people(context).filter(scim_id__in_set=sorted(delta.added))
            gone = listed.exclude(**{f"{self.account}__in": wanted.values("account")})
            removed = self._remove(own, gone if delta.added else listed)
        elif delta.removed:
            people = _people(context).filter(scim_id__in_set=sorted(delta.removed))
            removed = self._remove(own, self._named(own, people))
        added = self._add(own, delta.added, context) if delta.added else 0
        return bool(added or removed)

    def _named(self, own: Any, people: QuerySet[Resource]) -> QuerySet[Any]:
        return self.pairs.filter(
            **{self.group: own, f"{self.account}__in": people.values("account")}
        )

    def _refuse(self, wanted: Collection[str], context: Context) -> None:
        if not wanted:
            return
        rows = Resource.objects.filter(
            connection=context.connection, scim_id__in_set=sorted(wanted)
        )
        kinds = dict(rows.values_list("scim_id", "resource_type"))
        if groups := sorted(scim_id for scim_id, kind in kinds.items() if kind != "User"):
            raise InvalidValue(
                f"members: {groups[0]!r} is no User, and groups hold people only on this site. "
                "Leave nested groups out."
            )
        if context.connection.unknown_member != UnknownMember.IGNORE:
            refuse_others(wanted, kinds)

    def _remove(self, own: Any, pairs: QuerySet[Any]) -> int:
        if self._is_watched:
            keys = list(pairs.values_list(self.account, flat=True))
            getattr(own, self.field).remove(*keys)
            return len(keys)
        return int(pairs.delete()[0])

    def _add(self, own: Any, wanted: Mapping[str, Any], context: Context) -> int:
        people = _people(context).filter(scim_id__in_set=sorted(wanted))
        there = self.pairs.filter(**{self.group: own, self.account: OuterRef("account")})
        new = people.filter(~Exists(there))
        extras = self._extras()
        if extras is not None and not self._is_watched and not saves_are_watched(self.through):
            return self._insert(own, new, extras)
        keys = list(new.values_list("account", flat=True))
        if self._is_watched:
            getattr(own, self.field).add(*keys)
        else:
            attname = self.through._meta.get_field(self.account).attname
            insert_objects(
                self.through, [self.through(**{self.group: own, attname: k}) for k in keys]
            )
        return len(keys)

    def _insert(self, own: Any, new: QuerySet[Resource], extras: Mapping[str, Any]) -> int:
        """One INSERT … SELECT, whatever the number of members."""
        using = router.db_for_write(self.through)
        connection, meta = connections[using], self.through._meta
        constants = {self.group: own.pk, **extras}
        values = [_constant(meta.get_field(n), v, connection) for n, v in constants.items()]
        names = [f"scim_value_{number}" for number in range(len(values))]
        # No index serves this order: the rows are all found, and sorted, before the first is
        # inserted. PostgreSQL would else look through those for each one that follows.
        rows = new.order_by(F("pk") + 0).annotate(**dict(zip(names, values, strict=True)))
        sql, parameters = rows.values_list(*names, "account").query.get_compiler(using).as_sql()
        quote, operations = connection.ops.quote_name, connection.ops
        columns = [meta.get_field(n).column for n in (*constants, self.account)]
        insert = operations.insert_statement(on_conflict=OnConflict.IGNORE)
        suffix = operations.on_conflict_suffix_sql(None, OnConflict.IGNORE, (), ())
        into = f"{insert} {quote(meta.db_table)} ({', '.join(map(quote, columns))})"
        with connection.cursor() as cursor:
            cursor.execute(f"{into} {sql} {suffix}", parameters)
            return max(int(cursor.rowcount), 0)

    def _extras(self) -> dict[str, Any] | None:
        """What a new pair holds besides, by field; None where each holds something else."""
        extras: dict[str, Any] = {}
        for field in self.through._meta.concrete_fields:
            if field.name in (self.group, self.account):
                continue
            if field.primary_key and isinstance(field, models.AutoField):
                continue
            if field.primary_key or (isinstance(field, models.UUIDField) and field.has_default()):
                return None
            if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                now = timezone.now()
                extras[field.name] = now if isinstance(field, models.DateTimeField) else now.date()
            elif field.has_default() or not field.null:
                extras[field.name] = field.get_default()
        return extras

    @property
    def _is_watched(self) -> bool:
        """Whether somebody wants to see each change of an automatic table."""
        return bool(self.through._meta.auto_created) and m2m_changed.has_listeners(self.through)


def _constant(field: Any, value: Any, connection: Any) -> Any:
    kind = field.target_field if field.is_relation else field
    literal = Value(value, output_field=kind)
    return Cast(literal, kind) if connection.vendor == "postgresql" else literal


class _OwnGroupElement(GroupElement):
    """A group whose name is in the site's column."""

    def __init__(self, context: Context, name: str, path: str = "") -> None:
        super().__init__(context, "direct", path)
        self._name = name

    def _display(self) -> Any:
        return NormalisedKey(F(self._name))


class OwnGroups(_Table):
    """``groups`` of a User, read from the site's table: ``OwnGroups("team__members")``.

    ``name`` is the column of the site's row that is its name.
    """

    def __init__(self, field: str, *, name: str = "name") -> None:
        super().__init__(field)
        self.name = name

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        element = ElementEvaluator(_OwnGroupElement(context, f"{self.owner}__{self.name}"))
        groups = Resource.objects.filter(
            evaluate(tree, element),
            connection=context.connection,
            resource_type="Group",
            **{f"{self.owner}__isnull": False},
        ).order_by()
        pairs = self.pairs.filter(**{f"{self.group}__in": groups.values(f"{self.owner}__pk")})
        own = pairs.filter(**{self.account: OuterRef("account")})
        return Start(Q(account__in=pairs.values(self.account)), Q(Check(own)), Finds.SOME)

    def order(self, target: Target, context: Context) -> Any:
        """The key of the first group, as documents have them."""
        path = f"{self.to_resource}__"
        element = _OwnGroupElement(context, f"{self.group}__{self.name}", path)
        own = self.pairs.filter(
            **{self.account: OuterRef("account"), f"{path}connection": context.connection}
        )
        return Subquery(own.order_by(self.to_resource).values_list(element.key(target))[:1])

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        base = context.location("/Groups", "")
        person = f"{self.account}__scim_resources"
        rows = self.pairs.filter(
            **{
                f"{person}__in": [row.pk for row, _ in pairs],
                f"{self.to_resource}__connection": context.connection,
            }
        ).order_by(self.to_resource)
        found: dict[Any, list[Document]] = defaultdict(list)
        name = f"{self.group}__{self.name}"
        for pk, scim_id, text in rows.values_list(person, f"{self.to_resource}__scim_id", name):
            found[pk].append(group_element(base, scim_id, text, "direct"))
        for row, document in pairs:
            set_value(document, target, found.get(row.pk))

    def leave(self, row: Resource, moment: datetime) -> None:
        """A person goes: out of the groups of the connection, whose versions say so."""
        mine = {self.account: row.account_id, f"{self.to_resource}__connection": row.connection_id}
        pairs = self.pairs.filter(**mine)
        keys = sorted(pairs.values_list(self.to_resource, flat=True))
        if not keys:
            return
        rows = Resource.objects.filter(pk__in=keys).order_by("pk")
        list(rows.select_for_update(**locking(rows.db)).values_list("pk"))
        Resource.objects.filter(pk__in=keys).update(version=F("version") + 1, last_modified=moment)
        gone = list(pairs.values_list("pk", flat=True))
        self.through._default_manager.filter(pk__in=gone).delete()
