"""Attributes that are rows of the membership table: a Group's ``members``, a User's ``groups``."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, NullIf

from scim_provider.models import Membership, Resource
from scim_provider.protocol.filter import Comparison, Filter, Operator, Present, evaluate
from scim_provider.protocol.schema import Target

from .columns import Constant
from .context import Context
from .elements import ElementEvaluator
from .functions import EVERYTHING, NOTHING, BinaryText, NormalisedKey, compare_text
from .homes import Home
from .sets import each_joined
from .starts import Finds, Selected, check_of, named_by, united


class _Relation(Home):
    """A multi-valued attribute of rows: every condition is "there is an element that …"."""

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return self.matching(target, Comparison(target, operator, key), context)

    def differs(self, target: Target, key: str, context: Context) -> Q:
        other = self.matching(target, Comparison(target, "ne", key), context)
        return ~self.present(target, context) | check_of(other)

    def present(self, target: Target, context: Context) -> Q:
        return self.matching(target, Present(target), context)

    def order(self, target: Target, context: Context) -> Any:
        """The key of the first element, as documents have them."""
        return Subquery(self._elements(target, context)[:1])

    def _elements(self, target: Target, context: Context) -> QuerySet[Any, Any]:
        """The keys of the elements of a row, in order."""
        raise NotImplementedError


class ResourceElement:
    """An element that refers to a resource: conditions on it, from the row that refers."""

    def __init__(self, context: Context, path: str, types: dict[str, str]) -> None:
        self.context, self.path, self.types = context, path, types

    def _reference(self) -> Any:
        endpoints = [
            When(**{f"{self.path}resource_type": name}, then=Value(f"{endpoint}/"))
            for name, endpoint in self.types.items()
        ]
        base = Value(self.context.base_url)
        return BinaryText(
            Concat(
                base,
                Case(*endpoints, default=Value("/")),
                F(f"{self.path}scim_id"),
                output_field=CharField(),
            )
        )

    def key(self, target: Target) -> Any:
        """What is compared of a sub-attribute."""
        name = target.sub_attribute.name if target.sub_attribute else "value"
        if name == "$ref":
            return self._reference()
        if name == "type":
            return self._type()
        return self._display() if name == "display" else F(f"{self.path}scim_id")

    def _type(self) -> Any:
        return F(f"{self.path}resource_type")

    def _display(self) -> Any:
        return F(f"{self.path}name_key")

    def compare(self, target: Target, operator: Operator, key: str) -> Q:
        if target.leaf.name == "type":
            return self._compare_type(target, operator, key)
        if target.leaf.name == "value" and operator == "eq":
            return Q(**{f"{self.path}scim_id": key})
        return compare_text(self.key(target), operator, key)

    def _compare_type(self, target: Target, operator: Operator, key: str) -> Q:
        names = [name for name in self.types if Constant(name).holds(target, operator, key)]
        return Q(**{f"{self.path}resource_type__in": names})

    def present(self, target: Target) -> Q:
        return EVERYTHING


class _MemberElement(ResourceElement):
    """A member of a group; the row at hand is the membership."""

    def _display(self) -> Any:
        sent = NullIf(NormalisedKey(F("display")), Value(""))
        return Coalesce(sent, super()._display(), output_field=CharField())


class Members(_Relation):
    """``members`` of a Group: Users and Groups (RFC 7643 §4.2)."""

    #: Resource type name → endpoint of what may be a member.
    types = {"User": "/Users", "Group": "/Groups"}

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        element = ElementEvaluator(_MemberElement(context, "member__", self.types))
        rows = Membership.objects.filter(
            evaluate(tree, element),
            connection=context.connection,
            member__connection=context.connection,  # leads the index on the member's id
        )
        return named_by(rows, "group", Finds.SOME)

    def _elements(self, target: Target, context: Context) -> QuerySet[Any, Any]:
        key = _MemberElement(context, "member__", self.types).key(target)
        return Membership.objects.filter(group=OuterRef("pk")).order_by("pk").values_list(key)


class GroupElement(ResourceElement):
    """A group that a user is in, directly or through other groups."""

    def __init__(self, context: Context, kind: str, path: str = "") -> None:
        super().__init__(context, path, {"Group": "/Groups"})
        self.kind = kind

    def _type(self) -> Any:
        return Value(self.kind)

    def _compare_type(self, target: Target, operator: Operator, key: str) -> Q:
        return EVERYTHING if Constant(self.kind).holds(target, operator, key) else NOTHING


class Groups(_Relation):
    """``groups`` of a User: read only, computed from the members of Groups (RFC 7643 §4.1.2)."""

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        direct, indirect = (
            evaluate(tree, ElementEvaluator(GroupElement(context, kind)))
            for kind in ("direct", "indirect")
        )
        # Where the type is asked for, who is in a group directly is not in it indirectly.
        through = _through if direct == indirect else _only_through
        members = [
            Selected(self._groups(direct, context), _direct),
            Selected(self._groups(indirect, context), through),
        ]
        return united(members, Finds.SOME)

    def _groups(self, condition: Q, context: Context) -> QuerySet[Resource]:
        rows = Resource.objects.filter(connection=context.connection, resource_type="Group")
        return rows.filter(condition).order_by()

    def _elements(self, target: Target, context: Context) -> QuerySet[Any, Any]:
        # Whoever is in a group is in one directly, and direct ones come first.
        key = GroupElement(context, "direct", "group__").key(target)
        return (
            Membership.objects.filter(member=OuterRef("pk")).order_by("group_id").values_list(key)
        )


def _direct(groups: str, vendor: str) -> str:
    return f"SELECT member_id FROM {Membership._meta.db_table} WHERE group_id IN ({groups})"


def _through(groups: str, vendor: str) -> str:
    """The members through at least one group between."""
    table = Membership._meta.db_table
    inner = each_joined(table, "inner_m", "group_id", "outer_m.member_id", vendor)
    below = each_joined(table, "m", "group_id", "scim_below.id", vendor)
    return f"""
SELECT id FROM (
    WITH RECURSIVE scim_below(id) AS (
        SELECT inner_m.member_id FROM {table} outer_m {inner} WHERE outer_m.group_id IN ({groups})
        UNION
        SELECT m.member_id FROM scim_below {below}
    ) SELECT id FROM scim_below
) scim_through"""


def _only_through(groups: str, vendor: str) -> str:
    """Of these, each who is no member of the group itself."""
    table = Membership._meta.db_table
    inner = each_joined(table, "inner_m", "group_id", "outer_m.member_id", vendor)
    below = each_joined(table, "m", "group_id", "scim_below.id", vendor)
    return f"""
SELECT id FROM (
    WITH RECURSIVE scim_below(top, id) AS (
        SELECT outer_m.group_id, inner_m.member_id
        FROM {table} outer_m {inner} WHERE outer_m.group_id IN ({groups})
        UNION
        SELECT scim_below.top, m.member_id FROM scim_below {below}
    ) SELECT id FROM scim_below WHERE NOT EXISTS (
        SELECT 1 FROM {table} own WHERE own.group_id = scim_below.top
        AND own.member_id = scim_below.id
    )
) scim_through"""
