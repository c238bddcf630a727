"""Attributes, schemas and the schema set of a resource type (RFC 7643 §2, §7)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

AttributeType = Literal[
    "string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"
]
Mutability = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
Returned = Literal["always", "never", "default", "request"]
Uniqueness = Literal["none", "server", "global"]

# RFC 7643 §2.1; the leading "$" is for "$ref" (erratum 8924).
ATTRIBUTE_NAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, kw_only=True)
class _Characteristics:
    """Keyword part of :class:`Attribute`: RFC 7643 §2.2's defaults."""

    multi_valued: bool = False
    description: str = ""
    required: bool = False
    canonical_values: tuple[str, ...] = ()
    #: Refuse values outside ``canonical_values`` (RFC 7643 §7 leaves it to the service provider).
    closed: bool = False
    case_exact: bool = False
    mutability: Mutability = "readWrite"
    returned: Returned = "default"
    uniqueness: Uniqueness = "none"
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()
    #: Compare as RFC 8265 "UsernameCaseMapped" does: width and case are folded (RFC 7644 §5).
    precis: bool = False


@dataclass(frozen=True)
class Attribute(_Characteristics):
    """One attribute and its characteristics (RFC 7643 §2.2, §7).

    Raises ``ValueError`` for a name outside RFC 7643 §2.1 and for a complex attribute inside
    a complex one (erratum 8415).
    """

    name: str
    type: AttributeType = "string"

    def __post_init__(self) -> None:
        if not ATTRIBUTE_NAME.match(self.name):
            raise ValueError(f"{self.name!r} is not a SCIM attribute name (RFC 7643 §2.1).")
        if self.type != "complex" and self.sub_attributes:
            raise ValueError(f"{self.name}: only a complex attribute has sub-attributes.")
        if any(sub.type == "complex" for sub in self.sub_attributes):
            raise ValueError(f"{self.name}: a sub-attribute is never complex (RFC 7643 §2.3.8).")
        if self.type in ("binary", "reference") and not self.case_exact:
            object.__setattr__(self, "case_exact", True)  # RFC 7643 §2.3.6, §2.3.7

    def __hash__(self) -> int:
        return hash((self.name, self.type))

    @cached_property
    def is_complex(self) -> bool:
        return self.type == "complex"

    @cached_property
    def _subs(self) -> dict[str, Attribute]:
        return {sub.name.lower(): sub for sub in self.sub_attributes}

    def sub(self, name: str) -> Attribute | None:
        """The sub-attribute of that name, compared without case (RFC 7643 §2.1)."""
        return self._subs.get(name.lower())

    @cached_property
    def value_attribute(self) -> Attribute | None:
        """What a bare ``emails`` means in a comparison: its ``value`` (RFC 7644 §3.4.2.2)."""
        return self.sub("value")

    @cached_property
    def takes_plain_values(self) -> bool:
        """Whether any text is a ``value`` of it."""
        value = self.value_attribute
        if value is None or value.type != "string" or value.mutability == "readOnly":
            return False
        return not (value.closed or value.multi_valued)

    def key(self, text: str) -> str:
        """``text`` as it is compared: equal keys mean equal values (RFC 7643 §2.2, RFC 7644 §5)."""
        if self.case_exact:
            return unicodedata.normalize("NFC", text)
        return comparison_key(text, precis=self.precis)


