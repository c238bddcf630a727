"""Whether a known key may be used now."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from scim_provider.models import Connection
from scim_provider.mounts import is_at_own_url, own_url
from scim_provider.organizations import organizations, owner_of
from scim_provider.protocol.errors import Forbidden


class ProvisioningAllowed(BasePermission):
    """The connection is turned on, its organization entitled to SCIM, and the URL not another's.

    Raises :class:`Forbidden` saying which of them fails. Readers of public discovery have no
    connection and pass.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        connection: Connection | None = getattr(request, "connection", None)
        if connection is not None:
            _require_enabled(connection)
            _require_entitlement(connection)
            _require_own_url(request, connection)
        return True


def _require_enabled(connection: Connection) -> None:
    if not connection.enabled:
        raise Forbidden("SCIM provisioning is turned off. Turn it on on the security page.")


def _require_entitlement(connection: Connection) -> None:
    owner = owner_of(connection)
    if owner is None and connection.owner_type_id:
        raise Forbidden("The organization of this access key no longer exists.")
    entitlement = organizations().entitlement(owner)
    if not entitlement.allowed:
        raise Forbidden(str(entitlement.message) or "SCIM is not part of the organization's plan.")


def _require_own_url(request: Request, connection: Connection) -> None:
    """The same answer whether another organization has the URL or nobody."""
    owner = owner_of(connection)
    if not is_at_own_url(request._request, owner):
        raise Forbidden(
            "This access key is not for the base URL that was asked. Enter this one in the "
            f"identity provider: {own_url(request._request, owner)}"
        )
