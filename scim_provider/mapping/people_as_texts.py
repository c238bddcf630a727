"""Pages of people as JSON, of stored texts that are handed through without being read.

What is answered beside the stored attributes is put before them and between them: by columns, as
what is done to a hundred values at once takes Python a fraction of a hundred times one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from scim_provider.layouts import Path, body_of, layout_of, member, paths, read_text
from scim_provider.prepared import Row
from scim_provider.protocol.encoded import EncodedDocuments
from scim_provider.protocol.projection import Projection

from .context import Context
from .direct import read_group_keys
from .managers import MANAGER, MANAGER_ID, MANAGER_NAME, MANAGER_REF
from .paths import Document
from .reader import DOCUMENT, KEY, RowReader, path_of

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

#: More layouts than a directory has: attributes come in sets.
_MOST_LAYOUTS = 2_000
_MANAGER, _MANAGER_ID, _MANAGER_REF = map(path_of, (MANAGER, MANAGER_ID, MANAGER_REF))
#: What comes before the id of a manager in a body.
_BEFORE_ID = f'{member(*_MANAGER)}{{{member(*_MANAGER_ID)}"'


class _Layout(NamedTuple):
    """What there is in the texts of one layout: the names of objects, and whether a manager."""

    objects: frozenset[str]
    has_manager: bool


class PeopleAsTexts:
    """The people that ``reader`` reads for one projection."""

    def __init__(self, reader: RowReader, projection: Projection) -> None:
        self.reader, self._projection = reader, projection
        self._layouts: dict[str, _Layout | None] = {}
        self._schemas: dict[frozenset[str], str] = {}
        places = reader.places
        #: By the name of an object: the numbers and names of the columns that belong in it.
        self.nested: dict[str, list[tuple[int, str]]] = {}
        for place in places.nested:
            self.nested.setdefault(place.outer, []).append((place.number, place.name))
        #: What no body may have, as columns or other tables tell it.
        self._told: list[Path] = [("schemas",), ("id",), ("meta",), ("groups",)]
        self._told += [(name,) for _, name in places.top]
        self._told += [path_of(place.target) for place in places.nested]
        self._told += [path_of(each) for some in places.elsewhere.values() for each in some]

    @property
    def can_be_made(self) -> bool:
        """Whether an answer holds all that is known here of a person, and that in known places."""
        beside = ("schemas",), ("id",), ("meta",), ("groups",), _MANAGER_ID, _MANAGER_REF
        return (
            orjson is not None
            and self._projection.keeps(*beside)
            and not self._projection.wants(MANAGER_NAME)
            and not any(place.inner for place in self.reader.places.nested)
        )

    def documents(self, rows: Sequence[Row], context: Context) -> EncodedDocuments | None:
        """Rows of :meth:`RowReader.values`, read with the keys of their groups, as answered.

        None where any of them must be read.
        """
        columns = list(zip(*self.reader.converted(rows), strict=True))
        if not all(map(self.reader.is_owned, rows)):
            return None
        layouts = list(filter(None, map(self._layout, columns[DOCUMENT])))
        bodies = list(map(body_of, columns[DOCUMENT]))
        managers = _managers_of(layouts, bodies) if len(layouts) == len(rows) else None
        if managers is None:
            return None
        texts = columns[len(self.reader.columns)]
        keys = {pk: text for pk, text in zip(columns[KEY], texts, strict=True) if text}
        people = {*managers} - {""}
        groups, known = read_group_keys(keys, context, people) if keys or people else ({}, set())
        page = _Page(self, columns, groups, context)
        shown = [manager if manager in known else "" for manager in managers]
        return EncodedDocuments(page.texts(layouts, bodies, shown), columns[0])

    def _layout(self, text: str) -> _Layout | None:
        """What there is in the text; None where it is not to be handed through."""
        name = layout_of(text)
        try:
            return self._layouts[name]
        except KeyError:
            return self._look_at(name, text)

    def _look_at(self, name: str, text: str) -> _Layout | None:
        """Read one text, to know what to do with all texts of its layout."""
        there = list(paths(read_text(self.reader.loads(text))))
        managers = [path for path in there if path[1:2] == _MANAGER[1:]]
        can_be_handed = (
            name != ""
            and self._projection.keeps(*there)
            and not any(_overlap(path, told) for path in there for told in self._told)
            and managers in ([], [_MANAGER_ID])
        )
        objects = frozenset(path[0] for path in there if len(path) > 1)
        layout = _Layout(objects, bool(managers)) if can_be_handed else None
        if len(self._layouts) >= _MOST_LAYOUTS:
            self._layouts = {}
        self._layouts[name] = layout
        return layout

    def schemas_of(self, objects: frozenset[str]) -> str:
        """``schemas`` of a person with objects of these names, as JSON."""
        if objects not in self._schemas:
            present = [uri for uri in self.reader.extensions if uri in objects]
            self._schemas[objects] = json.dumps([self.reader.core, *present])
        return self._schemas[objects]


def _overlap(one: Path, other: Path) -> bool:
    """Whether one of two paths is the other or leads to it."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _managers_of(layouts: Sequence[_Layout], bodies: Sequence[str]) -> list[str] | None:
    """The id of each one's manager, "" for none; None where one cannot be told."""
    managers = []
    for layout, body in zip(layouts, bodies, strict=True):
        manager = ""
        if layout.has_manager:
            _, found, behind = body.partition(_BEFORE_ID)
            manager = behind[: behind.find('"')]
            if not found or "\\" in manager:
                return None
        managers.append(manager)
    return managers