def comparison_key(text: str, *, precis: bool = False) -> str:
    """Case-insensitive comparison form: NFC and lower case; ``precis`` folds width first.

    Characters are lowered one by one, without context, so that databases can do the same; for
    the same reason the final sigma counts as any other.
    """
    if text.isascii():
        return text.lower()
    if precis:
        text = "".join(_narrow(character) for character in text)
    lowered = "".join(character.lower() for character in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", lowered.replace("ς", "σ"))


def _narrow(character: str) -> str:
    decomposition = unicodedata.decomposition(character)
    if decomposition.startswith(("<wide>", "<narrow>")):
        return "".join(chr(int(code, 16)) for code in decomposition.split()[1:])
    return character


@dataclass(frozen=True)
class Schema:
    """A schema: URN, name and attributes (RFC 7643 §7)."""

    id: str
    name: str
    attributes: tuple[Attribute, ...] = ()
    description: str = ""

    def __hash__(self) -> int:
        return hash(self.id)

    @cached_property
    def _by_name(self) -> dict[str, Attribute]:
        return {attribute.name.lower(): attribute for attribute in self.attributes}

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, compared without case."""
        return self._by_name.get(name.lower())

    def target(self, name: str, *, extension: bool = False) -> Target:
        """The path of an attribute that is there, in this schema's container if an ``extension``.

        Raises ``LookupError`` where it is not.
        """
        attribute = self.attribute(name)
        if attribute is None:
            raise LookupError(f"{self.id} has no attribute {name!r}.")
        return Target(attribute, None, self.id if extension else None)

    def including(self, *attributes: Attribute) -> Schema:
        """This schema with further attributes, or with other definitions of its own ones."""
        given = {attribute.name.lower(): attribute for attribute in attributes}
        own = tuple(given.pop(a.name.lower(), a) for a in self.attributes)
        return replace(self, attributes=own + tuple(given.values()))


@dataclass(frozen=True)
class Target:
    """A resolved attribute path: the attribute, where it sits, and perhaps a sub-attribute.

    ``extension`` is the URN of the extension whose container holds the attribute, None for
    the top level of the document (core and common attributes).
    """

    attribute: Attribute
    sub_attribute: Attribute | None = None
    extension: str | None = None

    @cached_property
    def leaf(self) -> Attribute:
        """The attribute whose characteristics decide: the sub-attribute if there is one."""
        return self.sub_attribute or self.attribute

    @property
    def parent(self) -> Target:
        """The same path without its sub-attribute."""
        return replace(self, sub_attribute=None) if self.sub_attribute else self

    def sub(self, name: str) -> Target:
        """The path of a sub-attribute that is there. Raises ``LookupError`` where it is not."""
        sub_attribute = self.attribute.sub(name)
        if sub_attribute is None:
            raise LookupError(f"{self} has no sub-attribute {name!r}.")
        return self.of(sub_attribute)

    def of(self, sub_attribute: Attribute) -> Target:
        """The path of one of its sub-attributes."""
        made = self._below.get(sub_attribute.name)
        if made is None or made.sub_attribute is not sub_attribute:
            made = self._below[sub_attribute.name] = replace(self, sub_attribute=sub_attribute)
        return made

    @cached_property
    def _below(self) -> dict[str, Target]:
        """The paths of sub-attributes that were asked for."""
        return {}

    @cached_property
    def name(self) -> str:
        """The canonical path of the attribute itself: ``emails``, ``urn:…:User:department``."""
        name = self.attribute.name
        return f"{self.extension}:{name}" if self.extension else name

    def __str__(self) -> str:
        return self._path

    @cached_property
    def _path(self) -> str:
        return f"{self.name}.{self.sub_attribute.name}" if self.sub_attribute else self.name


SCHEMAS = Attribute("schemas", "reference", multi_valued=True, returned="always", required=True)
ID = Attribute(
    "id", case_exact=True, mutability="readOnly", returned="always", uniqueness="server",
    required=True,
)  # fmt: skip
EXTERNAL_ID = Attribute("externalId", case_exact=True)
META = Attribute(
    "meta",
    "complex",
    mutability="readOnly",
    sub_attributes=(
        Attribute("resourceType", case_exact=True, mutability="readOnly"),
        Attribute("created", "dateTime", mutability="readOnly"),
        Attribute("lastModified", "dateTime", mutability="readOnly"),
        Attribute("location", "reference", mutability="readOnly"),
        Attribute("version", case_exact=True, mutability="readOnly"),
    ),
)
#: Part of every resource, of no schema (RFC 7643 §3.1).
COMMON_ATTRIBUTES = (SCHEMAS, ID, EXTERNAL_ID, META)


@dataclass(frozen=True)
class ResourceSchema:
    """Everything a resource of one type may hold: common attributes, core schema, extensions."""

    core: Schema
    extensions: tuple[Schema, ...] = ()
    required_extensions: frozenset[str] = field(default_factory=frozenset)

    def __hash__(self) -> int:
        return hash((self.core.id, tuple(schema.id for schema in self.extensions)))

    @cached_property
    def _uris(self) -> dict[str, str]:
        return {schema.id.lower(): schema.id for schema in (self.core, *self.extensions)}

    def uri(self, text: str) -> str | None:
        """The canonical spelling of a schema URN of this resource type, or None."""
        return self._uris.get(text.lower()) if ":" in text else None

    @cached_property
    def _top(self) -> dict[str, Target]:
        attributes = (*self.core.attributes, *COMMON_ATTRIBUTES)
        return {attribute.name.lower(): Target(attribute) for attribute in attributes}

    @cached_property
    def _contained(self) -> dict[str, dict[str, Target]]:
        return {
            schema.id: {a.name.lower(): Target(a, None, schema.id) for a in schema.attributes}
            for schema in self.extensions
        }

    @cached_property
    def spellings(self) -> dict[str, Target]:
        """Attributes by names that clients sent for them: a memory, never whole."""
        return {}

    @cached_property
    def demanding(self) -> tuple[Target, ...]:
        """The attributes that clients must send, or must send something of."""
        return tuple(
            target
            for target in self
            if target.attribute.required or any(s.required for s in target.attribute.sub_attributes)
        )

    def top_level(self) -> Iterable[Target]:
        """The core attributes, then the common ones."""
        return self._top.values()

    def container(self, uri: str) -> Iterable[Target]:
        """The attributes of an extension; ``uri`` in its canonical spelling."""
        return self._contained[uri].values()

    def __iter__(self) -> Iterator[Target]:
        yield from self._top.values()
        for targets in self._contained.values():
            yield from targets.values()

    def find(self, name: str, uri: str | None = None) -> Target | None:
        """The attribute called ``name``, in schema ``uri`` if given; names and URNs in any case.

        Without a URN, an extension's attribute is found too when only one extension has the
        name (RFC 7644 §3.10 asks for the URN; clients forget it).
        """
        if uri is not None:
            known = self.uri(uri)
            if known is None:
                return None
            return (self._top if known == self.core.id else self._contained[known]).get(
                name.lower()
            )
        if target := self._top.get(name.lower()):
            return target
        found = [t[name.lower()] for t in self._contained.values() if name.lower() in t]
        return found[0] if len(found) == 1 else None
