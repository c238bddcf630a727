"""Who asks and how URLs are made: what a mapping needs besides the row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scim_provider.models import Connection, MissingRole, Role
from scim_provider.organizations import owner_of

from .roles import roles_by_key


@dataclass(frozen=True)
class Context:
    """One connection's view; ``base_url`` has no trailing slash."""

    connection: Connection
    base_url: str

    @cached_property
    def owner(self) -> Any:
        """The organization of the connection, None on a site that is one organization."""
        return owner_of(self.connection)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """The connection's roles by comparison key: read once a request."""
        return roles_by_key(self.connection)

    @property
    def gives_default(self) -> bool:
        """Whether people who come without a role get the default one."""
        return bool(self.connection.missing_role == MissingRole.DEFAULT)

    def location(self, endpoint: str, scim_id: str) -> str:
        """The absolute URI of a resource (RFC 7644 §3.3)."""
        return f"{self.base_url}{endpoint}/{scim_id}"
