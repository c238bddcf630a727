"""Attribute values as clients send them, read into their canonical form (RFC 7643 §2)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from .errors import InvalidSyntax, InvalidValue
from .schema import Attribute, Target
from .values import coerce, comparison_key, is_storable, quoted

#: An element of a multi-valued attribute: an object, or a simple value.
Element = Any

_SHOWN = 120
_SAYS_NOTHING = {"type", "primary"}


def is_unassigned(value: object) -> bool:
    """Whether ``value`` says that there is none: null, "", [] or {} (RFC 7643 §2.5)."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def shown(text: str) -> str:
    """A client's text, fit for an error or a log: short, and with nothing that cannot be stored."""
    text = text[:_SHOWN]
    if is_storable(text):
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


#: The most values of one attribute; members, which are kept as rows, are not limited.
MAX_VALUES = 1000


class Reader:
    """Reads values against their attributes; ``ignored`` collects the names it did not know.

    ``strict`` refuses unknown names (InvalidSyntax) and lenient spellings of values.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.ignored: list[str] = []

    def unknown(self, name: str) -> None:
        """Take note of an attribute that the schema does not have."""
        if self.strict:
            raise InvalidSyntax(
                f"{quoted(name, _SHOWN)} is not an attribute of this resource type."
            )
        self.ignored.append(shown(name))

    def value(self, target: Target, value: object) -> Any:
        """The whole value of ``target`` in canonical form; None where it is unassigned.

        Raises InvalidValue where it is not of the attribute's type.
        """
        if is_unassigned(value):
            return None
        if target.leaf.multi_valued:
            return self._elements(target, value)
        if target.leaf.is_complex:
            return assigned(self.sub_attributes(target, value)) or None
        return self._simple(target, value)

    def element(self, target: Target, item: object) -> Element:
        """One element of a multi-valued attribute; None where it holds nothing.

        An e-mail with an empty ``value`` holds nothing, whatever its ``type``: that is how a
        client's template comes out for a person without one.
        """
        if is_plain(target.leaf, item):
            return item
        if is_unassigned(item):
            return None
        if not target.leaf.is_complex:
            return self._simple(target, item)
        read = self.sub_attributes(target, item)
        element = assigned(read)
        hollow = len(element) < len(read) and element.keys() <= _SAYS_NOTHING
        if hollow or not element:
            return None
        if has_value_identity(target.leaf) and "value" not in element:
            raise InvalidValue(f"Every element of '{target}' needs a 'value'.")
        return element

    def sub_attributes(self, target: Target, value: object) -> dict[str, Any]:
        """The sub-attributes that an object names; None for those it says are unassigned.

        What the object says about readOnly ones is dropped (RFC 7644 §3.3, §3.5.1).
        """
        if not isinstance(value, dict):
            raise InvalidValue(f"'{target}' takes an object with its sub-attributes.")
        read = {}
        for name, item in value.items():
            sub_attribute = target.attribute.sub(name)
            if sub_attribute is None:
                self.unknown(f"{target}.{name}")
            elif sub_attribute.mutability != "readOnly":
                read[sub_attribute.name] = self.value(target.of(sub_attribute), item)
        return read

    def _elements(self, target: Target, value: object) -> list[Element] | None:
        if not isinstance(value, list):
            raise InvalidValue(f"'{target}' is multi-valued: send a list.")
        if len(value) > MAX_VALUES and not has_value_identity(target.attribute):
            raise InvalidValue(f"'{target}' takes {MAX_VALUES} values, not {len(value)}.")
        read = (self.element(target, item) for item in value)
        elements = distinct(target.leaf, (element for element in read if element is not None))
        check_one_primary(target, elements)
        return elements or None

    def _simple(self, target: Target, value: object) -> Any:
        leaf = target.leaf
        try:
            coerced = coerce(leaf, value, strict=self.strict)
        except InvalidValue as error:
            detail = error.detail.replace(f"'{leaf.name}'", f"'{target}'", 1)
            raise InvalidValue(detail) from None
        if leaf.closed and isinstance(coerced, str) and not _is_canonical(leaf, coerced):
            raise InvalidValue(
                f"'{target}' does not take {quoted(coerced)}. "
                f"Allowed are: {', '.join(leaf.canonical_values)}."
            )
        return coerced


def is_plain(attribute: Attribute, item: object) -> bool:
    """Whether an element is nothing but a text as its ``value``, and so canonical as it is.

    A group of a hundred thousand members comes as so many of them.
    """
    if type(item) is not dict or len(item) != 1 or not attribute.takes_plain_values:
        return False
    text = item.get("value")
    return type(text) is str and text != "" and is_storable(text)


def assigned(value: dict[str, Any]) -> dict[str, Any]:
    """An object without its unassigned members."""
    return {name: item for name, item in value.items() if item is not None}


def _is_canonical(attribute: Attribute, value: str) -> bool:
    allowed = {comparison_key(attribute, canonical) for canonical in attribute.canonical_values}
    return comparison_key(attribute, value) in allowed


def has_value_identity(attribute: Attribute) -> bool:
    """Whether ``value`` alone tells elements apart: where it is immutable, as in members."""
    value = attribute.value_attribute
    return value is not None and value.mutability == "immutable"


def identity(attribute: Attribute, element: Element) -> Hashable:
    """What makes two elements the same one.

    The ``value`` of members; ``type`` and ``value`` of other complex elements, which are never
    returned twice (RFC 7643 §2.4); all of an element without a ``value``.
    """
    if not attribute.is_complex:
        return comparison_key(attribute, element)
    value = attribute.value_attribute
    if value is None or value.name not in element:
        return content(attribute, element)
    key = comparison_key(value, element[value.name])
    if has_value_identity(attribute):
        return key
    kind = attribute.sub("type")
    return key, comparison_key(kind, element.get(kind.name, "")) if kind else ""


def content(attribute: Attribute, element: Element) -> Hashable:
    """All that an element says, comparable; an absent ``primary`` is false (RFC 7643 §2.4)."""
    if not attribute.is_complex:
        return _key(attribute, element)
    return frozenset(
        (name, _key(sub_attribute, item))
        for name, item in element.items()
        if (sub_attribute := attribute.sub(name)) and not (name == "primary" and item is False)
    )


def _key(attribute: Attribute, value: Any) -> Hashable:
    """The exact value, not its comparison key: a change of case is a change."""
    return tuple(value) if isinstance(value, list) else (attribute.type, value)


def distinct(attribute: Attribute, elements: Iterable[Element]) -> list[Element]:
    """The elements with each kept once, in order (RFC 7643 §2.4); the first one's words win."""
    several = list(elements)
    if len(several) < 2:
        return several
    found: dict[Hashable, Element] = {}
    for element in several:
        key = identity(attribute, element)
        same: Element = found.setdefault(key, element)
        if same is not element and attribute.is_complex:
            found[key] = {**element, **same}
    return list(found.values())


def check_one_primary(target: Target, elements: Iterable[Element]) -> None:
    """Raise InvalidValue where more than one element is primary (RFC 7643 §2.4)."""
    primaries = [e for e in elements if isinstance(e, dict) and e.get("primary") is True]
    if len(primaries) > 1:
        raise InvalidValue(f"Only one element of '{target}' can have \"primary\": true.")
