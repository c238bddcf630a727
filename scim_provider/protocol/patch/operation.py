"""One PATCH operation, resolved and coerced: nothing after it meets an unknown name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from scim_provider.protocol.filter import Filter
from scim_provider.protocol.reading import Element
from scim_provider.protocol.schema import Target

OperationName = Literal["add", "replace", "remove"]
OPERATION_NAMES: tuple[OperationName, ...] = get_args(OperationName)


@dataclass(frozen=True, slots=True)
class Operation:
    """``op`` on ``target``, of whose elements a ``filter`` may select some.

    ``value`` is canonical: a list for a whole multi-valued attribute, an object for a complex
    one or for the elements that the filter selects (None in it unassigns a sub-attribute), else
    a simple value. None is "unassigned"; on a remove, it is "everything", and a list the
    elements to remove.

    ``template`` is what an element must say to match the filter: what one is created with where
    none matches. None where that is not to happen.
    """

    op: OperationName
    target: Target
    value: Any = None
    filter: Filter[Target] | None = None
    template: Element | None = None
