"""What identity providers send, straightened before the strict core reads it.

One function per deviation. They change shapes, not values, and let pass what they do not
understand: the core then refuses it. A strict connection uses none of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .errors import InvalidSyntax
from .path import AttributePath
from .reading import is_plain
from .schema import Attribute, ResourceSchema, Target

_OPERATIONS = "operations"
#: How many of the names that clients use are remembered.
_SPELLINGS = 1000
# What Entra sends as JSON inside a text.
_SPELT_AS_JSON = frozenset({"roles", "entitlements"})
# Sent along with everything else, and then ignored; with a path, they are refused.
_LEFT_WITHOUT_PATH = frozenset({"schemas", "meta"})


def straighten_resource(body: Mapping[str, Any], schema: ResourceSchema) -> dict[str, Any]:
    """A POST or PUT body with every attribute where the schema has it, in its declared shape."""
    straight: dict[str, Any] = {}
    for name, value in core_urn_object(body, schema):
        for key, item in extension_object(name, value, schema):
            _place(straight, key, item, schema)
    return straight


def straighten_operations(body: object, schema: ResourceSchema) -> object:
    """A PATCH body with plain operations: lower-case ``op``, known paths, values in shape."""
    if not isinstance(body, dict):
        return body
    refuse_scim_1_membership(body)
    return {
        name: _straighten_list(value, schema) if name.lower() == _OPERATIONS else value
        for name, value in body.items()
    }


def _straighten_list(operations: object, schema: ResourceSchema) -> object:
    if not isinstance(operations, list):
        return operations
    return [plain for operation in operations for plain in _straighten_one(operation, schema)]


def _straighten_one(operation: object, schema: ResourceSchema) -> list[object]:
    if not isinstance(operation, dict):
        return [operation]
    plain = {name.lower(): value for name, value in operation.items()}
    plain["op"] = capital_operation(plain.get("op"))
    plain["path"] = None if plain.get("path") == "" else dotted_urn(plain.get("path"), schema)
    return [_straighten_operation_value(part, schema) for part in path_keys(plain, schema)]


def _straighten_operation_value(operation: dict[str, Any], schema: ResourceSchema) -> object:
    path = operation["path"]
    target = _target_of(path, schema) if isinstance(path, str) else None
    if target is not None and "value" in operation:
        shape = straighten_elements if "[" in path else straighten_value
        operation = {**operation, "value": shape(target.leaf, operation["value"])}
    return operation


def _target_of(path: str, schema: ResourceSchema) -> Target | None:
    """The attribute that a path is about, whether or not a value filter follows its name.

    With a filter, the sub-attribute behind it too: ``emails[type eq "work"].value``.
    """
    name, bracket, rest = path.partition("[")
    parsed = AttributePath.parse(name)
    target = parsed.resolve(schema) if parsed else None
    behind = rest.rpartition("]")[2].removeprefix(".")
    if target is None or not bracket or not behind:
        return target
    sub_attribute = target.attribute.sub(behind)
    return target.of(sub_attribute) if sub_attribute else None


# --- Names and paths ---------------------------------------------------------------------------


def core_urn_object(body: Mapping[str, Any], schema: ResourceSchema) -> list[tuple[str, Any]]:
    """Core attributes wrapped in an object keyed by the core URN are core attributes."""
    members: list[tuple[str, Any]] = []
    for name, value in body.items():
        is_core = schema.uri(name) == schema.core.id
        members += value.items() if is_core and isinstance(value, dict) else [(name, value)]
    return members


def extension_object(name: str, value: Any, schema: ResourceSchema) -> list[tuple[str, Any]]:
    """An extension's object, also under a URN that lacks a colon, as in Microsoft's own text.

    ``urn:…:enterprise:2.0User`` is what that text prints. The attributes come out one by one,
    each with its URN.
    """
    uri = schema.uri(name) or _uri_without_colons(name, schema)
    if uri is None or not isinstance(value, dict):
        return [(uri or name, value)]
    return [(f"{uri}:{key}", item) for key, item in value.items()]


def _uri_without_colons(name: str, schema: ResourceSchema) -> str | None:
    squeezed = name.lower().replace(":", "")
    if not squeezed.startswith("urn"):
        return None
    uris = (extension.id for extension in schema.extensions)
    return next((uri for uri in uris if uri.lower().replace(":", "") == squeezed), None)


def dotted_urn(path: Any, schema: ResourceSchema) -> Any:
    """``urn:…enterprise:2.0:User.manager``, with a dot where the colon belongs."""
    if not isinstance(path, str):
        return path
    for known in (schema.core, *schema.extensions):
        if path.lower().startswith(known.id.lower() + "."):
            return f"{known.id}:{path[len(known.id) + 1 :]}"
    return path


def _place(straight: dict[str, Any], key: str, value: Any, schema: ResourceSchema) -> None:
    """Dotted and URN-qualified names, as Entra's newer dialect sends them: put where they belong.

    An extension's attribute without its URN is found too. A name that means nothing stays as it
    is, for the core to ignore or to refuse.
    """
    target = _named(key, schema)
    if target is None:
        _place_unknown(straight, key, value, schema)
        return
    holder = _holder(straight, target.extension)
    name = target.attribute.name
    value = straighten_value(target.leaf, value)
    if target.sub_attribute:
        value = straighten_value(target.attribute, {target.sub_attribute.name: value})
    before: Any = holder.get(name)
    parts = isinstance(before, dict) and isinstance(value, dict)
    holder[name] = {**before, **value} if parts else value


def _named(key: str, schema: ResourceSchema) -> Target | None:
    """What a key names; clients send the same few keys with every resource."""
    target = schema.spellings.get(key)
    if target is None:
        path = AttributePath.parse(dotted_urn(key, schema))
        target = path.resolve(schema) if path else None
        if target is not None and len(schema.spellings) < _SPELLINGS:
            schema.spellings[key] = target
    return target


def _holder(straight: dict[str, Any], uri: str | None) -> dict[str, Any]:
    """The object that attributes of a schema belong in; null in its place is an empty one."""
    if uri is None:
        return straight
    if not isinstance(straight.get(uri), dict):
        straight[uri] = {}
    holder: dict[str, Any] = straight[uri]
    return holder


def _place_unknown(straight: dict[str, Any], key: str, value: Any, schema: ResourceSchema) -> None:
    uri, _, name = key.rpartition(":")
    known = schema.uri(uri)
    if known is None or known == schema.core.id:
        straight[key] = value
    else:
        _holder(straight, known)[name] = value


# --- Operations --------------------------------------------------------------------------------


def capital_operation(op: Any) -> Any:
    """``Add``, ``Replace``, ``Remove``: Entra's default spelling of the operations."""
    return op.lower() if isinstance(op, str) else op


