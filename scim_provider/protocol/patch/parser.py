"""PATCH body → operations (RFC 7644 §3.5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scim_provider.protocol.dialects import straighten_operations
from scim_provider.protocol.errors import (
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
)
from scim_provider.protocol.filter import (
    And,
    Comparison,
    Filter,
    parse_value_path,
    resolve_value_filter,
)
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.reading import Element, Reader, is_unassigned
from scim_provider.protocol.schema import ResourceSchema, Target
from scim_provider.protocol.values import quoted

from .operation import OPERATION_NAMES, Operation, OperationName

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#: Kept by the service provider alone; clients send them along with everything else.
_OURS = frozenset({"schemas", "meta"})

Tree = Filter[AttributePath]


@dataclass(frozen=True, slots=True)
class ReceivedPatch:
    """What a body asked for, and the names of the attributes that nobody declared."""

    operations: tuple[Operation, ...]
    ignored: tuple[str, ...] = ()


def parse_patch(
    body: object, schema: ResourceSchema, *, strict: bool = False, scim_id: str | None = None
) -> list[Operation]:
    """The operations of a PATCH body; see :func:`read_patch`."""
    return list(read_patch(body, schema, strict=strict, scim_id=scim_id).operations)


def read_patch(
    body: object, schema: ResourceSchema, *, strict: bool = False, scim_id: str | None = None
) -> ReceivedPatch:
    """Read a PATCH body; an operation without a path becomes one for each attribute.

    The resource's own id, ``scim_id``, may be among the values. Raises InvalidSyntax for what
    is no PATCH, InvalidPath and InvalidFilter for a path, NoTarget for a remove without one,
    InvalidValue for a value that is missing or unfit, Mutability for a readOnly target.
    """
    if not strict:
        body = straighten_operations(body, schema)
    parser = _Parser(schema, strict=strict, scim_id=scim_id)
    operations = [
        operation
        for plain in _operations_in(body, strict=strict)
        for operation in parser.operations(plain)
    ]
    return ReceivedPatch(tuple(operations), tuple(parser.reader.ignored))


def _operations_in(body: object, *, strict: bool) -> list[object]:
    if not isinstance(body, dict):
        raise InvalidSyntax("A PATCH body is a JSON object with 'schemas' and 'Operations'.")
    message = {name.lower(): value for name, value in body.items()}
    schemas = message.get("schemas")
    if (strict or not is_unassigned(schemas)) and not _names_patch(schemas):
        raise InvalidSyntax(f"'schemas' of a PATCH body must be ['{PATCH_URN}'].")
    operations = message.get("operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("'Operations' must be a list of one or more operations.")
    return operations


def _names_patch(schemas: object) -> bool:
    return isinstance(schemas, list) and any(
        isinstance(uri, str) and uri.lower() == PATCH_URN.lower() for uri in schemas
    )


class _Parser:
    """Reads operations against one resource type."""

    def __init__(self, schema: ResourceSchema, *, strict: bool, scim_id: str | None) -> None:
        self.schema = schema
        self.strict = strict
        self.scim_id = scim_id
        self.reader = Reader(strict=strict)

    def operations(self, plain: object) -> Iterator[Operation]:
        if not isinstance(plain, dict):
            raise InvalidSyntax("Each of 'Operations' is an object with 'op', 'path' and 'value'.")
        members = {name.lower(): value for name, value in plain.items()}
        op = _name_of(members.get("op"))
        path = members.get("path")
        if op != "remove" and "value" not in members:
            raise InvalidValue(f"An operation with op '{op}' needs a 'value'.")
        if path is None:
            return self._without_path(op, members.get("value"))
        if not isinstance(path, str):
            raise InvalidPath("'path' must be text, such as 'name.givenName'.")
        uri = self.schema.uri(path)
        if uri is not None:
            return self._schema_wide(op, uri, members.get("value"))
        return self._at_path(op, path, members.get("value"))

    def _at_path(self, op: OperationName, path: str, value: object) -> Iterator[Operation]:
        parsed, tree, sub = parse_value_path(path)
        target = parsed.resolve(self.schema)
        if target is None:
            raise InvalidPath(f"{quoted(path, 120)} names no attribute of {self.schema.core.name}.")
        if tree is not None and not target.attribute.multi_valued:
            raise InvalidPath(f"'{target}' has one value only: use a path without brackets.")
        if sub is not None:
            sub_attribute = target.attribute.sub(sub)
            if sub_attribute is None:
                raise InvalidPath(f"{quoted(sub)} is not a sub-attribute of '{target}'.")
            target = target.of(sub_attribute)
        return self._operation(op, target, value, tree)

    def _without_path(self, op: OperationName, value: object) -> Iterator[Operation]:
        if op == "remove":
            raise NoTarget("A remove needs a 'path' that says what to remove.")
        if not isinstance(value, dict):
            raise InvalidValue("Without a 'path', 'value' must be an object of attributes.")
        for name, item in value.items():
            uri = self.schema.uri(name)
            if uri is None:
                yield from self._named(op, name, item, self.schema.core.id)
            else:
                yield from self._schema_wide(op, uri, item)

    def _schema_wide(self, op: OperationName, uri: str, value: object) -> Iterator[Operation]:
        """An operation on all of an extension, or on what an object names of a schema."""
        if op == "remove" or is_unassigned(value):
            if uri == self.schema.core.id:
                raise NoTarget(f"'{uri}' is the resource itself: name the attribute to remove.")
            for target in self.schema.container(uri):
                if target.attribute.mutability != "readOnly":
                    yield Operation("remove", target)
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from self._named(op, name, item, uri)
        else:
            raise InvalidValue(f"'{uri}' takes an object with the attributes of that schema.")

    def _named(self, op: OperationName, name: str, value: object, uri: str) -> Iterator[Operation]:
        target = self.schema.find(name, uri)
        if target is None:
            self.reader.unknown(name if uri == self.schema.core.id else f"{uri}:{name}")
        elif target.attribute.name not in _OURS:
            yield from self._operation(op, target, value)

    def _operation(
        self, op: OperationName, target: Target, value: object, tree: Tree | None = None
    ) -> Iterator[Operation]:
        if self._is_own_id(op, target, value) or _is_schemas_update(op, target):
            return
        _check_mutability(op, target)
        if op == "remove":
            yield self._remove(target, value, tree)
        elif tree is None:
            yield Operation(op, target, self._value(target, value))
        else:
            yield Operation(
                op,
                target,
                self._selected(target, value),
                resolve_value_filter(tree, target.parent),
                self._template(op, target, tree),
            )

    def _is_own_id(self, op: OperationName, target: Target, value: object) -> bool:
        """Okta's group rename carries the id of the group."""
        return target.name == "id" and op != "remove" and value == self.scim_id is not None

    def _value(self, target: Target, value: object) -> Any:
        if target.leaf.multi_valued:
            value = value if isinstance(value, list) or is_unassigned(value) else [value]
        elif target.leaf.is_complex and not is_unassigned(value):
            return self.reader.sub_attributes(target, value)
        return self.reader.value(target, value)

    def _selected(self, target: Target, value: object) -> Any:
        """The value for what a filter selects: for elements, or for a sub-attribute of them."""
        if target.sub_attribute is not None:
            return self.reader.value(target, value)
        if is_unassigned(value):
            return None
        if target.attribute.is_complex:
            return self.reader.sub_attributes(target, value)
        return self.reader.element(target, value)

    def _remove(self, target: Target, value: object, tree: Tree | None) -> Operation:
        if tree is not None:
            return Operation("remove", target, filter=resolve_value_filter(tree, target.parent))
        if value is None or target.sub_attribute or not target.attribute.multi_valued:
            return Operation("remove", target)
        if self.strict:
            raise InvalidSyntax(
                f"A remove takes no 'value'. Select in the path: {target}[value eq \"…\"]."
            )
        # Entra names the members to go in a list. An empty list names none, and so removes none.
        return Operation("remove", target, self._value(target, value) or [])

    def _template(self, op: OperationName, target: Target, tree: Tree) -> Element | None:
        """What the filter's equalities say of an element, if they are all that it says.

        An add creates what is not there (RFC 7644 §3.5.2.1; erratum 8097 is not settled). So
        does, unless strict, a replace of a sub-attribute, against §3.5.2.3: Entra and JumpCloud
        set ``emails[type eq "work"].value`` whether there is a work address or not.
        """
        if op == "replace" and (self.strict or target.sub_attribute is None):
            return None
        element: dict[str, Any] = {}
        for term in tree.terms if isinstance(tree, And) else (tree,):
            if not isinstance(term, Comparison) or term.operator != "eq" or term.value is None:
                return None
            sub_attribute = target.attribute.sub(term.path.name)
            if sub_attribute is None or sub_attribute.name in element:
                return None
            value = self.reader.value(target.of(sub_attribute), term.value)
            element[sub_attribute.name] = value
        return element


def _name_of(op: object) -> OperationName:
    for name in OPERATION_NAMES:
        if op == name:
            return name
    given = f", not {quoted(op)}" if isinstance(op, str) else ""
    raise InvalidSyntax(f"'op' must be one of {', '.join(OPERATION_NAMES)}{given}.")


def _is_schemas_update(op: OperationName, target: Target) -> bool:
    """A client's list of ``schemas`` changes nothing: it follows from the attributes."""
    return target.name == "schemas" and op != "remove"


def _check_mutability(op: OperationName, target: Target) -> None:
    if "readOnly" in (target.attribute.mutability, target.leaf.mutability):
        raise Mutability(f"'{target}' is readOnly: the service provider sets it.")
    if op == "remove" and target.leaf.required:
        raise Mutability(f"'{target}' is required: it can be replaced, not removed.")
