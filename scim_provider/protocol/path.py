"""Attribute paths: ``[URN:]name[.sub]`` (RFC 7644 §3.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .schema import ResourceSchema, Target

_NAME = r"\$?[A-Za-z][A-Za-z0-9_-]*"
# The URN is all before the last colon, so that the dots in "2.0" never split a name.
_PATH = re.compile(
    rf"(?:(?P<uri>urn:[^\s\[\]()\"]+):)?(?P<name>{_NAME})(?:\.(?P<sub>{_NAME}))?\Z", re.I
)


@dataclass(frozen=True, slots=True)
class AttributePath:
    """A path as written: nothing is known yet about what it names."""

    name: str
    sub: str | None = None
    uri: str | None = None

    def __str__(self) -> str:
        text = f"{self.uri}:{self.name}" if self.uri else self.name
        return f"{text}.{self.sub}" if self.sub else text

    @classmethod
    def parse(cls, text: str) -> AttributePath | None:
        """The path that ``text`` spells, or None where it spells none."""
        match = _PATH.match(text)
        return cls(match["name"], match["sub"], match["uri"]) if match else None

    def resolve(self, schema: ResourceSchema) -> Target | None:
        """What the path names in ``schema``, or None where it names nothing."""
        target = schema.find(self.name, self.uri)
        if target is None or self.sub is None:
            return target
        sub_attribute = target.attribute.sub(self.sub)
        return target.of(sub_attribute) if sub_attribute else None
