"""Signals, each for all that one operation did: sent after the commit, and robustly.

Every signal has ``connection`` among its arguments, and ``sender`` is
:class:`~scim_provider.models.Connection`. What is rolled back, or changes nothing, is not told;
what is tried again after a deadlock is told once. What a receiver raises is logged and changes
nothing about the answer. Where nobody listens, nothing is prepared. docs/signals.md has them all.

Users and Groups are the rows of :class:`~scim_provider.models.Resource` (``ScimUser`` and
``ScimGroup`` are the same rows), as they are after the operation, with ``account`` at hand.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import router, transaction
from django.dispatch import Signal

from .models import Connection, Resource

logger = logging.getLogger("scim_provider")

#: What changed of one resource: the path of an attribute → what it was and what it is, None where
#: unassigned. Attributes with several values are told as a whole; of a password only that it
#: changed.
Changes = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class MembersChange:
    """What was asked about the members of one group, in the ids that were sent.

    All went first if ``cleared``, else those in ``removed``; then those in ``added`` came, unless
    they were there already. Members are not read for this: ``added`` may name some who were
    members before.
    """

    group: Resource
    cleared: bool
    added: frozenset[str]
    removed: frozenset[str]


class ScimSignal(Signal):
    """A signal, and the names of the arguments it has beside ``connection``."""

    def __init__(self, *arguments: str) -> None:
        super().__init__()
        self.arguments = arguments


#: ``users`` were created, all that one request made in one go; those who return, too.
users_created = ScimSignal("users")
#: ``users`` changed; ``changes`` has :data:`Changes` for each of them, in their order.
users_updated = ScimSignal("users", "changes")
#: ``users`` may not use the site any more: ``active`` became false, or they were deleted.
users_deactivated = ScimSignal("users")
#: ``users`` who might not may use the site again.
users_reactivated = ScimSignal("users")
#: ``users`` were deleted; ``accounts_deleted`` tells whether their accounts were, too. What is
#: gone has no key any more: ``scim_id``, ``name`` and ``account_id`` of the row tell who it was.
users_deleted = ScimSignal("users", "accounts_deleted")
#: ``users``: the rows whose existing accounts were taken in, by a create that matched them or by
#: listing the site's members.
users_linked = ScimSignal("users")
#: ``users``: the rows that were taken away from accounts, which stay on the site.
users_unlinked = ScimSignal("users")

#: ``groups`` were created, all that one request made in one go.
groups_created = ScimSignal("groups")
#: ``groups`` changed other than in their members; ``changes`` as of ``users_updated``.
groups_updated = ScimSignal("groups", "changes")
#: ``groups`` were deleted; their rows are gone, and their members with them.
groups_deleted = ScimSignal("groups")
#: ``changes``: a :class:`MembersChange` for each group whose members changed.
members_changed = ScimSignal("changes")

#: ``given`` and ``taken``: the value of a role → the primary keys of the ``ScimUser`` rows.
roles_changed = ScimSignal("given", "taken")

#: The same for resource types of the site's own; ``resources`` says their type.
resources_created = ScimSignal("resources")
resources_updated = ScimSignal("resources", "changes")
resources_deleted = ScimSignal("resources")

#: ``key`` was made, ``by`` an account or None for the command line.
key_created = ScimSignal("key", "by")
#: ``key`` was made in place of ``old``, which ends at its ``revoked_at``.
key_rotated = ScimSignal("key", "old", "by")
#: ``keys`` end at their ``revoked_at``.
key_revoked = ScimSignal("keys", "by")
#: SCIM was turned on or off for the connection, ``by`` an account or None for the command line.
connection_enabled = ScimSignal("by")
connection_disabled = ScimSignal("by")

#: ``request`` (Django's) brought no key or one that is refused; ``detail`` says why.
#: ``connection`` is None for a key that is nobody's.
authentication_failed = ScimSignal("request", "detail")
#: ``request`` (Django's) of ``connection`` was answered with ``status``; ``detail`` says why it
#: was refused. Sent at once, before the answer leaves.
request_finished = ScimSignal("request", "status", "detail")


@dataclass(frozen=True)
class Lifecycle:
    """What tells of the resources of a type, and what the signals call them."""

    plural: str
    created: ScimSignal
    updated: ScimSignal
    deleted: ScimSignal


USERS = Lifecycle("users", users_created, users_updated, users_deleted)
GROUPS = Lifecycle("groups", groups_created, groups_updated, groups_deleted)
OTHERS = Lifecycle("resources", resources_created, resources_updated, resources_deleted)


def announce(signal: Signal, connection: Connection, **what: Any) -> None:
    """Send ``signal`` once the running transaction is committed; at once outside of one."""
    if signal.has_listeners(Connection):
        using = router.db_for_write(Resource)
        transaction.on_commit(
            lambda: send_now(signal, connection, **what), using=using, robust=True
        )


def send_now(signal: Signal, connection: Connection | None, **what: Any) -> None:
    """Send ``signal`` whatever becomes of a running transaction; failures are logged."""
    for receiver, answer in signal.send_robust(Connection, connection=connection, **what):
        if isinstance(answer, Exception):
            logger.error("A receiver of a SCIM signal failed: %r", receiver, exc_info=answer)
