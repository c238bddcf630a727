"""A service of resources in memory, to run Bulk requests against without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from scim_provider.protocol.bulk import Success, execute, find_references, read_bulk_request
from scim_provider.protocol.errors import InternalError, InvalidValue, NotFound, ScimError

T = TypeVar("T")

BASE_URL = "https://example.com/scim/v2"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


class MemoryService:
    """Keeps what it is sent under ids "1", "2", …; what it was asked to do is in ``calls``.

    A resource with a member ``fail`` is refused, one with ``crash`` is a bug. A reference in
    ``members`` must be there already, and no resource is a member of itself. One that does not
    take ids calls things what it likes, as a site's own resource type may.
    """

    def __init__(self, *, takes_ids: bool = True) -> None:
        self.takes_ids = takes_ids
        self.resources: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.last = 0
        self.reported: list[Exception] = []

    def new_id(self) -> str:
        self.last += 1
        return str(self.last)

    def create_many(
        self, endpoint: str, bodies: Sequence[Any], ids: Sequence[str] | None
    ) -> list[Success | ScimError]:
        self.calls.append(("create_many", len(bodies)))
        self._require_endpoint(endpoint)
        if ids is None or not self.takes_ids:
            ids = [self.new_id() for _ in bodies]
        outcomes: list[Success | ScimError] = []
        for body, scim_id in zip(bodies, ids, strict=True):
            try:
                outcomes.append(self._put(endpoint, scim_id, body, 201))
            except ScimError as error:
                outcomes.append(error)
        return outcomes

    def perform(
        self, method: str, endpoint: str, scim_id: str, data: Any, version: str | None
    ) -> Success:
        self.calls.append((method, scim_id or data))
        self._require_endpoint(endpoint)
        if method == "POST":
            return self._put(endpoint, self.new_id(), data, 201)
        if scim_id not in self.resources:
            raise NotFound
        if method == "DELETE":
            del self.resources[scim_id]
            return Success(204, scim_id, f"{BASE_URL}{endpoint}/{scim_id}")
        return self._put(endpoint, scim_id, data, 200)

    def atomically(self, operation: Callable[[], T]) -> T:
        before = dict(self.resources)
        try:
            return operation()
        except BaseException:
            self.resources = before
            raise

    def error(self, exc: Exception) -> ScimError:
        if isinstance(exc, ScimError):
            return exc
        self.reported.append(exc)
        return InternalError()

    def named(self, name: str) -> dict[str, Any]:
        return next(each for each in self.resources.values() if each.get("name") == name)

    def _require_endpoint(self, endpoint: str) -> None:
        if endpoint not in ("/Users", "/Groups"):
            raise NotFound

    def _put(self, endpoint: str, scim_id: str, data: dict[str, Any], status: int) -> Success:
        assert not find_references(data)
        if "crash" in data:
            raise ZeroDivisionError
        members = {element["value"] for element in data.get("members", [])}
        if "fail" in data or scim_id in members or members - self.resources.keys():
            raise InvalidValue
        self.resources[scim_id] = {**data, "id": scim_id}
        return Success(status, scim_id, f"{BASE_URL}{endpoint}/{scim_id}", f'W/"{scim_id}"')


def post(bulk_id: str, path: str = "/Users", **data: Any) -> dict[str, Any]:
    """A POST of a resource whose name is its bulkId."""
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": {"name": bulk_id, **data}}


def team(bulk_id: str, *members: str, **data: Any) -> dict[str, Any]:
    """A POST of a Group of what other operations create."""
    return post(
        bulk_id, "/Groups", members=[{"value": f"bulkId:{name}"} for name in members], **data
    )


def run(
    service: MemoryService, *operations: Any, fail_on_errors: int | None = None
) -> list[dict[str, Any]]:
    """The results of a Bulk request of these operations."""
    body = {
        "schemas": [BULK_REQUEST],
        "failOnErrors": fail_on_errors,
        "Operations": list(operations),
    }
    return execute(read_bulk_request(body, base_url=BASE_URL, max_operations=1000), service)


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [result["status"] for result in results]
