"""Who asks and how URLs are made: what a mapping needs besides the row."""

from __future__ import annotations

from dataclasses import dataclass

from scim_provider.models import Connection


@dataclass(frozen=True)
class Context:
    """One connection's view; ``base_url`` has no trailing slash."""

    connection: Connection
    base_url: str

    def location(self, endpoint: str, scim_id: str) -> str:
        """The absolute URI of a resource (RFC 7644 §3.3)."""
        return f"{self.base_url}{endpoint}/{scim_id}"
