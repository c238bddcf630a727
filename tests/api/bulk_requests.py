"""Bulk requests for tests, and what their answers have in common."""

from __future__ import annotations

from typing import Any

from scim2_models import BulkResponse, Context, Group, User

from tests.api.fixture_answers import ERROR_URN, group, user
from tests.conftest import ScimClient

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


def bulk(scim: ScimClient, *operations: Any, **members: Any) -> Any:
    """The response to a Bulk request of these operations."""
    body = {"schemas": [BULK_REQUEST], **members, "Operations": list(operations)}
    return scim.post("/Bulk", body)


def results(scim: ScimClient, *operations: Any, **members: Any) -> list[dict[str, Any]]:
    """The results, each of which is as RFC 7644 §3.7.3 wants it."""
    response = bulk(scim, *operations, **members)
    assert response.status_code == 200, response.content
    body = response.json()
    assert body.keys() == {"schemas", "Operations"}
    assert body["schemas"] == [BULK_RESPONSE]
    for result in body["Operations"]:
        assert_result(result)
    return list(body["Operations"])


def valid_for_others(scim: ScimClient, *operations: Any, **members: Any) -> list[dict[str, Any]]:
    """The results, of which another implementation's models think well too."""
    found = results(scim, *operations, **members)
    BulkResponse[User | Group].model_validate(
        {"schemas": [BULK_RESPONSE], "Operations": found}, scim_ctx=Context.BULK_RESPONSE
    )
    return found


def assert_result(result: dict[str, Any]) -> None:
    assert result.keys() <= {"method", "bulkId", "location", "version", "status", "response"}
    assert isinstance(result["status"], str)
    failed = result["status"][0] != "2"
    assert ("response" in result) == failed
    assert ("location" in result) != (failed and result.get("method") == "POST")
    if failed:
        error = result["response"]
        assert (error["schemas"], error["status"]) == ([ERROR_URN], result["status"])
        assert error["detail"]


def statuses(found: list[dict[str, Any]]) -> list[str]:
    return [result["status"] for result in found]


def id_of(result: dict[str, Any]) -> str:
    return str(result["location"].rpartition("/")[2])


def post_user(bulk_id: str, user_name: str = "", **attributes: Any) -> dict[str, Any]:
    data = user(user_name or f"{bulk_id}@example.com", **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def post_group(bulk_id: str, *members: str, **attributes: Any) -> dict[str, Any]:
    """A POST of a Group whose members are given by id or by ``bulkId:…``."""
    elements = {"members": [{"value": member} for member in members]} if members else {}
    data = group(bulk_id, **elements, **attributes)
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def patch(path: str, *operations: dict[str, Any], **members: Any) -> dict[str, Any]:
    data = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": list(operations),
    }
    return {"method": "PATCH", "path": path, "data": data, **members}


def put(path: str, data: Any, **members: Any) -> dict[str, Any]:
    return {"method": "PUT", "path": path, "data": data, **members}


def delete(path: str, **members: Any) -> dict[str, Any]:
    return {"method": "DELETE", "path": path, **members}
