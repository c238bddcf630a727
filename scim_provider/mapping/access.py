"""Who may enter, and whom SCIM must not lock out: what changes with ``active``, and what may not.

A refusal leaves an event behind, so that an admin sees what the identity provider tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model

from scim_provider.events import event, record, telling
from scim_provider.lockout import Ended, let_in, lock_out
from scim_provider.models import EventKind, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import Forbidden

from .accounts import refuse_privileged
from .context import Context
from .document import Document
from .people import StoredPeople
from .telling import AccessChange, tell_access
from .transactions import locking

#: What lets somebody in, or takes away what they may do: not to be changed of protected people.
_GUARDED = ("userName", "emails", "password", "role", "roles")


class GuardedPeople(StoredPeople):
    """Users who come and go, and some who stay."""

    def is_active(self, row: Resource) -> bool:
        """Whether the person may use the site; when that changes, more than a column does."""
        return bool(getattr(row.account, "is_active", True))

    def shut_out(self, rows: Sequence[Resource], context: Context) -> Ended:
        """End what people hold who may not enter any more, where their account may not either.

        An account that is active in another organization keeps its sessions and tokens.
        """
        return lock_out([row.account for row in rows if not _account_is_active(row)])

    def let_in(self, rows: Sequence[Resource], context: Context) -> Ended:
        """Let people in again; they have to log in anew."""
        return let_in([row.account for row in rows if _account_is_active(row)])

    # -- what may not be -----------------------------------------------------------------------

    def guard_change(
        self, row: Resource, before: Document, after: Document, context: Context
    ) -> None:
        """Raise :class:`Forbidden` where SCIM must not make ``after`` of an existing account."""
        refuse_administrator(row, context)
        deactivates = after.get("active") is False and self.is_active(row)
        if row.protected:
            refuse_protected(row, before, after, context, deactivates=deactivates)
        if deactivates:
            refuse_last_admin(row, context)

    def guard_removal(self, row: Resource, context: Context) -> None:
        """Raise :class:`Forbidden` where SCIM must not delete the person."""
        refuse_administrator(row, context)
        if row.protected:
            raise _refused(row, context, f"{row.name} is protected and is not deleted by SCIM.")
        if self.is_active(row):
            refuse_last_admin(row, context)

    # -- what follows --------------------------------------------------------------------------

    def access_changed(self, changed: Sequence[AccessChange], context: Context) -> None:
        """Do and tell what follows where people may not use the site any more, or may again."""
        tell_access(changed, context)
        out = [row for row, was, now in changed if was and not now]
        back = [row for row, was, now in changed if now and not was]
        if out:
            _record(out, EventKind.DEACTIVATED, self.shut_out(out, context), context)
        if back:
            _record(back, EventKind.REACTIVATED, self.let_in(back, context), context)


def refuse_administrator(row: Resource, context: Context) -> None:
    """Raise :class:`Forbidden` for staff and superusers, unless a setting allows it."""
    account: Any = row.account
    try:
        refuse_privileged(account)
    except Forbidden as error:
        raise _refused(row, context, error.detail) from None


def refuse_protected(
    row: Resource, before: Document, after: Document, context: Context, *, deactivates: bool
) -> None:
    """Raise :class:`Forbidden` for what may not happen to a protected person."""
    changed = [name for name in _GUARDED if after.get(name) != before.get(name)]
    if deactivates:
        raise _refused(row, context, f"{row.name} is protected and is not deactivated by SCIM.")
    if changed:
        names = ", ".join(changed)
        raise _refused(row, context, f"{row.name} is protected: SCIM does not change {names}.")


def refuse_last_admin(row: Resource, context: Context) -> None:
    """Raise :class:`Forbidden` where nobody would be left to manage the organization.

    One query for most people. For an admin, another one's account is locked until the transaction
    ends: two requests at once cannot take one of the last two each.
    """
    admins, account = organizations().admins(context.owner), row.account
    if account is None or not admins.filter(pk=account.pk).exists():
        return
    accounts = get_user_model()._base_manager.using(admins.db)
    others = accounts.filter(pk__in=admins.order_by().values("pk"), **_active()).exclude(
        pk=account.pk
    )
    locked = others.select_for_update(**locking(admins.db)).order_by("pk")
    if not locked.values_list("pk")[:1]:
        name = organizations().name(context.owner)
        raise _refused(
            row,
            context,
            f"{row.name} is the last active administrator of {name}. Make somebody else an "
            "administrator there first.",
        )


def _active() -> dict[str, Any]:
    fields = {field.name for field in get_user_model()._meta.get_fields()}
    return {"is_active": True} if "is_active" in fields else {}


def _account_is_active(row: Resource) -> bool:
    return bool(getattr(row.account, "is_active", True))


def _refused(row: Resource, context: Context, detail: str) -> Forbidden:
    told = event(
        context.connection,
        EventKind.CHANGE_REFUSED,
        resource=row,
        account=row.account,
        reason=detail,
    )
    return telling(Forbidden(detail), told)


def _record(rows: Sequence[Resource], kind: EventKind, ended: Ended, context: Context) -> None:
    """One event for each; what was ended was counted for all."""
    data: dict[str, Any] = {"sessions": ended.sessions, "tokens": ended.tokens}
    record([event(context.connection, kind, resource=row, data=data) for row in rows])
