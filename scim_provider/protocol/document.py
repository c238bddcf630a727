"""A resource in a request body → a canonical document (RFC 7643 §2, RFC 7644 §3.3, §3.5.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .dialects import straighten_resource
from .errors import InvalidSyntax, InvalidValue, Mutability
from .reading import Reader, assigned, is_unassigned
from .schema import ResourceSchema, Target
from .values import code_points, is_invisible, quoted

#: A resource in SCIM's JSON shape, canonical: see docs/design.md, "Documents".
Document = dict[str, Any]

# What a PUT that does not mention them leaves as they are: a profile update is no decision
# about access, and no client knows the password (RFC 7644 §3.5.1 leaves the choice to us).
_KEPT_BY_PUT = frozenset({"active", "password"})


@dataclass(frozen=True, slots=True)
class Received:
    """What a body said: its document, and the names of the attributes that nobody declared."""

    document: Document
    ignored: tuple[str, ...] = ()


def read_document(body: object, schema: ResourceSchema, *, strict: bool = False) -> Received:
    """Read the body of a POST or a PUT.

    The document has no readOnly attribute, no ``schemas`` and nothing unassigned. Raises
    InvalidSyntax where the body is no such resource, InvalidValue for a value that is missing
    or unfit.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax("The body must be a JSON object: the attributes of one resource.")
    _check_schemas(_schemas_in(body), schema, strict=strict)
    if not strict:
        body = straighten_resource(body, schema)
    reader = Reader(strict=strict)
    document: Document = {}
    for name, value in body.items():
        uri = schema.uri(name)
        if uri is None or uri == schema.core.id:
            _read_attribute(document, name, value, schema.find(name, schema.core.id), reader)
        else:
            _read_extension(document, uri, value, schema, reader)
    check_required(document, schema)
    return Received(document, tuple(reader.ignored))


def _read_attribute(
    document: Document, name: str, value: object, target: Target | None, reader: Reader
) -> None:
    if target is None:
        reader.unknown(name)
    elif target.attribute.mutability != "readOnly" and target.attribute.name != "schemas":
        put_value(document, target, reader.value(target, value))


def _read_extension(
    document: Document, uri: str, value: object, schema: ResourceSchema, reader: Reader
) -> None:
    if is_unassigned(value):
        return
    if not isinstance(value, dict):
        raise InvalidValue(f"'{uri}' takes an object with the attributes of that extension.")
    for name, item in value.items():
        _read_attribute(document, f"{uri}:{name}", item, schema.find(name, uri), reader)


def _schemas_in(body: Mapping[str, object]) -> object:
    return next((value for name, value in body.items() if name.lower() == "schemas"), None)


def _check_schemas(schemas: object, schema: ResourceSchema, *, strict: bool) -> None:
    """RFC 7643 §3 wants the core URN among them; Entra adds URNs that exist nowhere."""
    if is_unassigned(schemas) and not strict:
        return
    if not isinstance(schemas, list) or not all(isinstance(uri, str) for uri in schemas):
        raise InvalidSyntax(f"'schemas' takes a list of URNs, with '{schema.core.id}' in it.")
    if schema.core.id not in map(schema.uri, schemas):
        raise InvalidSyntax(f"'schemas' must contain '{schema.core.id}'.")
    unknown = [quoted(uri) for uri in schemas if schema.uri(uri) is None]
    if unknown and strict:
        raise InvalidValue(f"'schemas' contains unknown URNs: {', '.join(unknown)}.")


def value_of(document: Mapping[str, Any], target: Target) -> Any:
    """The value of ``target``'s attribute in ``document``; None where there is none."""
    if target.extension is None:
        return document.get(target.attribute.name)
    return document.get(target.extension, {}).get(target.attribute.name)


def put_value(document: Document, target: Target, value: Any) -> None:
    """Set the value of ``target``'s attribute, or unassign it with None.

    The extension's container comes and goes with its contents, and is replaced rather than
    changed: a shallow copy of ``document`` does not share it.
    """
    name, uri = target.attribute.name, target.extension
    holder = document if uri is None else dict(document.get(uri, {}))
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value
    if uri is not None:
        document[uri] = holder
        if not holder:
            del document[uri]


