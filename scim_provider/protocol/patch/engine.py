"""Operations → what they make of a document (RFC 7644 §3.5.2.1 to §3.5.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scim_provider.protocol.document import (
    Document,
    check_required,
    put_value,
    schemas_of,
    value_of,
)
from scim_provider.protocol.errors import Mutability, PayloadTooLarge
from scim_provider.protocol.schema import ResourceSchema, Target

from .elements import changed_elements
from .objects import merged, with_sub_attribute
from .operation import Operation

#: Each looks at all values of its attribute, so that time grows with the square.
MAX_OPERATIONS = 1000


def apply(
    document: Mapping[str, Any], operations: Sequence[Operation], schema: ResourceSchema
) -> Document:
    """The document after all operations, in order; equal to ``document`` if nothing changed.

    ``document`` is left as it is, so a failure leaves nothing behind. Raises NoTarget where a
    filter selects nothing to replace, Mutability where an immutable value would change,
    InvalidValue where a required one is gone or two elements would be primary, PayloadTooLarge
    for more than :data:`MAX_OPERATIONS`.
    """
    if len(operations) > MAX_OPERATIONS:
        raise PayloadTooLarge(
            f"A PATCH takes {MAX_OPERATIONS} operations, not {len(operations)}. Send several, or "
            "several values in one operation."
        )
    after = dict(document)
    touched = []
    for operation in operations:
        before, now = value_of(document, operation.target), value_of(after, operation.target)
        put_value(after, operation.target, _changed(operation, now, before))
        touched.append(operation.target)
    if "schemas" in after and _containers(after, schema) != _containers(document, schema):
        after["schemas"] = schemas_of(after, schema)
    check_required(after, schema, touched)
    return after


def _containers(document: Mapping[str, Any], schema: ResourceSchema) -> list[str]:
    return schemas_of(document, schema)[1:]


def _changed(operation: Operation, value: Any, before: Any) -> Any:
    """What ``operation`` makes of an attribute; ``before`` is its value before the request."""
    target = operation.target
    if target.attribute.multi_valued:
        changed: Any = changed_elements(operation, value or [], before or []) or None
    elif target.sub_attribute is not None:
        changed = with_sub_attribute(target, value or {}, operation.value) or None
    elif target.attribute.is_complex and operation.value is not None:
        changed = merged(target, value or {}, operation.value) or None
    else:
        changed = operation.value
    _check_immutable(target, value, changed)
    return changed


def _check_immutable(target: Target, value: Any, changed: Any) -> None:
    """An immutable attribute can be given a value, and keeps it (RFC 7644 §3.5.2)."""
    is_immutable = target.attribute.mutability == "immutable"
    if is_immutable and value is not None and changed != value:
        raise Mutability(f"'{target}' cannot be changed once it has a value.")
