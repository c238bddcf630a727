"""Whether a known key may be used now."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from scim_provider.models import Connection
from scim_provider.organizations import organizations, owner_of
from scim_provider.protocol.errors import Forbidden


class ProvisioningAllowed(BasePermission):
    """The connection is turned on and the organization is entitled to SCIM.

    Raises :class:`Forbidden` saying which of them fails. Readers of public discovery have no
    connection and pass.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        connection: Connection | None = getattr(request, "connection", None)
        if connection is not None:
            _require_enabled(connection)
            _require_entitlement(connection)
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
