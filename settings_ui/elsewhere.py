"""For who administers the site and belongs to no organization: whose settings there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.urls import NoReverseMatch, reverse

from scim_provider.models import Connection
from scim_provider.organizations import organizations, owner_of

#: So many connections are named; Django's admin lists and searches all.
MOST = 20


@dataclass(frozen=True)
class Listed:
    """An organization whose settings were opened; ``url`` is its page in Django's admin or ""."""

    name: str
    enabled: bool
    last_request_at: datetime | None
    url: str


@dataclass(frozen=True)
class Elsewhere:
    """The organizations where most happens, and how many more there are."""

    organizations: list[Listed]
    more: int
    #: The list of all in Django's admin, "" where the account may not open it.
    url: str


def may_look(account: Any) -> bool:
    """Whether the account may see every connection, as Django's admin shows them."""
    allowed = getattr(account, "has_perm", None)
    return bool(account.is_active and allowed and allowed("scim_provider.view_connection"))


def elsewhere(account: Any) -> Elsewhere:
    """What ``account`` is told: a fixed number of statements."""
    rows = Connection.objects.exclude(owner_type=None).select_related("owner_type")
    recent = rows.order_by("-enabled", F("last_request_at").desc(nulls_last=True), "-pk")
    some = list(recent.prefetch_related("owner")[:MOST])
    return Elsewhere(
        organizations=[_listed(account, connection) for connection in some],
        more=rows.count() - MOST if len(some) == MOST else 0,
        url=_in_admin(account, "changelist"),
    )


def _listed(account: Any, connection: Connection) -> Listed:
    owner = owner_of(connection)
    return Listed(
        name=connection.owner_key if owner is None else organizations().name(owner),
        enabled=connection.enabled,
        last_request_at=connection.last_request_at,
        url=_in_admin(account, "change", connection.pk),
    )


def _in_admin(account: Any, page: str, *arguments: Any) -> str:
    if not getattr(account, "is_staff", False):
        return ""
    try:
        return reverse(f"admin:scim_provider_connection_{page}", args=arguments)
    except NoReverseMatch:  # the site has no such admin
        return ""
