"""Where an attribute lives. A home answers everything about its attribute.

``compare`` never gets ``ne``: the evaluator asks :meth:`Home.differs` (RFC 7644 §3.4.2.2).
``key`` is the attribute's comparison key (docs/design.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery

from scim_provider.models import AttributeValue
from scim_provider.protocol.errors import InvalidFilter, InvalidValue
from scim_provider.protocol.filter import And, Comparison, Filter, Operator, evaluate
from scim_provider.protocol.schema import Target

from .context import Context
from .elements import ElementEvaluator
from .functions import NOTHING, compare_index_key
from .paths import set_value
from .starts import AtHand, Finds, check_of, named_by
from .validating import given, refuse_invalid


class Home:
    """The base: an attribute that holds no value and is not written."""

    #: Relations of the row that reading or comparing needs.
    joins: tuple[str, ...] = ()
    #: Whether the values are read for a page at once and saved after the rows (:mod:`.beside`).
    beside = False
    #: The columns that :meth:`write` sets, as paths from the row.
    paths: tuple[str, ...] = ()
    #: Where several connections may have an account: whether the values are the account's, which
    #: one connection owns, or the connection's own. None: that tells the kind of home.
    of_profile: bool | None = None

    @property
    def account_fields(self) -> frozenset[str]:
        """The account's columns that :meth:`write` sets."""
        return frozenset()

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Expressions that are read along with a row, by the name that the row calls them."""
        return {}

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        """The rows with a value for which ``value operator key`` holds."""
        raise InvalidFilter(f"{target} cannot be compared here.")

    def differs(self, target: Target, key: str, context: Context) -> Q:
        """``ne``: no value, or a value that differs."""
        return ~self.compare(target, "eq", key, context)

    def present(self, target: Target, context: Context) -> Q:
        """The rows with a value."""
        raise InvalidFilter(f"{target} cannot be tested for presence here.")

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        """The rows with one value that satisfies the whole of ``tree`` (a value path)."""
        raise InvalidFilter(f"{target} takes no value filter here.")

    def order(self, target: Target, context: Context) -> Any:
        """An expression that sorts as the attribute does, NULL where there is no value."""
        return None

    def shared_key(self, target: Target) -> str | None:
        """What all rows of the type sort by, where that is the same."""
        return None

    def read(self, row: Any, target: Target) -> Any:
        """The value, None when unassigned."""
        return None

    def converter(self, target: Target) -> Callable[[Any], Any] | None:
        """What makes a value of the attribute of a column's; None where they are the same."""
        return None

    def rewrites(self, target: Target) -> bool:
        """Whether what is written may be read in another spelling."""
        return False

    def rewritten(self, target: Target, value: Any) -> Any:
        """``value`` as it will be read. Raises :class:`InvalidValue` as :meth:`write` does."""
        return value

    def write(self, row: Any, target: Target, value: Any) -> None:
        """Set the value on the row; None unassigns. Nothing is saved yet."""

    def set_fields(self, row: Any) -> frozenset[str]:
        """The account's columns that :meth:`write` did set on this row."""
        return self.account_fields

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        """Leave in the document to be stored what belongs there: nothing of a column's value."""
        set_value(stored, target, None)

    def adopted(self, row: Any, target: Target) -> Any:
        """What the account of a new row, which was there before SCIM, says of an attribute whose
        value is stored; None where the account's column itself is read.
        """
        return None

    def on_account(self, row: Any, target: Target) -> Any:
        """What the account says, whoever owns its profile."""
        return self.read(row, target)


class Absent(Home):
    """An attribute of the schema that no row here has."""

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return NOTHING

    def present(self, target: Target, context: Context) -> Q:
        return NOTHING

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        return NOTHING


class Store(Home):
    """The home of every attribute that has no other: the resource's document and its index."""

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        """All of it."""

    def _rows(self, path: str, context: Context) -> QuerySet[AttributeValue]:
        return AttributeValue.objects.filter(connection=context.connection, path=path)

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        finds = _finds(target, operator)
        condition = compare_index_key(operator, key, is_telling=finds == Finds.ONE)
        rows = self._rows(str(target), context).filter(condition)
        return named_by(rows, "resource", finds)

    def differs(self, target: Target, key: str, context: Context) -> Q:
        rows = self._rows(str(target), context)
        if not target.attribute.multi_valued:
            return super().differs(target, key, context)
        other = named_by(rows.exclude(compare_index_key("eq", key)), "resource", Finds.MANY)
        return ~self.present(target, context) | check_of(other)

    def present(self, target: Target, context: Context) -> Q:
        return named_by(self._rows(str(target), context), "resource", Finds.MANY)

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        anchor, rest = _anchored(tree)
        finds = _finds(anchor.path, anchor.operator) if anchor else Finds.MANY
        if anchor is None:
            elements = self._rows(target.name, context)
        else:
            operator, key = anchor.operator, str(anchor.value)
            condition = compare_index_key(operator, key, is_telling=finds == Finds.ONE)
            elements = self._rows(str(anchor.path), context).filter(condition)
        if rest is not None:
            elements = elements.filter(evaluate(rest, ElementEvaluator(_IndexElement())))
        return named_by(elements, "resource", finds)

    def order(self, target: Target, context: Context) -> Any:
        # Not filtered by connection: the resource's own index serves the sub-query.
        rows = AttributeValue.objects.filter(resource=OuterRef("pk"), path=str(target))
        order = ["element"]
        if target.attribute.sub("primary") and target.attribute.multi_valued:
            primary = AttributeValue.objects.filter(
                resource=OuterRef("resource"),
                element=OuterRef("element"),
                path=f"{target.name}.primary",
                key="true",
            )
            rows, order = rows.annotate(is_primary=Exists(primary)), ["-is_primary", "element"]
        return Subquery(rows.order_by(*order).values("key")[:1])


