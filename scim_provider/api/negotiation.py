"""Media types in and out (RFC 7644 §3.8): SCIM's own, and plain JSON for those who ask for it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import IO, Any, NoReturn

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from scim_provider.conf import scim_settings
from scim_provider.protocol.encoded import EncodedDocuments
from scim_provider.protocol.errors import (
    InvalidSyntax,
    InvalidValue,
    PayloadTooLarge,
    UnsupportedMediaType,
)

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

SCIM_JSON = "application/scim+json"
JSON = "application/json"

#: A resource needs five levels, a PATCH of one seven, and ten in a Bulk request.
_DEEPEST = 32
#: Escapes that may stand for NUL or half a surrogate pair; text decoded from UTF-8 has neither.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class ScimRenderer(BaseRenderer):
    """A document as ``application/scim+json``; UTF-8 without saying so (RFC 8259 §11)."""

    media_type = SCIM_JSON
    format = "scim"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return _encoded(data)


class JSONRenderer(ScimRenderer):
    """The same document as ``application/json``."""

    media_type = JSON
    format = "json"


class ScimParser(BaseParser):
    """A JSON object from the body; everything else about the bytes ends here.

    Raises :class:`PayloadTooLarge`, :class:`InvalidSyntax`, :class:`InvalidValue`.
    """

    media_type = SCIM_JSON

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return parse_document(_read(stream, scim_settings.max_body_bytes))


class JSONParser(ScimParser):
    media_type = JSON


class ScimNegotiation(BaseContentNegotiation):
    """SCIM's media type, unless ``Accept`` names only ``application/json``; never 406."""

    def select_parser(  # type: ignore[override]
        self, request: Request, parsers: Sequence[BaseParser]
    ) -> BaseParser | None:
        """None where the body is of another type. No type at all is taken for JSON."""
        sent = _essence(request.content_type) or SCIM_JSON
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        accepted = {_essence(part) for part in request.META.get("HTTP_ACCEPT", "").split(",")}
        wanted = JSON if accepted == {JSON} else SCIM_JSON
        renderer = next(each for each in renderers if each.media_type == wanted)
        return renderer, wanted


def _encoded(data: Any) -> bytes:
    if orjson is not None:
        with suppress(TypeError):  # An integer beyond 64 bits.
            return orjson.dumps(data, default=_handed_through)
    text = json.dumps(
        data, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
    )
    return text.encode("utf-8", "replace")


def _handed_through(value: Any) -> Any:
    return orjson.Fragment(value.as_bytes) if isinstance(value, EncodedDocuments) else str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, EncodedDocuments) else str(value)


def read_document(request: Request) -> dict[str, Any]:
    """The request's body, which must be a JSON object.

    Raises :class:`UnsupportedMediaType` and what :class:`ScimParser` raises. A body that
    declares too great a length is not read at all.
    """
    parser = ScimNegotiation().select_parser(request, [ScimParser(), JSONParser()])
    if parser is None:
        raise UnsupportedMediaType(
            f"{_essence(request.content_type)[:80]} is not taken. "
            + UnsupportedMediaType.default_detail
        )
    if _declared_length(request) > scim_settings.max_body_bytes:
        _refuse_length(scim_settings.max_body_bytes)
    return parse_document(_read(_stream(request._request), scim_settings.max_body_bytes))


def parse_document(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw`` (RFC 8259), of text that any database can store.

    Raises :class:`InvalidSyntax` for anything else and :class:`InvalidValue` for a string with
    NUL or half a surrogate pair.
    """
    text = _decoded(raw)
    if not text.strip():
        raise InvalidSyntax("The request has no body. Send a JSON object.")
    document = _loads(text)
    if not isinstance(document, dict):
        raise InvalidSyntax("The body must be a JSON object, in braces.")
    strings_too = bool(_SUSPECT_ESCAPE.search(text))
    for container in _containers(document):
        if strings_too and any(_UNSTORABLE.search(text) for text in _strings(container)):
            raise InvalidValue("A string contains NUL or half a surrogate pair. Leave it out.")
    return document


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSyntax(f"The body is not UTF-8: see byte {error.start + 1}.") from error


def _loads(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise InvalidSyntax(
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InvalidSyntax("The body is nested too deeply.") from error
    except ValueError as error:  # An integer of thousands of digits.
        raise InvalidSyntax("The body contains a number that is out of range.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidSyntax(f"The body is not JSON: {name} is no JSON number.")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise InvalidSyntax(f"The number {literal[:20]} is out of range.")
    return number


def _containers(document: dict[str, Any]) -> Iterator[dict[str, Any] | list[Any]]:
    """Every object and array of ``document``, level by level, down to a sane depth."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        yield from level
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) in (dict, list)
        ]
        if not level:
            return
    raise InvalidSyntax(f"The body is nested more than {_DEEPEST} levels deep.")


def _strings(container: dict[str, Any] | list[Any]) -> Iterator[str]:
    if isinstance(container, dict):
        yield from container
        container = list(container.values())
    yield from (item for item in container if isinstance(item, str))


def _read(stream: IO[bytes], most: int) -> bytes:
    try:
        raw = stream.read(most + 1)
    except Exception as error:  # Every server has its own for a chunk that is none.
        raise InvalidSyntax("The body broke off.") from error
    if len(raw) > most:
        _refuse_length(most)
    return raw


def _refuse_length(most: int) -> NoReturn:
    raise PayloadTooLarge(f"The body is longer than {most} bytes. Send fewer values at a time.")


def _declared_length(request: Request) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _stream(request: HttpRequest) -> IO[bytes]:
    """The body as a stream, so that Django's own limit on bodies does not meddle.

    A chunked body has no length, which Django takes for an empty one; servers that mark its
    end say so.
    """
    if request._read_started:  # type: ignore[attr-defined]
        return BytesIO(request.body)
    if "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated"):
        terminated: IO[bytes] = request.META["wsgi.input"]
        return terminated
    return request  # type: ignore[return-value]


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
