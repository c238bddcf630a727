"""What the answers of the API have in common."""

from __future__ import annotations

from typing import Any

SCIM_JSON = "application/scim+json"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
SEARCH_REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def assert_error(response: Any, status: int, scim_type: str | None = None) -> str:
    """``response`` is a SCIM Error message with a detail (RFC 7644 §3.12), which is returned."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == SCIM_JSON
    body = response.json()
    assert body["schemas"] == [ERROR_URN]
    assert body["status"] == str(status)
    assert body.get("scimType") == scim_type
    assert body["detail"]
    return str(body["detail"])


def user(user_name: str = "ada@example.com", **attributes: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        **attributes,
    }


def group(display_name: str = "Engineers", **attributes: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": display_name,
        **attributes,
    }