def _finds(target: Target, operator: Operator) -> Finds:
    """What may be expected of a comparison: many things share a type, few a value."""
    leaf = target.leaf
    if operator not in ("eq", "sw") or leaf.type == "boolean" or leaf.canonical_values:
        return Finds.MANY
    is_telling = leaf.name in _TELLING and target.attribute.name not in _SHARED
    return Finds.ONE if operator == "eq" and is_telling else Finds.SOME


#: Names of attributes that hardly two resources share a value of, and of those that many share.
_TELLING = frozenset({"value", "displayName", "employeeNumber"})
_SHARED = frozenset({"roles", "entitlements", "manager"})


def _anchored(
    tree: Filter[Target],
) -> tuple[Comparison[Target] | None, Filter[Target] | None]:
    """The comparison of a value filter whose index rows are the few to start from, and the rest.

    ``value`` tells more than ``type``, be it equal or only alike, which an optional index finds;
    without any, every element of the attribute is looked at.
    """
    terms = tree.terms if isinstance(tree, And) else (tree,)
    positive = [t for t in terms if isinstance(t, Comparison) and t.operator != "ne"]
    if not positive:
        return None, tree
    anchor = max(positive, key=_telling)
    others = tuple(term for term in terms if term is not anchor)
    return anchor, And(others) if others else None


def _telling(term: Comparison[Target]) -> tuple[bool, bool]:
    return term.path.leaf.name == "value", term.operator == "eq"


class _IndexElement:
    """Conditions on one element of a stored attribute; the row at hand is one of its own."""

    def _siblings(self, target: Target) -> QuerySet[AttributeValue]:
        return AttributeValue.objects.filter(
            resource=OuterRef("resource"), element=OuterRef("element"), path=str(target)
        )

    def compare(self, target: Target, operator: Operator, key: str) -> Q:
        if target.sub_attribute is None:
            return compare_index_key(operator, key)
        return Q(AtHand(self._siblings(target).filter(compare_index_key(operator, key))))

    def present(self, target: Target) -> Q:
        if target.sub_attribute is None:
            return Q(key__isnull=False)
        return Q(AtHand(self._siblings(target)))


class AccountCopy(Store):
    """A stored attribute whose value is copied onto a column of the account on every write.

    For ``emails`` that is the value of the primary element, else of the first.
    """

    def __init__(self, field: str) -> None:
        self.field = field.removeprefix("account__")

    @property
    def account_fields(self) -> frozenset[str]:
        return frozenset({self.field})

    def pick(self, value: Any) -> Any:
        """The text for the account's column."""
        if isinstance(value, list):
            chosen = next((e for e in value if e.get("primary")), value[0] if value else {})
            return chosen.get("value", "")
        return value or ""

    def write(self, row: Any, target: Target, value: Any) -> None:
        text = self.pick(value)
        field = row.account._meta.get_field(self.field)
        if field.max_length and len(text) > field.max_length:
            raise InvalidValue(
                f"{target} is {len(text)} characters long; at most {field.max_length} fit."
            )
        if validators := given(field):
            refuse_invalid(field, target, text, validators)
        setattr(row.account, self.field, text)

    def adopted(self, row: Any, target: Target) -> Any:
        text = getattr(row.account, self.field)
        if not text or not target.attribute.multi_valued:
            return text or None
        kind = {"type": "work"} if target.attribute.sub("type") else {}
        return [{"value": text, **kind, "primary": True}]


class Choice(Store):
    """A name that is looked up among rows of the site; the sent value is kept and answered.

    ``otherwise`` names the row for values that are not found, and is made when missing; without
    it the column is left empty. The account sees the row that was found.
    """

    def __init__(self, field: str, *, by: str = "name", otherwise: str | None = None) -> None:
        self.field, self.by, self.otherwise = field.removeprefix("account__"), by, otherwise

    @property
    def account_fields(self) -> frozenset[str]:
        return frozenset({self.field})

    def candidates(self, row: Any) -> QuerySet[Model]:
        """The rows to choose from; narrow it to the row's organization by overriding."""
        related: type[Model] = row.account._meta.get_field(self.field).related_model
        return related._default_manager.all()

    def make(self, row: Any, name: str) -> Model:
        """The row for ``otherwise`` on its first use."""
        named: dict[str, Any] = {self.by: name}
        made, _ = self.candidates(row).get_or_create(**named)
        return made

    def write(self, row: Any, target: Target, value: Any) -> None:
        setattr(row.account, self.field, self._remembered(row, value) if value else None)

    def adopted(self, row: Any, target: Target) -> Any:
        chosen = getattr(row.account, self.field)
        return chosen and (getattr(chosen, self.by) or None)

    def _remembered(self, row: Any, name: str) -> Model | None:
        """:meth:`find`, once for all rows of a batch that choose the same name among the same."""
        found = vars(row).get("choices")
        if found is None:
            return self.find(row, name)
        try:
            among = str(self.candidates(row).query)
        except EmptyResultSet:
            return self.find(row, name)
        key = (self, among, name)
        if key not in found:
            found[key] = self.find(row, name)
        chosen: Model | None = found[key]
        return chosen

    def find(self, row: Any, name: str) -> Model | None:
        """The row called ``name`` in any case, else the one for ``otherwise``."""
        found = self.candidates(row).filter(**{f"{self.by}__iexact": name.strip()}).first()
        if found is None and self.otherwise is not None:
            return self.make(row, self.otherwise)
        return found
