"""Protection of accounts that are out of SCIM for a while: it is theirs when they come back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from scim_provider.models import Connection, Resource, Unlisted, UnlistedReason

from .transactions import database


def keep_protection(
    connection: Connection, people: Sequence[Resource], *, unlinked: bool
) -> list[Unlisted]:
    """The unsaved rows for people who are taken out; ``unlinked`` ones are left alone from now."""
    reason = UnlistedReason.UNLINKED if unlinked else UnlistedReason.LET_IN
    return [
        Unlisted(
            connection=connection,
            account_id=person.account_id,
            reason=reason,
            protected=person.protected,
        )
        for person in people
        if person.account_id is not None and (unlinked or person.protected)
    ]


def protected_among(connection: Connection, keys: Collection[Any]) -> set[Any]:
    """Those of the accounts with these keys that were protected when they were last here."""
    rows = Unlisted.objects.using(database()).filter(connection=connection, protected=True)
    return set(rows.filter(account__in=keys).values_list("account", flat=True)) if keys else set()


def protection_restored(connection: Connection, rows: Sequence[Resource]) -> None:
    """Nothing has to be remembered of the saved rows any more."""
    if keys := [row.account_id for row in rows if row.protected]:
        Unlisted.objects.filter(connection=connection, account__in=keys).delete()