def path_keys(operation: dict[str, Any], schema: ResourceSchema) -> list[dict[str, Any]]:
    """A value without a path, or for a whole schema, whose keys are paths: one operation each.

    Entra's newer dialect has ``name.givenName`` and ``urn:…:User:employeeNumber`` among them.
    """
    value, path = operation.get("value"), operation["path"]
    if operation["op"] == "remove" or not isinstance(value, dict):
        return [operation]
    if isinstance(path, str) and schema.uri(path):
        value = {path: value}
    elif path is not None:
        return [operation]
    parts: list[dict[str, Any]] = []
    for name, item in core_urn_object(value, schema):
        for key, inner in extension_object(name, item, schema):
            path = dotted_urn(key, schema)
            target = _target_of(path, schema)
            if target is None or target.attribute.name in _LEFT_WITHOUT_PATH:
                parts.append({**operation, "path": None, "value": {key: inner}})
            else:
                parts.append({**operation, "path": path, "value": inner})
    return parts or [operation]


def refuse_scim_1_membership(body: Mapping[str, Any]) -> None:
    """OneLogin's SCIM 1.1 group update has no operations: say so rather than guess."""
    names = {name.lower() for name in body}
    if "members" in names and _OPERATIONS not in names:
        raise InvalidSyntax(
            "This is a SCIM 1.1 group update. Set the connector to SCIM 2.0: a PATCH body has "
            "'Operations', each with 'op', 'path' and 'value'."
        )


