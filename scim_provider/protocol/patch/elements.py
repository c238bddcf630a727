"""What operations do to the elements of a multi-valued attribute."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

from scim_provider.protocol.errors import NoTarget
from scim_provider.protocol.memory import value_matches
from scim_provider.protocol.reading import (
    Element,
    assigned,
    check_one_primary,
    content,
    distinct,
    has_value_identity,
    identity,
)
from scim_provider.protocol.schema import Attribute, Target
from scim_provider.protocol.values import comparison_key

from .objects import merged, replaced, with_sub_attribute
from .operation import Operation

_IDENTITY = frozenset({"value", "type"})

Elements = Sequence[Element]


def changed_elements(operation: Operation, elements: Elements, before: Elements) -> Elements:
    """The elements after one operation; ``before`` are those before the whole request."""
    if operation.filter is not None or operation.target.sub_attribute is not None:
        return _change_selected(operation, elements, before)
    if operation.op == "add":
        return _added(operation.target, elements, operation.value or [])
    if operation.op == "replace":
        return _replaced(operation.target.attribute, elements, operation.value or [])
    if operation.value is None:
        return []
    return _without(operation.target.attribute, elements, operation.value)


def _added(target: Target, elements: Elements, new: Elements) -> Elements:
    """Append what is not there; what is there takes on what is new about it (§3.5.2.1).

    Of a member everything but its ``value`` is the service provider's, so nothing is new.
    """
    attribute = target.attribute
    after = list(elements)
    places = {identity(attribute, element): place for place, element in enumerate(after)}
    touched = []
    for element in new:
        place = places.setdefault(identity(attribute, element), len(after))
        if place == len(after):
            after.append(element)
        elif attribute.is_complex and not has_value_identity(attribute):
            after[place] = _enriched(attribute, after[place], element)
        if isinstance(element, dict) and element.get("primary"):
            touched.append(place)
    return _with_one_primary(target, after, touched)


def _enriched(attribute: Attribute, element: dict[str, Any], new: dict[str, Any]) -> Element:
    """One element with what another says of the same value, whose spelling stays."""
    news = {name: item for name, item in new.items() if name not in _IDENTITY}
    enriched = {**element, **news}
    return element if content(attribute, enriched) == content(attribute, element) else enriched


def _replaced(attribute: Attribute, elements: Elements, new: Elements) -> Elements:
    """The new elements; the old ones if they are the same in another order (RFC 7643 §2.4)."""
    same = {content(attribute, e) for e in elements} == {content(attribute, e) for e in new}
    return elements if same and len(elements) == len(new) else new


def _without(attribute: Attribute, elements: Elements, unwanted: Elements) -> Elements:
    """All elements but those listed, by ``value`` (and by ``type`` where the list has it)."""
    gone = {_mark(attribute, element, element) for element in unwanted}
    shapes = {frozenset(element) & _IDENTITY for element in unwanted if isinstance(element, dict)}
    if not attribute.is_complex:
        shapes = {frozenset()}
    return [
        element
        for element in elements
        if gone.isdisjoint(_mark(attribute, element, shape) for shape in shapes)
    ]


def _mark(attribute: Attribute, element: Element, shape: Collection[str]) -> Hashable:
    """An element as far as ``shape`` looks at it: value, value and type, or all of it."""
    if not attribute.is_complex:
        return comparison_key(attribute, element)
    if "value" not in shape:
        return content(attribute, element)
    subs = [attribute.sub("value")]
    if "type" in shape and not has_value_identity(attribute):
        subs.append(attribute.sub("type"))
    return tuple(
        comparison_key(sub, element[sub.name]) if sub and sub.name in element else None
        for sub in subs
    )


def _change_selected(operation: Operation, elements: Elements, before: Elements) -> Elements:
    """Change the elements that the filter selects, or all of them without one."""
    tree = operation.filter
    selected = {place for place, e in enumerate(elements) if tree is None or value_matches(tree, e)}
    if not selected:
        return _create(operation, elements, before)
    change = _change_of(operation)
    after: Elements = [change(e) if place in selected else e for place, e in enumerate(elements)]
    if after == list(elements):
        return elements
    if _sets_primary(operation):
        after = _with_one_primary(operation.target, after, selected)
    kept = (element for element in after if element not in (None, {}))
    return distinct(operation.target.attribute, kept)


def _change_of(operation: Operation) -> Callable[[Element], Element | None]:
    """What happens to each selected element; None where it goes."""
    target, value = operation.target, operation.value
    if target.sub_attribute is not None:
        return lambda element: with_sub_attribute(target, element, value)
    if value is None:
        return lambda element: None
    if not target.attribute.is_complex:
        return lambda element: value
    change = merged if operation.op == "add" else replaced
    return lambda element: change(target, element, value)


def _create(operation: Operation, elements: Elements, before: Elements) -> Elements:
    """Where nothing is selected: nothing to remove, something to create, or a mistake."""
    target = operation.target
    if operation.op == "remove" or operation.value is None:
        return elements
    element = operation.value
    if target.sub_attribute is not None:
        element = {target.sub_attribute.name: element}
    if operation.filter is not None:
        if not _is_creatable(operation, before):
            raise _no_target(target)
        element = assigned({**(operation.template or {}), **element})
    if has_value_identity(target.attribute) and "value" not in element:
        raise _no_target(target)
    return _added(target, elements, [element])


def _no_target(target: Target) -> NoTarget:
    return NoTarget(f"No element of '{target.name}' matches the path, and it describes no new one.")


def _is_creatable(operation: Operation, before: Elements) -> bool:
    """Whether the path describes a new element.

    A replace brings back nothing that the same request took away.
    """
    if operation.template is None or operation.filter is None:
        return False
    tree = operation.filter
    return operation.op == "add" or not any(value_matches(tree, e) for e in before)


def _sets_primary(operation: Operation) -> bool:
    if operation.target.sub_attribute is not None:
        return operation.target.leaf.name == "primary" and operation.value is True
    return isinstance(operation.value, dict) and operation.value.get("primary") is True


def _with_one_primary(target: Target, elements: Elements, chosen: Collection[int]) -> Elements:
    """The chosen element is primary, so no other is any more (RFC 7644 §3.5.2)."""
    if not chosen:
        return elements
    after = [
        {**e, "primary": False} if place not in chosen and _is_primary(e) else e
        for place, e in enumerate(elements)
    ]
    check_one_primary(target.parent, after)
    return after


def _is_primary(element: Element) -> bool:
    return isinstance(element, dict) and element.get("primary") is True
