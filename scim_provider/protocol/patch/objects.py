"""What operations do to one object: a complex value, or an element of several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scim_provider.protocol.errors import Mutability
from scim_provider.protocol.reading import assigned
from scim_provider.protocol.schema import Target


def with_sub_attribute(target: Target, before: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """``before`` with the sub-attribute of ``target`` set, or without it for None."""
    return merged(target.parent, before, {target.leaf.name: value})


def merged(target: Target, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """``before`` with ``values`` over it; None among them unassigns (RFC 7644 §3.5.2.3).

    Another ``value`` makes what described the former one untrue: its ``$ref`` and what the
    service provider derived from it. Raises Mutability for a change of an immutable one.
    """
    _check_immutable(target, before, values)
    after = {**before, **values}
    if before.get("value") not in (None, after.get("value")):
        for sub in target.attribute.sub_attributes:
            if (sub.mutability == "readOnly" or sub.name == "$ref") and sub.name not in values:
                after.pop(sub.name, None)
    return assigned(after)


def replaced(
    target: Target, before: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """``values`` in the place of ``before``, of which only immutable sub-attributes stay."""
    _check_immutable(target, before, values)
    immutable = [s.name for s in target.attribute.sub_attributes if s.mutability == "immutable"]
    kept = {name: before[name] for name in immutable if name in before}
    return {**assigned(dict(values)), **kept}


def _check_immutable(target: Target, before: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for sub in target.attribute.sub_attributes:
        had = before.get(sub.name)
        is_change = had is not None and values.get(sub.name, had) != had
        if is_change and sub.mutability == "immutable":
            raise Mutability(f"'{target.of(sub)}' cannot be changed once it has a value.")
