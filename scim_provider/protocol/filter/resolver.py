"""Tree → resolved tree: names found, operators checked, literals turned into comparison keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args

from scim_provider.protocol.errors import InvalidFilter
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.schema import Attribute, AttributeType, ResourceSchema, Target
from scim_provider.protocol.values import comparison_key, datetime_key, quoted

from .tree import (
    And,
    Comparison,
    Constant,
    Filter,
    JsonLiteral,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
)

_ANY: tuple[Operator, ...] = get_args(Operator)
_ORDERED: tuple[Operator, ...] = ("eq", "ne", "gt", "ge", "lt", "le")

# RFC 7644 §3.4.2.2, Table 3; what it leaves undefined is refused, or follows the text.
_OPERATORS: dict[AttributeType, tuple[Operator, ...]] = {
    "string": _ANY,
    "reference": _ANY,
    "binary": ("eq", "ne", "co", "sw", "ew"),
    "boolean": ("eq", "ne"),
    "integer": _ORDERED,
    "decimal": _ORDERED,
    "dateTime": _ORDERED,
}


def resolve_filter(
    tree: Filter[AttributePath], schema: ResourceSchema, *, lenient_names: bool = False
) -> Filter[Target]:
    """The filter over resources of one type, every name found and every literal a key.

    ``lenient_names`` is for the root endpoint: a name that the type does not have is "no value"
    (RFC 7644 §3.4.2.1). Raises InvalidFilter for a name, an operator or a literal that does not
    fit; password and its like cannot be filtered on (RFC 7643 §4.1.1).
    """

    def find(path: AttributePath) -> Target | None:
        return path.resolve(schema)

    return _Resolver(schema.core.name, find, lenient_names).resolve(tree)


def resolve_value_filter(
    tree: Filter[AttributePath], target: Target, *, lenient_names: bool = False
) -> Filter[Target]:
    """A filter over the values of one multi-valued attribute: what stands in its brackets.

    The targets are the attribute's sub-attributes; ``value`` of a simple attribute is the
    attribute itself. Raises InvalidFilter as :func:`resolve_filter` does.
    """

    def find(path: AttributePath) -> Target | None:
        if path.uri or path.sub:
            return None
        if not target.attribute.is_complex:
            return target if path.name.lower() == "value" else None
        sub_attribute = target.attribute.sub(path.name)
        return target.of(sub_attribute) if sub_attribute else None

    return _Resolver(target.name, find, lenient_names, in_value=True).resolve(tree)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Resolves over one scope: a resource, or one value of an attribute."""

    scope: str
    find: Callable[[AttributePath], Target | None]
    lenient_names: bool
    in_value: bool = False

    def resolve(self, tree: Filter[AttributePath]) -> Filter[Target]:
        match tree:
            case And(terms):
                return And(tuple(self.resolve(term) for term in terms))
            case Or(terms):
                return Or(tuple(self.resolve(term) for term in terms))
            case Not(term):
                return Not(self.resolve(term))
            case Comparison(path, operator, value):
                return self.comparison(path, operator, value)
            case Present(path):
                target = self.target(path)
                return Present(target) if target else Constant(False)
            case ValuePath(path, inner):
                return self.value_path(path, inner)
            case Constant():
                return tree

    def target(self, path: AttributePath) -> Target | None:
        """What ``path`` names; None where a lenient resolver finds nothing."""
        target = self.find(path)
        if target is None:
            if self.lenient_names:
                return None
            raise InvalidFilter(
                f"{quoted(str(path))} is not an attribute of {self.scope}. "
                "Check its spelling; an attribute of an extension needs its URN in front."
            )
        if target.attribute.returned == "never" or target.leaf.returned == "never":
            raise InvalidFilter(f"'{target}' cannot be used in a filter. Leave it out.")
        return target

    def comparison(
        self, path: AttributePath, operator: Operator, value: JsonLiteral
    ) -> Filter[Target]:
        target = self.target(path)
        if target is None:
            return Constant((operator == "ne") != (value is None))
        if value is None:
            return _null_comparison(target, operator)
        target = _comparable(target)
        if operator not in _OPERATORS[target.leaf.type]:
            raise InvalidFilter(
                f"'{target}' is {_article(target.leaf.type)} and cannot be compared with "
                f"'{operator}'. It takes {', '.join(_OPERATORS[target.leaf.type])} and pr."
            )
        comparison = Comparison(target, operator, self.key(target, value))
        return self.primary(comparison) if _is_primary(target) else comparison

    def key(self, target: Target, value: str | bool | int | float) -> str:
        attribute = target.leaf
        if self.in_value and attribute.type == "boolean" and isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower(), value)
        if not _fits(attribute, value):
            raise InvalidFilter(
                f"'{target}' is {_article(attribute.type)}: compare it with "
                f"{_LITERALS[attribute.type]}."
            )
        if attribute.type == "dateTime":
            return _datetime_key(target, str(value))
        return comparison_key(attribute, value)

    def primary(self, comparison: Comparison[Target]) -> Filter[Target]:
        """A ``primary`` that is absent counts as false (RFC 7643 §2.4)."""
        is_primary = replace(comparison, operator="eq", value="true")
        wanted = (comparison.operator == "eq") == (comparison.value == "true")
        if self.in_value:
            return is_primary if wanted else Not(is_primary)
        values = comparison.path.parent
        matched = ValuePath(values, is_primary if wanted else Not(is_primary))
        return matched if comparison.operator == "eq" else Or((Not(Present(values)), matched))

    def value_path(self, path: AttributePath, inner: Filter[AttributePath]) -> Filter[Target]:
        target = self.target(path)
        if target is None:
            return Constant(False)
        if target.sub_attribute or not target.attribute.is_complex:
            raise InvalidFilter(f"'{target}' has no sub-attributes: compare it without brackets.")
        resolved = resolve_value_filter(inner, target, lenient_names=self.lenient_names)
        if target.attribute.multi_valued:
            return ValuePath(target, resolved)
        return And((Present(target), resolved))


