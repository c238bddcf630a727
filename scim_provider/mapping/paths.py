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
    extension, attribute, sub_attribute = target.extension, target.attribute, target.sub_attribute
    if extension is None:
        if sub_attribute is None:
            _set(document, attribute.name, value)
        else:
            _set_within(document, attribute.name, sub_attribute.name, value)
    elif sub_attribute is None:
        _set_within(document, extension, attribute.name, value)
    else:
        container = document.get(extension) or {}
        _set_within(container, attribute.name, sub_attribute.name, value)
        _set(document, extension, container or None)


def _set(container: Document, name: str, value: Any) -> None:
    if value is None:
        container.pop(name, None)
    else:
        container[name] = value


def _set_within(document: Document, outer: str, name: str, value: Any) -> None:
    container = document.get(outer) or {}
    _set(container, name, value)
    _set(document, outer, container or None)


def put_leaf(document: Document, target: Target, value: Any) -> None:
    """Put a value at a path; what surrounds it is replaced, as another document may share it."""
    steps = [target.extension] if target.extension else []
    if target.sub_attribute is not None:
        steps.append(target.attribute.name)
    for name in steps:
        document[name] = dict(document.get(name) or {})
        document = document[name]
    document[target.leaf.name] = value
