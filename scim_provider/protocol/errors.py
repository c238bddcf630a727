"""Errors of the protocol: one class per row of RFC 7644 §3.12, Tables 8 and 9."""

from __future__ import annotations

from typing import Any, ClassVar

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """A refusal that a client can read; ``detail`` tells an admin what to do.

    ``headers`` are extra HTTP headers that the answer must carry. ``told`` is what the refusal
    is to leave behind where others can read it, which only storeys above know.
    """

    status: ClassVar[int] = 400
    scim_type: ClassVar[str | None] = None
    default_detail: ClassVar[str] = "The request could not be processed."

    def __init__(self, detail: str = "", *, headers: dict[str, str] | None = None) -> None:
        self.detail = detail or self.default_detail
        self.headers = headers or {}
        self.told: object = None
        super().__init__(self.detail)

    def as_document(self) -> dict[str, Any]:
        """The SCIM Error message; ``status`` is a string (RFC 7644 §3.12)."""
        document: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(self.status)}
        if self.scim_type:
            document["scimType"] = self.scim_type
        document["detail"] = self.detail
        return document


class InvalidFilter(ScimError):
    """Filter text outside the grammar, or an operator the attribute does not take."""

    scim_type = "invalidFilter"


class TooMany(ScimError):
    """More results than the service provider is willing to compute."""

    scim_type = "tooMany"


class Uniqueness(ScimError):
    """A value is taken. 409 on create (RFC 7644 §3.3) and, here, on update too."""

    status = 409
    scim_type = "uniqueness"


class Mutability(ScimError):
    """An attempt to change a readOnly or immutable attribute, or to remove a required one."""

    scim_type = "mutability"


class InvalidSyntax(ScimError):
    """The body is not JSON or not the message it should be."""

    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    """A PATCH path that is malformed or names no attribute."""

    scim_type = "invalidPath"


class NoTarget(ScimError):
    """A PATCH path that selects nothing to act on."""

    scim_type = "noTarget"


class InvalidValue(ScimError):
    """A required value is missing, or a value is not of the attribute's type."""

    scim_type = "invalidValue"


class InvalidVersion(ScimError):
    """The protocol version in the URL is not supported."""

    scim_type = "invalidVers"


class Sensitive(ScimError):
    """The query carries personal data in the URL; use POST .search (RFC 7644 §7.5.2)."""

    status = 403
    scim_type = "sensitive"


class InvalidCursor(ScimError):
    """A cursor that this query never answered (RFC 9865 §2.1)."""

    scim_type = "invalidCursor"
    default_detail = (
        "The cursor is not one of this query. Send the nextCursor of the page before, with the "
        "filter, sortBy and sortOrder of the first page; or start again with an empty cursor."
    )


class ExpiredCursor(ScimError):
    """A cursor that was used too late (RFC 9865 §2.1)."""

    scim_type = "expiredCursor"
    default_detail = "The cursor has expired. Start again with an empty cursor."


class InvalidCount(ScimError):
    """A ``count`` that cannot be served by cursor (RFC 9865 §2.1)."""

    scim_type = "invalidCount"


class Unauthorized(ScimError):
    """No credential, or one that is not known (RFC 7644 §2)."""

    status = 401
    default_detail = "Send the access key in the Authorization header."


class Forbidden(ScimError):
    """A known client may not do this."""

    status = 403
    default_detail = "This is not allowed."


class NotFound(ScimError):
    """No such resource or endpoint, or it belongs to another connection."""

    status = 404
    default_detail = "The resource or endpoint does not exist."


class MethodNotAllowed(ScimError):
    """The endpoint exists and does not take this HTTP method."""

    status = 405


class NotAcceptable(ScimError):
    """No representation that the client accepts."""

    status = 406


class Conflict(ScimError):
    """The request contradicts the present state and no keyword of Table 9 fits."""

    status = 409


class PreconditionFailed(ScimError):
    """If-Match does not hold (RFC 7644 §3.14)."""

    status = 412
    default_detail = "The resource has changed since you read it. Read it again and retry."


class PayloadTooLarge(ScimError):
    """The body is longer than the service provider takes."""

    status = 413


class UnsupportedMediaType(ScimError):
    """The body is not JSON by its Content-Type."""

    status = 415
    default_detail = "Send application/scim+json or application/json."


class TooManyRequests(ScimError):
    """Rate limited; carries Retry-After."""

    status = 429


class InternalError(ScimError):
    """A bug of ours; the log has the cause, the answer does not."""

    status = 500
    default_detail = "The service provider failed to process the request. It has been logged."


class NotSupported(ScimError):
    """An optional feature of the protocol that is not offered."""

    status = 501


class Unavailable(ScimError):
    """The database is busy or away; carries Retry-After."""

    status = 503
    default_detail = "The service provider is busy. Send the request again."
