"""Multi-valued attributes in rows of a site's own table that refer to the account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, OuterRef, Q, Subquery

from scim_provider.models import Resource
from scim_provider.protocol.filter import Filter, Operator, evaluate
from scim_provider.protocol.schema import Attribute, Target

from .beside import Pair, Several
from .context import Context
from .document import Document
from .elements import ElementEvaluator
from .fitting import kind_of
from .functions import NOTHING
from .kinds import Kind
from .paths import set_value
from .rows import insert_objects, update_objects
from .starts import Check, Finds, Start, any_of

Element = Any
Held = dict[str, Any]


class Rows(Several):
    """Related rows, each an element: ``Rows("account__phones", value="number", type="kind")``.

    The path leads to the rows from the resource; the keywords say which column holds which
    sub-attribute. One that has no column is not kept. Rows of an element that stays stay, with
    what else the site has in them.
    """

    def __init__(self, relation: str, **columns: str) -> None:
        self.owner, _, self.relation = relation.rpartition("__")
        self.columns = columns
        self.joins = (self.owner,)

    # -- the table -----------------------------------------------------------------------------

    @property
    def _relation_field(self) -> Any:
        owner = Resource._meta.get_field(self.owner).related_model
        return owner._meta.get_field(self.relation)  # type: ignore[union-attr]

    @property
    def exists(self) -> bool:
        """Whether the relation is one of rows that refer to the owner."""
        try:
            return bool(self._relation_field.one_to_many)
        except FieldDoesNotExist:
            return False

    @property
    def model(self) -> Any:
        """The model of the related rows."""
        return self._relation_field.related_model

    @property
    def reference(self) -> str:
        """The foreign key by which a related row refers to its owner."""
        return str(self._relation_field.field.name)

    @property
    def _to_resource(self) -> str:
        """From a related row to the resource."""
        field: Any = Resource._meta.get_field(self.owner)
        back = field.field.name if field.auto_created else field.related_query_name()
        return f"{self.reference}__{back}"

    def subs(self, target: Target) -> dict[str, Attribute]:
        """The sub-attributes that have a column, by name; the values themselves as ``value``."""
        attribute = target.attribute
        if not attribute.is_complex:
            return {"value": attribute}
        found = {name: attribute.sub(name) for name in self.columns}
        return {name: sub for name, sub in found.items() if sub}

    def kind(self, name: str, leaf: Attribute) -> Kind:
        """How the column of a sub-attribute holds it."""
        field = self.model._meta.get_field(self.columns[name])
        return kind_of(field, leaf) or Kind(field, leaf)

    # -- comparing -----------------------------------------------------------------------------

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        rows = self.model._default_manager.filter(
            evaluate(tree, ElementEvaluator(_RelatedElement(self)))
        ).order_by()
        own = rows.filter(**{self.reference: OuterRef(f"{self.owner}__pk")})
        find = Q(**{f"{self.owner}__in": rows.values(self.reference)})
        return Start(find, Q(Check(own)), Finds.SOME)

    def order(self, target: Target, context: Context) -> Any:
        name = target.leaf.name if target.sub_attribute else "value"
        if name not in self.columns:
            return None
        key = self.kind(name, target.leaf).order(self.columns[name])
        first = [F(self.columns["primary"]).desc()] if "primary" in self.columns else []
        rows = self.model._default_manager.filter(**{self.reference: OuterRef(f"{self.owner}__pk")})
        return Subquery(rows.order_by(*first, "pk").annotate(scim_key=key).values("scim_key")[:1])

    # -- reading -------------------------------------------------------------------------------

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        subs = self.subs(target)
        columns = [self.columns[name] for name in subs]
        keys = [row.pk for row, _ in pairs]
        rows = self.model._default_manager.filter(**{f"{self._to_resource}__in": keys})
        found: dict[Any, list[Element]] = defaultdict(list)
        for pk, *values in rows.order_by("pk").values_list(self._to_resource, *columns):
            element = self._element(target, dict(zip(subs, values, strict=True)))
            if element:
                found[pk].append(element)
        for row, document in pairs:
            set_value(document, target, found.get(row.pk))

    def on_account(self, row: Any, target: Target) -> Any:
        owner = getattr(row, self.owner)
        rows = sorted(getattr(owner, self.accessor).all(), key=lambda one: one.pk)
        columns = {name: self.columns[name] for name in self.subs(target)}
        held = ({name: getattr(one, at) for name, at in columns.items()} for one in rows)
        return [found for each in held if (found := self._element(target, each))] or None

    @property
    def accessor(self) -> str:
        """What the owner calls its rows."""
        return str(self._relation_field.get_accessor_name())

    def _element(self, target: Target, held: Held) -> Element:
        """The element that a row is, of its columns by sub-attribute."""
        element: Document = {}
        for name, leaf in self.subs(target).items():
            value = held[name]
            if value is not None and value != "":
                convert = self.kind(name, leaf).reader
                element[leaf.name] = value if convert is None else convert(value)
        return element if target.attribute.is_complex else element.get(target.leaf.name)

    # -- writing -------------------------------------------------------------------------------

    def _held(self, target: Target, element: Element) -> Held:
        """The columns of the row that an element becomes. Raises :class:`InvalidValue`."""
        held: Held = {}
        for name, leaf in self.subs(target).items():
            of = target.of(leaf) if target.attribute.is_complex else target
            kind = self.kind(name, leaf)
            value = element.get(leaf.name) if isinstance(element, dict) else element
            held[name] = kind.unassigned(of) if value is None else kind.value(of, value)
        return held

    def rewrites(self, target: Target) -> bool:
        return True

    def rewritten(self, target: Target, value: Any) -> Any:
        return [self._element(target, self._held(target, element)) for element in value] or None

    def write(self, row: Any, target: Target, value: Any) -> None:
        for element in value or ():
            self._held(target, element)  # refused now, not when half of it is written

    def save(self, changes: Sequence[tuple[Any, Any]], target: Target) -> None:
        """One SELECT, and at most one DELETE, one UPDATE and one INSERT, for all the rows."""
        owners = [getattr(row, self.owner) for row, _ in changes]
        have: dict[Any, list[Any]] = defaultdict(list)
        rows = self.model._default_manager.filter(**{f"{self.reference}__in": owners})
        for one in rows.order_by("pk"):
            have[getattr(one, self._attname)].append(one)
        plan = _Plan(self)
        for owner, (_, value) in zip(owners, changes, strict=True):
            wanted = [self._held(target, element) for element in value or ()]
            plan.take(owner, have[owner.pk], wanted)
        plan.carry_out()

    @property
    def _attname(self) -> str:
        return str(self.model._meta.get_field(self.reference).attname)

    def holds(self, one: Any, held: Held) -> bool:
        """Whether a row is what an element becomes."""
        return all(getattr(one, self.columns[name]) == value for name, value in held.items())

    def fit(self, one: Any, held: Held) -> Any:
        for name, value in held.items():
            setattr(one, self.columns[name], value)
        return one


class _Plan:
    """What becomes of the rows of some owners: those that are wanted stay as they are."""

    def __init__(self, home: Rows) -> None:
        self.home = home
        self.unwanted: list[Any] = []
        self.changed: list[Any] = []
        self.new: list[Any] = []

    def take(self, owner: Any, have: list[Any], wanted: list[Held]) -> None:
        left, missing = list(have), []
        for held in wanted:
            same = next((one for one in left if self.home.holds(one, held)), None)
            if same is None:
                missing.append(held)
            else:
                left.remove(same)
        for held in missing:
            near = next((one for one in left if self._same_value(one, held)), None)
            if near is None:
                fresh = self.home.model(**{self.home.reference: owner})
                self.new.append(self.home.fit(fresh, held))
            else:
                left.remove(near)
                self.changed.append(self.home.fit(near, held))
        self.unwanted += left

    def _same_value(self, one: Any, held: Held) -> bool:
        return "value" in held and self.home.holds(one, {"value": held["value"]})

    def carry_out(self) -> None:
        model = self.home.model
        if self.unwanted:
            model._default_manager.filter(pk__in=[one.pk for one in self.unwanted]).delete()
        if self.changed:
            update_objects(model, self.changed, sorted(set(self.home.columns.values())))
        if self.new:
            insert_objects(model, self.new)


class _RelatedElement:
    """Conditions on one related row, which is an element."""

    def __init__(self, home: Rows) -> None:
        self.home = home

    def _place(self, target: Target) -> tuple[str, Kind] | None:
        name = target.leaf.name if target.sub_attribute else "value"
        if name not in self.home.columns:
            return None
        return self.home.columns[name], self.home.kind(name, target.leaf)

    def compare(self, target: Target, operator: Operator, key: str) -> Q:
        if (place := self._place(target)) is None:
            return NOTHING
        column, kind = place
        return kind.compare(column, target, operator, key)

    def present(self, target: Target) -> Q:
        if target.sub_attribute is None and target.attribute.is_complex:
            parent = target.parent
            return any_of([self.present(parent.of(s)) for s in self.home.subs(target).values()])
        if (place := self._place(target)) is None:
            return NOTHING
        column, kind = place
        return kind.present(column)
