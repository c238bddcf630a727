"""Values at paths of a document."""

from __future__ import annotations

from typing import Any

from scim_provider.protocol.schema import Target

Document = dict[str, Any]


def get_value(document: Document, target: Target) -> Any:
    """The value at a path of a document, None where there is none."""
    container = document.get(target.extension, {}) if target.extension else document
    value = container.get(target.attribute.name)
    if target.sub_attribute is None or value is None:
        return value
    return value.get(target.sub_attribute.name)


def set_value(document: Document, target: Target, value: Any) -> None:
    """Put a value at a path, or take it away with None; empty containers do not stay."""
    if target.extension is None and target.sub_attribute is None:
        if value is None:
            document.pop(target.attribute.name, None)
        else:
            document[target.attribute.name] = value
        return
    steps = [target.extension] if target.extension else []
    if target.sub_attribute is not None:
        steps.append(target.attribute.name)
    containers = [document]
    for step in steps:
        containers.append(containers[-1].get(step) or {})
    if value is None:
        containers[-1].pop(target.leaf.name, None)
    else:
        containers[-1][target.leaf.name] = value
    for step, outer, inner in reversed(list(zip(steps, containers, containers[1:], strict=False))):
        if inner:
            outer[step] = inner
        else:
            outer.pop(step, None)


def put_leaf(document: Document, target: Target, value: Any) -> None:
    """Put a value at a path; what surrounds it is replaced, as another document may share it."""
    steps = [target.extension] if target.extension else []
    if target.sub_attribute is not None:
        steps.append(target.attribute.name)
    for name in steps:
        document[name] = dict(document.get(name) or {})
        document = document[name]
    document[target.leaf.name] = value
