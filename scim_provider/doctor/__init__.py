"""What keeps an identity provider out, or soon will, and what to do (docs/commands.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.urls import NoReverseMatch

from scim_provider.models import Connection
from scim_provider.mounts import base_url
from scim_provider.organizations import owner_of

from .configuration import check_base_url, check_cache, check_proxy, check_system
from .connection_state import check_connections
from .database import check_clock, check_engine, check_migrations, check_statistics, check_tables
from .finding import Finding, Severity, error, first_line
from .reachability import check_reachability
from .self_test import check_itself

__all__ = ["Finding", "Severity", "examine"]


def examine(
    connection: Connection | None = None,
    *,
    url: str = "",
    offline: bool = False,
    self_test: bool = True,
    timeout: float = 10,
) -> Iterator[Finding]:
    """Everything, one finding after the other; ``connection`` None for the site as a whole.

    ``url`` is the public base URL, "" for the one that the settings tell.
    """
    yield from check_system()
    migrated = list(check_migrations())
    yield from migrated
    usable = all(each.severity < Severity.ERROR for each in migrated)
    url = url.rstrip("/") or _own_url(connection if usable else None)
    if url:
        yield from check_base_url(url)
    yield from check_proxy(url)
    yield from check_cache()
    if url.startswith("http") and not offline:
        yield from check_reachability(url, timeout=timeout)
    if usable:
        yield from _of_the_database(connection, self_test=self_test)


def _of_the_database(connection: Connection | None, *, self_test: bool) -> Iterator[Finding]:
    yield from check_engine()
    yield from _guarded(check_tables)
    yield from _guarded(check_clock)
    yield from _guarded(check_statistics)
    yield from _guarded(partial(check_connections, connection))
    if self_test:
        yield from check_itself(connection)


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What the check finds; that the database refuses it is a finding too."""
    try:
        yield from check()
    except DatabaseError as refused:
        yield error(
            "database",
            f"It refuses to tell: {first_line(refused)}.",
            "Requests may be refused alike.",
            "See what is said of migrations and tables, and the rights of the database's user.",
        )


def _own_url(connection: Connection | None) -> str:
    """The base URL as configured; "" where nothing is mounted, which the checks say."""
    try:
        return base_url(owner=connection and owner_of(connection))
    except (NoReverseMatch, ImportError, ImproperlyConfigured, ValueError):
        return ""
