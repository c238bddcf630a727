"""Keys that end, connections that are silent: what an admin would not notice alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from scim_provider.connections import EXPIRES_SOON
from scim_provider.models import AccessKey, Connection

from .finding import Finding, error, info, ok, warning

#: Entra ID asks every 40 minutes, Okta at least when somebody changes.
_SILENT = timedelta(days=7)
#: Connections that are named one by one.
_NAMED = 10


def check_connections(chosen: Connection | None) -> Iterator[Finding]:
    """Of one connection, or of all: a fixed number of statements."""
    rows = Connection.objects.filter(enabled=True)
    rows = rows.filter(pk=chosen.pk) if chosen else rows
    if not rows.exists():
        why = "No identity provider can connect."
        do = "Turn SCIM on: on the settings page, or with scim_connection enable."
        yield info("connections", "SCIM is turned off.", why, do)
        return
    now = timezone.now()
    problems = [*_without_key(rows, now), *_ending(rows, now), *_silent(rows, now), *_failing(rows)]
    yield from problems
    if not problems:
        yield ok("connections", "Keys work, and requests come in.")


def _keys(now: datetime) -> QuerySet[AccessKey]:
    return AccessKey.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=now),
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        connection=OuterRef("pk"),
    )


def _without_key(rows: QuerySet[Connection], now: datetime) -> Iterator[Finding]:
    if names := _names(rows.filter(~Exists(_keys(now)))):
        yield error(
            "keys",
            f"No access key works any more: {names}.",
            "Every request of the identity provider is refused.",
            "Make a new one on the settings page, or with scim_connection enable.",
        )


def _ending(rows: QuerySet[Connection], now: datetime) -> Iterator[Finding]:
    soon = now + EXPIRES_SOON
    lasting = _keys(now).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=soon))
    lasting = lasting.filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=soon))
    if names := _names(rows.filter(Exists(_keys(now)), ~Exists(lasting))):
        yield warning(
            "keys",
            f"The last access key ends within {EXPIRES_SOON.days} days: {names}.",
            "Then every request is refused.",
            "Replace it in time: settings page, or scim_connection rotate.",
        )


def _silent(rows: QuerySet[Connection], now: datetime) -> Iterator[Finding]:
    since = now - _SILENT
    silent = rows.filter(Q(last_request_at__lt=since) | Q(last_request_at__isnull=True))
    silent = silent.exclude(enabled_at__gte=since)
    if names := _names(silent):
        yield warning(
            "connections",
            f"No request for {_SILENT.days} days: {names}.",
            "Who leaves the organization keeps the account.",
            "Look in the identity provider whether provisioning is on, and in quarantine or not.",
        )


def _failing(rows: QuerySet[Connection]) -> Iterator[Finding]:
    failing = rows.filter(last_status__gte=400).exclude(last_status__in=(404, 409, 412))
    for each in failing.order_by("pk")[:_NAMED]:
        yield warning(
            "connections",
            f"The last request to {each} failed with {each.last_status}: {each.last_failure}",
            "The identity provider may have stopped there.",
            "Read what it says; the settings page shows the same.",
        )


def _names(rows: QuerySet[Connection]) -> str:
    """The first connections by name, "" for none."""
    listed = rows.select_related("owner_type").prefetch_related("owner").order_by("pk")
    found = list(listed[: _NAMED + 1])
    more = ", and more" if len(found) > _NAMED else ""
    return ", ".join(str(each) for each in found[:_NAMED]) + more if found else ""
