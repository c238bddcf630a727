"""Values a script refers to as ``${name}``, and the bodies made from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

REFERENCE = re.compile(r"\$\{([a-z_]+(?:\.[a-z_]+)*)(?::([a-z]+))?\}")

ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "query": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "upper": str.upper,
}

_OMITTED = object()


class UnknownVariable(LookupError):
    """A name that nothing has set, usually because the step that saves it failed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Variables:
    """Names with dots, each dot one level of a dict; plus the features that are on.

    ``${name:query}`` and ``${name:form}`` encode for a URL with a blank as %20 or +.
    """

    def __init__(self, values: dict[str, Any], features: frozenset[str] = frozenset()) -> None:
        self._values = values
        self.features = features

    def __getitem__(self, name: str) -> Any:
        """The value of a dotted name; raises `UnknownVariable`."""
        value: Any = self._values
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                raise UnknownVariable(name)
            value = value[part]
        return value

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except UnknownVariable:
            return False
        return True

    def __setitem__(self, name: str, value: Any) -> None:
        *parents, last = name.split(".")
        target = self._values
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = value

    def text(self, template: str) -> str:
        """The template with each reference replaced by its text; raises `UnknownVariable`."""
        return REFERENCE.sub(self._one, template)

    def render(self, template: Any) -> Any:
        """A JSON value with references filled in; raises `UnknownVariable`.

        ``{"for": "people", "item": …}`` becomes a list, ``{"if": "role", "then": …}`` disappears
        while that feature is off, and a text that is one reference keeps the value's JSON type.
        """
        if isinstance(template, str):
            return self._typed(template)
        if isinstance(template, list):
            return [self.render(item) for item in template]
        if not isinstance(template, dict):
            return template
        if set(template) == {"for", "item"}:
            return self._listed(template["for"], template["item"])
        if set(template) == {"if", "then"}:
            return self.render(template["then"]) if template["if"] in self.features else _OMITTED
        rendered = {self.text(name): self.render(value) for name, value in template.items()}
        return {name: value for name, value in rendered.items() if value is not _OMITTED}

    def _one(self, match: re.Match[str]) -> str:
        name, encoding = match.groups()
        text = str(self[name])
        return ENCODINGS[encoding](text) if encoding else text

    def _typed(self, template: str) -> Any:
        match = REFERENCE.fullmatch(template)
        return self[match[1]] if match and not match[2] else self.text(template)

    def _listed(self, name: str, item: Any) -> list[Any]:
        before, rendered = self["person"], []
        for person in self[name]:
            self["person"] = person
            rendered.append(self.render(item))
        self["person"] = before
        return rendered