class _Page:
    """The texts of one page, of parts that are made for all of them at once."""

    def __init__(
        self,
        people: PeopleAsTexts,
        columns: Sequence[Sequence[Any]],
        groups: Mapping[int, list[Document]],
        context: Context,
    ) -> None:
        reader = people.reader
        self._schemas_of, self._pks, self._groups = people.schemas_of, columns[KEY], groups
        #: By the lists, as whoever is in the same groups shares one.
        self._groups_as_texts: dict[int, str] = {}
        self._base = json.dumps(context.location(reader.resource_type.endpoint, ""))[:-1]
        self._ids = _strings(columns[0])
        self._tops = _joined(columns, reader.places.top)
        self._nested = [(outer, _joined(columns, some)) for outer, some in people.nested.items()]
        kind = json.dumps(reader.resource_type.name)
        self._metas = [
            f'"meta":{{"resourceType":{kind},"created":"{created}","lastModified":"{modified}",'
            f'"location":{self._base}{own[1:]},"version":"W/\\"{number}\\""}}'
            for own, number, created, modified in zip(
                self._ids, columns[2], *map(reader.moments, columns[3:DOCUMENT]), strict=True
            )
        ]

    def texts(
        self, layouts: Sequence[_Layout], bodies: Sequence[str], managers: Sequence[str]
    ) -> list[str]:
        """Each person as JSON; ``managers`` are the ids of those that are known here, else ""."""
        bodies, objects = list(bodies), [layout.objects for layout in layouts]
        for outer, members in self._nested:
            self._insert(outer, members, bodies, objects)
        for number, manager in enumerate(managers):
            if manager:
                value = f'{_BEFORE_ID}{manager}"'
                reference = f'{value},"$ref":{self._base}{manager}"'
                bodies[number] = bodies[number].replace(value, reference, 1)
        schemas = map(self._schemas_of, objects)
        groups = map(self._groups_of, self._pks)
        return [
            f'{{"schemas":{schema},"id":{own},{top}{meta}{group}{body}'
            for schema, own, top, meta, group, body in zip(
                schemas, self._ids, self._tops, self._metas, groups, bodies, strict=True
            )
        ]

    def _insert(
        self, outer: str, members: Sequence[str], bodies: list[str], objects: list[frozenset[str]]
    ) -> None:
        """Put members into the object ``outer`` of each, which may be new."""
        start = f"{member(outer)}{{"
        for number, inner in enumerate(members):
            if not inner:
                continue
            if outer in objects[number]:
                bodies[number] = bodies[number].replace(start, start + inner, 1)
            else:
                self._tops[number] += f"{json.dumps(outer)}:{{{inner[:-1]}}},"
                objects[number] |= {outer}

    def _groups_of(self, pk: int) -> str:
        groups = self._groups.get(pk)
        if groups is None:
            return ""
        key = id(groups)
        if key not in self._groups_as_texts:
            self._groups_as_texts[key] = f',"groups":{_json(groups)}'
        return self._groups_as_texts[key]


def _members(name: str, values: Sequence[Any]) -> list[str]:
    """The member ``name`` of an object for each value, with a comma behind it; "" for none."""
    start = f"{json.dumps(name)}:"
    if {bool, type(None)}.issuperset(map(type, values)):
        texts = {True: f"{start}true,", False: f"{start}false,", None: ""}
        return [texts[value] for value in values]
    if _are_plain(values):
        return [f'{start}"{value}",' if value else "" for value in values]
    return [f"{start}{_json(value)}," if value not in (None, "") else "" for value in values]


def _strings(values: Sequence[str]) -> list[str]:
    """Texts as JSON."""
    if _are_plain(values):
        return [f'"{value}"' for value in values]
    return [_json(value) for value in values]


def _are_plain(values: Sequence[Any]) -> bool:
    """Whether all are texts that JSON has as they are, or nothing."""
    if not {str, type(None)}.issuperset(map(type, values)):
        return False
    text = "".join(filter(None, values))
    return text.isprintable() and '"' not in text and "\\" not in text


def _json(value: Any) -> str:
    with suppress(TypeError):  # An integer beyond 64 bits.
        return orjson.dumps(value, default=str).decode()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _joined(columns: Sequence[Sequence[Any]], places: Sequence[tuple[int, str]]) -> list[str]:
    """The members at ``places``, their columns and names, of each row."""
    members = [_members(name, columns[number]) for number, name in places]
    return list(map("".join, zip(*members, strict=True))) if places else [""] * len(columns[0])