def schemas_of(document: Mapping[str, Any], schema: ResourceSchema) -> list[str]:
    """The URNs that describe ``document``: the core schema, and extensions with content."""
    return [schema.core.id, *(e.id for e in schema.extensions if document.get(e.id))]


def check_required(
    document: Mapping[str, Any],
    schema: ResourceSchema,
    touched: Collection[Target] | None = None,
) -> None:
    """Raise InvalidValue where a required attribute or extension has no value (RFC 7643 §7).

    ``touched`` narrows it down to some attributes, and the extensions they are in: a resource
    is not held back by what it lacked before.
    """
    names = None if touched is None else {target.name for target in touched}
    uris = None if touched is None else {target.extension for target in touched}
    for uri in sorted(schema.required_extensions):
        if not document.get(uri) and (uris is None or uri in uris):
            raise InvalidValue(f"The extension '{uri}' is required for this resource type.")
    for target in schema.demanding:
        if target.extension is None:
            concerned = names is None or target.name in names
        else:
            concerned = target.extension in document and (uris is None or target.extension in uris)
        if concerned:
            _check_required_value(document, target)


def _check_required_value(document: Mapping[str, Any], target: Target) -> None:
    attribute = target.attribute
    if attribute.mutability == "readOnly" or attribute.name == "schemas":
        return
    value = value_of(document, target)
    if is_unassigned(value) or _is_blank(value):
        if attribute.required:
            raise InvalidValue(f"'{target}' is required: send a value for it.")
        return
    if attribute.required and isinstance(value, str) and is_invisible(value):
        raise InvalidValue(
            f"'{target}' holds nothing that people can see: {code_points(value)}. "
            "Map an attribute with a readable value to it."
        )
    for sub in attribute.sub_attributes:
        elements = value if attribute.multi_valued else [value]
        must_be_sent = sub.required and sub.mutability != "readOnly"
        if must_be_sent and any(sub.name not in element for element in elements):
            raise InvalidValue(f"'{target.of(sub)}' is required: send a value for it.")


def _is_blank(value: Any) -> bool:
    """A name of nothing but blanks names nobody (RFC 7643 §4.1.1: non-empty)."""
    return isinstance(value, str) and not value.strip()


def merge_put(
    before: Mapping[str, Any], received: Mapping[str, Any], schema: ResourceSchema
) -> Document:
    """What a PUT of ``received`` makes of ``before`` (RFC 7644 §3.5.1).

    readOnly attributes stay. immutable ones stay if omitted; another value raises Mutability.
    All others are cleared if omitted, but for ``active`` and ``password``.
    """
    after: Document = {}
    for target in schema:
        value = _put_one(target, value_of(before, target), value_of(received, target))
        put_value(after, target, value)
    if "schemas" in after:
        after["schemas"] = schemas_of(after, schema)
    check_required(after, schema)
    return after


def _put_one(target: Target, before: Any, received: Any) -> Any:
    attribute = target.attribute
    if attribute.mutability == "readOnly" or attribute.name == "schemas":
        return before
    if received is None:
        kept = attribute.mutability == "immutable" or attribute.name in _KEPT_BY_PUT
        return before if kept else None
    if attribute.mutability == "immutable" and before is not None and before != received:
        raise Mutability(f"'{target}' cannot be changed once it has a value.")
    if attribute.is_complex and not attribute.multi_valued:
        return _put_object(target, before or {}, received)
    return received


def _put_object(target: Target, before: dict[str, Any], received: dict[str, Any]) -> dict[str, Any]:
    """Replace an object, with its readOnly and immutable sub-attributes treated as above.

    What was readOnly beside another ``value`` described that one: a former manager's name.
    """
    after = dict(received)
    same_value = before.get("value") == received.get("value")
    for sub in target.attribute.sub_attributes:
        had = before.get(sub.name)
        if sub.mutability == "readOnly" and had is not None and same_value:
            after[sub.name] = had
        if sub.mutability == "immutable" and had not in (None, after.setdefault(sub.name, had)):
            raise Mutability(f"'{target.of(sub)}' cannot be changed once it has a value.")
    return assigned(after)