# --- Values ------------------------------------------------------------------------------------


def straighten_value(attribute: Attribute, value: Any) -> Any:
    """A whole attribute's value in its declared shape."""
    return straighten_elements(attribute, list_for_one(attribute, one_for_a_list(attribute, value)))


def straighten_elements(attribute: Attribute, value: Any) -> Any:
    """Each object of a complex attribute with its declared sub-attributes."""
    if not attribute.is_complex:
        return list_for_one(attribute, value)
    if isinstance(value, list):
        return [_straighten_element(attribute, element) for element in value]
    return _straighten_element(attribute, value)


def _straighten_element(attribute: Attribute, element: Any) -> Any:
    if attribute.name not in _SPELT_AS_JSON and is_plain(attribute, element):
        return element
    for dialect in _ELEMENT_DIALECTS:
        element = dialect(attribute, element)
    return element


def one_for_a_list(attribute: Attribute, value: Any) -> Any:
    """One object or text for a multi-valued attribute: OneLogin's ``emails`` is one object."""
    wrap = attribute.multi_valued and not isinstance(value, list) and value not in (None, "", {})
    return [value] if wrap else value


def list_for_one(attribute: Attribute, value: Any) -> Any:
    """A list of one for a single value: Entra's ``manager``, and booleans in a list."""
    takes = attribute.type == "boolean" or attribute.value_attribute is not None
    wrapped = isinstance(value, list) and len(value) == 1 and not attribute.multi_valued
    return value[0] if wrapped and takes else value


def bare_value(attribute: Attribute, element: Any) -> Any:
    """A text for an object with a ``value``: Entra's ``manager`` is the bare id."""
    if isinstance(element, str) and element and attribute.value_attribute:
        return {"value": element}
    return element


def json_in_a_text(attribute: Attribute, element: Any) -> Any:
    """A role as JSON inside its ``value``, which is how Entra adds app roles by default."""
    if attribute.name not in _SPELT_AS_JSON or not isinstance(element, dict):
        return element
    name = next((name for name in element if name.lower() == "value"), "value")
    text = element.get(name)
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return element
    try:
        role = json.loads(text)
    except (ValueError, RecursionError):
        return element
    if not isinstance(role.get("value"), str):
        return element
    return {**element, **_declared(attribute, role), name: role["value"]}


def _declared(attribute: Attribute, role: dict[str, Any]) -> dict[str, Any]:
    role = display_name_for_display(attribute, role)
    return {name: item for name, item in role.items() if attribute.sub(name) and name != "value"}


def display_name_for_display(attribute: Attribute, element: Any) -> Any:
    """``displayName`` where a role has ``display``, as Entra spells it."""
    if (
        not isinstance(element, dict)
        or attribute.sub("displayName")
        or not attribute.sub("display")
    ):
        return element
    names = {name.lower(): name for name in element}
    if "displayname" not in names or "display" in names:
        return element
    renamed = dict(element)
    renamed["display"] = renamed.pop(names["displayname"])
    return renamed


def id_in_reference(attribute: Attribute, element: Any) -> Any:
    """A member or manager by ``$ref`` alone: the id is the last part of the URI."""
    if not isinstance(element, dict) or not attribute.sub("$ref"):
        return element
    named = {name.lower(): value for name, value in element.items()}
    reference = named.get("$ref")
    if named.get("value") or not isinstance(reference, str):
        return element
    identifier = reference.rstrip("/").rpartition("/")[2]
    return {**element, "value": identifier} if identifier else element


_ELEMENT_DIALECTS: tuple[Callable[[Attribute, Any], Any], ...] = (
    bare_value,
    json_in_a_text,
    display_name_for_display,
    id_in_reference,
)
