"""A tiny SCIM service in memory, and the ways in which one can get a rule wrong."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "s3cret-access-key-0123456789"
BASE = "/scim/v2"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ROLES = ["admin", "manager", "analyst"]

Document = dict[str, Any]

_BRACKETS = re.compile(r'(\w+)\[(\w+) eq "([^"]*)"\](?:\.(\w+))?')
_FILTER = re.compile(r'(\w+)(?:\[type eq "(\w+)"\]\.value)? eq "([^"]*)"')


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, detail: str, scim_type: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.document = {
            "schemas": [f"{MESSAGES}:Error"],
            "status": str(status),
            "detail": detail,
            "scimType": scim_type,
        }


class Service:
    """Users and groups by id. `faults` are the rules that it breaks."""

    def __init__(self, *faults: str, roles: list[str] | None = ROLES) -> None:
        self.faults = set(faults)
        self.roles = roles
        self.stored: dict[str, dict[str, Document]] = {"Users": {}, "Groups": {}}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.base_url = ""
        self._lock = threading.Lock()
        self._count = 0

    @property
    def left(self) -> list[str]:
        """The names of everything that is still stored."""
        users, groups = self.stored["Users"].values(), self.stored["Groups"].values()
        return [user["userName"] for user in users] + [group["displayName"] for group in groups]

    def answer(self, method: str, target: str, headers: dict[str, str], body: Any) -> Any:
        """(status, document or None); raises `Refused`."""
        with self._lock:
            self.requests.append((method, target, headers, body))
            self.before(method, target)
            is_known = headers.get("Authorization") in self.accepted()
            if not is_known and "any key" not in self.faults:
                raise Refused(401, "The access key is unknown.")
            url = urlsplit(target.removeprefix(BASE))
            _, endpoint, *rest = url.path.split("/")
            if endpoint == "Schemas":
                return 200, self.schemas()
            if endpoint not in self.stored:
                raise Refused(404, "There is nothing here.")
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            action = getattr(self, method.lower())
            return action(endpoint, unquote(rest[0]) if rest else "", query, body)

    def accepted(self) -> set[str]:
        return {f"Bearer {KEY}", f"Acme-API-Key {KEY}"}

    def schemas(self) -> Document:
        role = {"name": "role", "type": "string", "canonicalValues": self.roles}
        attributes = [{"name": "userName"}, *([role] if self.roles is not None else [])]
        return self._list([{"id": f"{CORE}:User", "attributes": attributes}], {})

    def get(self, endpoint: str, id: str, query: dict[str, str], body: Any) -> Any:
        if id:
            return 200, self._shown(self._one(endpoint, id), query)
        found = list(self.stored[endpoint].values())
        if (text := query.get("filter")) and "ignores filters" not in self.faults:
            found = [one for one in found if _matches(one, text)]
            if not found and "404 for nothing" in self.faults:
                raise Refused(404, "Nothing has this name.")
        return 200, self._list([self._shown(one, query) for one in found], query)

    def post(self, endpoint: str, id: str, query: dict[str, str], body: Document) -> Any:
        named_by = "userName" if endpoint == "Users" else "displayName"
        taken = {one[named_by].casefold() for one in self.stored[endpoint].values()}
        if body[named_by].casefold() in taken and "duplicates" not in self.faults:
            raise Refused(409, f"{named_by} {body[named_by]} is taken.", "uniqueness")
        self._count += 1
        document = {"active": True} if endpoint == "Users" else {}
        document |= {name: value for name, value in body.items() if value is not None}
        document |= {"id": f"id-{self._count}", "meta": {"resourceType": endpoint[:-1]}}
        document.pop("password", None)
        self.stored[endpoint][document["id"]] = document
        if endpoint == "Users" and "empty create" in self.faults:
            return 201, None
        return 201, self._shown(document, query)

    def put(self, endpoint: str, id: str, query: dict[str, str], body: Document) -> Any:
        stored = self._one(endpoint, id)
        if "role" in body and self.roles and body["role"] not in self.roles:
            raise Refused(400, f"role is one of {', '.join(self.roles)}.", "invalidValue")
        if "broken put" in self.faults:
            raise ZeroDivisionError
        kept = {name: stored[name] for name in ("id", "meta", "active") if name in stored}
        stored.clear()
        stored |= {**kept, **body, "id": kept["id"]}
        return 200, self._shown(stored, query)

    def patch(self, endpoint: str, id: str, query: dict[str, str], body: Document) -> Any:
        stored = self._one(endpoint, id)
        for operation in body["Operations"]:
            op, path, value = operation["op"].lower(), operation.get("path"), operation.get("value")
            if path is None:
                stored |= {name: item for name, item in value.items() if name != "id"}
            elif path == "members":
                self._change_members(stored, op, value)
            elif match := _BRACKETS.fullmatch(path):
                _change_element(stored, op, value, *match.groups())
            else:
                _change_attribute(stored, path, value)
        if isinstance(stored.get("active"), str) and "active as text" not in self.faults:
            stored["active"] = stored["active"].lower() == "true"
        return (204, None) if endpoint == "Groups" else (200, self._shown(stored, query))

    def delete(self, endpoint: str, id: str, query: dict[str, str], body: Any) -> Any:
        if "no delete" in self.faults:
            raise Refused(405, "DELETE is not allowed here.")
        self._one(endpoint, id)
        del self.stored[endpoint][id]
        return 204, None

    def _one(self, endpoint: str, id: str) -> Document:
        if id not in self.stored[endpoint]:
            raise Refused(404, f"There is no {endpoint[:-1]} {id}.")
        return self.stored[endpoint][id]

    def _shown(self, document: Document, query: dict[str, str]) -> Document:
        return {
            name: document[name] for name in document if name != query.get("excludedAttributes")
        }

    def _list(self, found: list[Document], query: dict[str, str]) -> Document:
        start, count = int(query.get("startIndex", 1)), int(query.get("count", 100))
        page = found[start - 1 :][:count]
        if "same page" in self.faults:
            page = found[:count]
        document = {
            "schemas": [f"{MESSAGES}:ListResponse"],
            "totalResults": str(len(found)) if "total as text" in self.faults else len(found),
            "startIndex": start,
            "itemsPerPage": len(page),
            "Resources": page,
        }
        if not found and "no resources" in self.faults:
            del document["Resources"]
        return document

    def _change_members(self, group: Document, op: str, value: list[Document]) -> None:
        members = {member["value"]: member for member in group.get("members", [])}
        named = {member["value"]: member for member in value}
        if op == "add":
            members |= named
        elif op == "replace" and "replace adds" not in self.faults:
            members = named
        elif op == "remove" and "remove empties" in self.faults:
            members = {}
        elif op == "remove":
            members = {id: member for id, member in members.items() if id not in named}
        group["members"] = list(members.values())


def _matches(document: Document, text: str) -> bool:
    match = _FILTER.fullmatch(text)
    assert match, text
    name, kind, value = match.groups()
    if kind:
        return any((e.get("type"), e["value"]) == (kind, value) for e in document[name])
    return str(document.get(name)).casefold() == value.casefold()


def _change_element(
    document: Document, op: str, value: Any, name: str, key: str, wanted: str, sub: str
) -> None:
    elements = document.setdefault(name, [])
    selected = [element for element in elements if element.get(key) == wanted]
    if op == "remove":
        document[name] = [element for element in elements if element not in selected]
        return
    if not selected:
        elements.append({key: wanted})
        selected = elements[-1:]
    for element in selected:
        element[sub] = value


def _change_attribute(document: Document, path: str, value: Any) -> None:
    if path.startswith(f"{CORE}:User:"):
        document[path.rsplit(":", 1)[-1]] = value
    elif path.startswith(ENTERPRISE):
        name = path.rsplit(":", 1)[-1]
        extension = document.setdefault(ENTERPRISE, {})
        extension[name] = {"value": value} if name == "manager" else value
    elif "." in path:
        name, sub = path.split(".")
        document[name] = {**document[name], sub: value}
    else:
        document[path] = value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service: Service

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        try:
            status, document = self.service.answer(
                self.command, self.path, dict(self.headers), body
            )
        except Refused as refused:
            status, document = refused.status, refused.document
        except ZeroDivisionError:
            status, document = 500, "<h1>Server Error (500)</h1>"
        self._send(status, document)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _send(self, status: int, document: Any) -> None:
        html = isinstance(document, str)
        data = b"" if document is None else (document if html else json.dumps(document)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if html else "application/scim+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: some tests hang up on purpose."""


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """The service on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"service": service})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    service.base_url = f"http://127.0.0.1:{server.server_port}{BASE}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