def _is_primary(target: Target) -> bool:
    leaf = target.leaf
    return target.attribute.multi_valued and leaf.name == "primary" and leaf.type == "boolean"


def _null_comparison(target: Target, operator: Operator) -> Filter[Target]:
    """null is "no value" (RFC 7643 §2.5): equal to it is what is not present."""
    if operator == "eq":
        return Not(Present(target))
    if operator == "ne":
        return Present(target)
    raise InvalidFilter(f"'{target}' cannot be compared with null by '{operator}'. Use eq or ne.")


def _comparable(target: Target) -> Target:
    """The attribute with a value to compare: ``emails`` means ``emails.value``.

    RFC 7644 §3.4.2.2 says so of multi-valued attributes; Entra also sends ``manager eq "…"``.
    """
    if not target.leaf.is_complex:
        return target
    value = target.attribute.value_attribute
    if value is None:
        names = ", ".join(sub.name for sub in target.attribute.sub_attributes)
        raise InvalidFilter(f"'{target}' is complex. Name one of its sub-attributes: {names}.")
    return target.of(value)


_LITERALS: dict[AttributeType, str] = {
    "string": "text in double quotes",
    "reference": "a URI in double quotes",
    "binary": "base64 text in double quotes",
    "boolean": "true or false, without quotes",
    "integer": "a number, without quotes",
    "decimal": "a number, without quotes",
    "dateTime": 'a date and time such as "2024-02-29T12:00:00Z"',
}


def _fits(attribute: Attribute, value: str | bool | int | float) -> bool:
    if attribute.type == "boolean":
        return isinstance(value, bool)
    if attribute.type in ("integer", "decimal"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _datetime_key(target: Target, text: str) -> str:
    try:
        return datetime_key(text)
    except ValueError as error:
        raise InvalidFilter(
            f"'{target}' is a dateTime: {quoted(text)} is not {_LITERALS['dateTime']}."
        ) from error


def _article(type_: AttributeType) -> str:
    return f"an {type_}" if type_[0] in "aeiou" else f"a {type_}"
