"""Records as text, piece by piece: JSON lines, one ListResponse, one BulkRequest, CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any

from .protocol.bulk.request import BULK_REQUEST_URN
from .protocol.messages import LIST_RESPONSE_URN
from .protocol.schema import Attribute, ResourceSchema

#: Where a spreadsheet may take a cell to begin, and what it then takes for a formula. Where the
#: comma is the decimal one, cells are parted by semicolons, and quotes within a line mean nothing,
#: but for those that a cell begins with, which are taken away.
_FORMULA = re.compile(r"(^|[;\t\r\n])([\s\"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
#: What the service provider gives, and a client does not send.
_GIVEN = ("id", "meta", "groups")

Record = Mapping[str, Any]


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def json_lines(records: Iterable[Record]) -> Iterator[str]:
    """One JSON object a line."""
    return (f"{json_text(record)}\n" for record in records)


def list_response(records: Iterable[Record]) -> Iterator[str]:
    """One ListResponse (RFC 7644 §3.4.2), whose total is known at its end."""
    count = 0
    yield f'{{"schemas":["{LIST_RESPONSE_URN}"],"Resources":['
    for record in records:
        yield ("," if count else "") + json_text(record)
        count += 1
    yield f'],"startIndex":1,"itemsPerPage":{count},"totalResults":{count}}}\n'


def bulk_request(resources: Iterable[tuple[str, Record]]) -> Iterator[str]:
    """One BulkRequest (RFC 7644 §3.7) that makes all of them anew, of ``(endpoint, document)``.

    Members and managers are named by ``bulkId``, as the other side gives ids of its own.
    """
    first = True
    yield f'{{"schemas":["{BULK_REQUEST_URN}"],"Operations":['
    for endpoint, document in resources:
        data = {name: value for name, value in document.items() if name not in _GIVEN}
        operation = {
            "method": "POST",
            "path": endpoint,
            "bulkId": _bulk_id(document["meta"]["resourceType"], document["id"]),
            "data": _referring(data),
        }
        yield ("" if first else ",") + json_text(operation)
        first = False
    yield "]}\n"


def _referring(data: dict[str, Any]) -> dict[str, Any]:
    """The resource with the ids of others as references."""
    if "members" in data:
        data["members"] = [_reference(member) for member in data["members"]]
    for name, value in data.items():
        if isinstance(value, dict) and isinstance(value.get("manager"), dict):
            manager = value["manager"]
            data[name] = value | {"manager": _manager(manager)}
    return data


def _bulk_id(kind: str, scim_id: str) -> str:
    """With the type: an id that an import brought may be a User's and a Group's."""
    return f"{kind}-{scim_id}"


def _manager(manager: Record) -> Record:
    named = manager.get("value")
    return {"value": f"bulkId:{_bulk_id('User', named)}"} if named else manager


def _reference(member: Record) -> dict[str, Any]:
    kept = {name: value for name, value in member.items() if name in ("type", "display")}
    return {"value": f"bulkId:{_bulk_id(member['type'], member['value'])}", **kept}


def csv_lines(records: Iterable[Record], columns: Iterable[str]) -> Iterator[str]:
    """A header, then a line a record; several values of one attribute are parted by ``; ``."""
    names = list(columns)
    line = StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(names)
    for record in records:
        yield _taken(line)
        writer.writerow([_cell(_value(record, name)) for name in names])
    yield _taken(line)


def _taken(line: StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def csv_columns(schema: ResourceSchema) -> Iterator[str]:
    """A column for each attribute, and for each sub-attribute of a single-valued one."""
    yield from ("id", "externalId")
    yield from _columns(schema.core.attributes, "")
    for extension in schema.extensions:
        yield from _columns(extension.attributes, f"{extension.id}:")
    yield from ("meta.created", "meta.lastModified")


def _columns(attributes: Iterable[Attribute], prefix: str) -> Iterator[str]:
    for attribute in attributes:
        if attribute.returned == "never" or attribute.name in ("id", "externalId"):
            continue
        if attribute.is_complex and not attribute.multi_valued:
            yield from (f"{prefix}{attribute.name}.{sub.name}" for sub in attribute.sub_attributes)
        else:
            yield prefix + attribute.name


def _value(record: Record, name: str) -> Any:
    """What a column shows: the name is a path, behind an extension's URN or not."""
    if name in record:
        return record[name]
    urn, colon, path = name.rpartition(":")
    found: Any = record.get(urn, {}) if colon else record
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return _safe("; ".join(map(_single, value)))
    return _safe(_single(value))


def _single(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value["value"]) if "value" in value else json_text(value)
    return str(value)


def _safe(text: str) -> str:
    return _FORMULA.sub(r"\1\2'", text)
