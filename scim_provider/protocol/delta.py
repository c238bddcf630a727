"""What operations do to one set of values, without reading it.

A group of a hundred thousand members takes one more at the cost of one row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .filter import Comparison, Filter, Or
from .patch import Operation
from .reading import Element, has_value_identity, identity
from .schema import Attribute, Target


@dataclass(frozen=True, slots=True)
class ValueDelta:
    """The effect of operations on the values of one attribute, whatever they are.

    First all values go if ``cleared``, else those whose key is in ``removed``. Then each of
    ``added`` comes in, unless its key is there already. Keys are comparison keys of ``value``.
    """

    cleared: bool = False
    added: dict[str, Element] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


def fold(operations: Iterable[Operation]) -> ValueDelta | None:
    """One delta for operations on one attribute whose elements are told apart by ``value``.

    None where the values must be read first: for a filter on anything but ``value eq``, for a
    path to a sub-attribute, for an attribute without that identity.
    """
    folding = _Folding()
    return folding.delta() if all(map(folding.take, operations)) else None


class _Folding:
    def __init__(self) -> None:
        self.cleared = False
        self.added: dict[str, Element] = {}
        self.removed: set[str] = set()

    def delta(self) -> ValueDelta:
        return ValueDelta(self.cleared, self.added, frozenset(self.removed))

    def take(self, operation: Operation) -> bool:
        """Fold one more operation in; False where that cannot be done unread."""
        attribute = operation.target.attribute
        if operation.target.sub_attribute is not None or not _can_be_unread(attribute):
            return False
        if operation.filter is not None:
            return self._take_selected(operation)
        elements = {_key(attribute, element): element for element in operation.value or ()}
        if operation.op == "add":
            self._add(elements)
        elif operation.op == "remove" and operation.value is not None:
            self._remove(elements)
        else:
            self.cleared, self.added, self.removed = True, elements, set()
        return True

    def _take_selected(self, operation: Operation) -> bool:
        keys = _selected_keys(operation.filter)
        if keys is None or operation.op != "remove":
            return False
        self._remove(keys)
        return True

    def _add(self, elements: dict[str, Element]) -> None:
        for key, element in elements.items():
            self.added.setdefault(key, element)

    def _remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.added.pop(key, None)
            if not self.cleared:
                self.removed.add(key)


def _can_be_unread(attribute: Attribute) -> bool:
    """Whether no element bears on another one, nor on what may be changed at all."""
    is_plain = attribute.mutability != "immutable" and attribute.sub("primary") is None
    return is_plain and has_value_identity(attribute)


def _key(attribute: Attribute, element: Element) -> str:
    return str(identity(attribute, element))


def _selected_keys(tree: Filter[Target] | None) -> list[str] | None:
    """The keys of ``value eq "x"``, or of such in an "or"; None for any other filter."""
    keys: list[str] = []
    for term in tree.terms if isinstance(tree, Or) else (tree,):
        if not isinstance(term, Comparison) or term.operator != "eq":
            return None
        if term.path.leaf.name != "value":
            return None
        keys.append(str(term.value))
    return keys
