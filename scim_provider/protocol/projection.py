"""Which attributes an answer holds: ``attributes``, ``excludedAttributes`` and ``returned``.

RFC 7644 §3.4.2.5, §3.9, §3.10; RFC 7643 §7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from .errors import InvalidValue
from .path import AttributePath
from .schema import ResourceSchema, Target

#: What to keep of an attribute: all of it, or these of its sub-attributes.
_WHOLE = None
_Kept = frozenset[str] | None


@dataclass(frozen=True)
class Window:
    """A stretch of the values of an attribute: ``most`` of them from the ``start``-th on."""

    start: int = 1
    most: int = 2**31 - 1


@dataclass(frozen=True)
class Projection:
    """What a client asked to see of every resource in an answer.

    ``included`` and ``excluded`` are canonical paths; ``included`` is None where the client
    named none, and empty where it named only unknown ones. ``written`` are the paths that the
    request set: what is returned on request is returned on such a write too (RFC 7643 §7).
    ``members`` is the stretch of a Group's members that was asked for, None for all of them.
    """

    schema: ResourceSchema
    included: frozenset[str] | None = None
    excluded: frozenset[str] = field(default_factory=frozenset)
    written: frozenset[str] = field(default_factory=frozenset)
    members: Window | None = None

    @classmethod
    def parse(
        cls,
        attributes: Sequence[str],
        excluded: Sequence[str],
        schema: ResourceSchema,
        *,
        written: Collection[Target] = (),
    ) -> Projection:
        """Read the two parameters; each item is a name or a list of names parted by commas.

        Raises InvalidValue where both are given. Unknown names are ignored.
        """
        named, left_out = _names(attributes), _names(excluded)
        if named and left_out:
            raise InvalidValue("Send either 'attributes' or 'excludedAttributes', not both.")
        included = frozenset(_paths(named, schema)) if named else None
        excluded_paths = frozenset(_paths(left_out, schema))
        return _projection(schema, included, excluded_paths, frozenset(map(str, written)))

    @property
    def is_default(self) -> bool:
        """Whether the client asked for nothing in particular."""
        return not self.is_narrowed and not self.written

    @property
    def is_narrowed(self) -> bool:
        """Whether the client asked for less, or for other things, than there usually is."""
        return self.included is not None or bool(self.excluded)

    def wants(self, target: Target) -> bool:
        """Whether an answer can hold ``target``; work for others can be left undone."""
        plan = self._plan.get(target.extension, {})
        if target.attribute.name not in plan:
            return False
        kept = plan[target.attribute.name]
        return target.sub_attribute is None or kept is _WHOLE or target.sub_attribute.name in kept

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        """The part of a document that the answer holds; ``schemas`` always (RFC 7643 §3).

        The document itself where that is all of it.
        """
        if self._are_whole([document]):
            return document
        projected = _project(document, self._plan[None])
        for uri, plan in self._plan.items():
            if uri is not None and (container := _project(document.get(uri, {}), plan)):
                projected[uri] = container
        return projected

    def apply_to_all(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """:meth:`apply` for each: what all of them have is looked at once."""
        if self._are_whole(documents):
            return documents
        return [self.apply(document) for document in documents]

    def keeps(self, *paths: Sequence[str]) -> bool:
        """Whether the answer holds the values at these paths of a document: the names that lead
        to them, a URI before those of an extension.
        """
        each = {uri: (wholes, parts) for uri, wholes, parts in self._kept_of_each}
        for path in paths:
            uri = path[0] if path[0] in each else None
            name, *inner = path if uri is None else path[1:] or ("",)
            wholes, parts = each[uri]
            if name not in wholes and not (inner and inner[0] in parts.get(name, ())):
                return False
        return self.included is None

    def _are_whole(self, documents: Sequence[Mapping[str, Any]]) -> bool:
        """Whether all of all documents is in the answer, as nearly always; told without a copy."""
        if self.included is not None:
            return False
        for uri, wholes, parts in self._kept_of_each:
            containers = documents if uri is None else [d[uri] for d in documents if uri in d]
            for name in set().union(*containers) - wholes:
                kept = parts.get(name)
                values = [container[name] for container in containers if name in container]
                if kept is None or not all(
                    isinstance(value, dict) and value.keys() <= kept for value in values
                ):
                    return False
        return True

    @cached_property
    def _kept_of_each(
        self,
    ) -> tuple[tuple[str | None, frozenset[str], Mapping[str, frozenset[str]]], ...]:
        """Container, what is kept whole of it, and which sub-attributes of the rest."""
        each = []
        for uri, plan in self._plan.items():
            wholes = frozenset(name for name, kept in plan.items() if kept is _WHOLE)
            parts = {name: kept for name, kept in plan.items() if kept is not _WHOLE}
            if uri is None:
                wholes |= {container for container in self._plan if container is not None}
            each.append((uri, wholes, parts))
        return tuple(each)

    @cached_property
    def _plan(self) -> dict[str | None, dict[str, _Kept]]:
        """By container (None is the top level), by attribute: what to keep."""
        plan: dict[str | None, dict[str, _Kept]] = {None: {}}
        for target in self.schema:
            kept = self._kept(target)
            if kept is _WHOLE or kept:
                plan.setdefault(target.extension, {})[target.attribute.name] = kept
        return plan

    def _kept(self, target: Target) -> _Kept:
        """The sub-attributes to keep; _WHOLE for all, none for nothing."""
        attribute = target.attribute
        if not attribute.is_complex:
            return _WHOLE if self._keeps(target) else frozenset()
        if attribute.returned == "never":
            return frozenset()
        subs = attribute.sub_attributes
        kept = frozenset(sub.name for sub in subs if self._keeps(target.of(sub)))
        return _WHOLE if len(kept) == len(subs) else kept

    def _keeps(self, target: Target) -> bool:
        """Whether one leaf is in the answer (RFC 7643 §7, "returned")."""
        returned = {target.attribute.returned, target.leaf.returned}
        if "never" in returned:
            return False
        if target.leaf.returned == "always":
            return target.sub_attribute is None or self._mentions(target)
        # Naming an attribute does not ask for its sub-attributes that are returned on request.
        askers = {str(target)} if target.leaf.returned == "request" else {str(target), target.name}
        if self.included is not None:
            return not self.included.isdisjoint(askers)
        if not self.excluded.isdisjoint({str(target), target.name}):
            return False
        return "request" not in returned or not self.written.isdisjoint(askers)

    def _mentions(self, target: Target) -> bool:
        """Whether an answer has anything of the attribute around an "always" sub-attribute."""
        if target.attribute.returned == "always":
            return True
        if self.included is None:
            shown = target.attribute.returned == "default" or target.name in self.written
            return shown and target.name not in self.excluded
        subs = (str(target.of(sub)) for sub in target.attribute.sub_attributes)
        return not self.included.isdisjoint([target.name, *subs])


@lru_cache(maxsize=256)
def _projection(
    schema: ResourceSchema,
    included: frozenset[str] | None,
    excluded: frozenset[str],
    written: frozenset[str],
) -> Projection:
    """The same object for the same attributes: what it works out is worked out once."""
    return Projection(schema, included, excluded, written)


def _names(parameter: Iterable[str]) -> tuple[str, ...]:
    parts = (part.strip() for item in parameter for part in item.split(","))
    return tuple(part for part in parts if part)


def _paths(names: Iterable[str], schema: ResourceSchema) -> Iterable[str]:
    """The canonical paths that ``names`` mean; a bare URN means all attributes of its schema."""
    for name in names:
        uri = schema.uri(name)
        if uri is not None:
            targets = schema.top_level() if uri == schema.core.id else schema.container(uri)
            yield from map(str, targets)
        elif (path := AttributePath.parse(name)) and (target := path.resolve(schema)):
            yield str(target)


def _project(values: Mapping[str, Any], plan: Mapping[str, _Kept]) -> dict[str, Any]:
    projected = {}
    for name, value in values.items():
        if name in plan:
            kept = plan[name]
            part = value if kept is _WHOLE else _reduce(value, kept)
            if part or kept is _WHOLE:
                projected[name] = part
    return projected


def _reduce(value: Any, kept: Collection[str]) -> Any:
    """Objects with the ``kept`` sub-attributes only; those of which nothing is left are gone."""
    if isinstance(value, list):
        return [part for element in value if (part := _reduce(element, kept))]
    return {name: item for name, item in value.items() if name in kept}
