"""Signals, each for all that one operation did: sent after the commit, and robustly.

A receiver gets ``connection`` and what the signal names; ``sender`` is
:class:`~scim_provider.models.Connection`. What a receiver raises is logged and changes nothing
about the answer.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import router, transaction
from django.dispatch import Signal

from .models import Connection, Resource

logger = logging.getLogger("scim_provider")

#: ``users``: the :class:`~scim_provider.models.ScimUser` rows whose existing accounts were taken
#: in, by a create that matched them or by listing the site's members.
users_linked = Signal()
#: ``users``: the rows that were taken away from accounts, which stay on the site.
users_unlinked = Signal()


def announce(signal: Signal, connection: Connection, **what: Any) -> None:
    """Send ``signal`` once the running transaction is committed; at once outside of one."""
    if signal.has_listeners(Connection):
        using = router.db_for_write(Resource)
        transaction.on_commit(partial(_send, signal, connection, what), using=using)


def _send(signal: Signal, connection: Connection, what: dict[str, Any]) -> None:
    for receiver, answer in signal.send_robust(Connection, connection=connection, **what):
        if isinstance(answer, Exception):
            logger.error("A receiver of a SCIM signal failed: %r", receiver, exc_info=answer)
