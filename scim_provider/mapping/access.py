"""Who may enter, and whom SCIM must not lock out: what changes with ``active``, and what may not.

A refusal leaves an event behind, so that an admin sees what the identity provider tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Any, NamedTuple

from scim_provider.events import event, record, telling
from scim_provider.lockout import Ended, let_in, lock_out, renew_unusable_password
from scim_provider.models import EventKind, Resource
from scim_provider.organizations import Organizations, organizations
from scim_provider.prepared import instance
from scim_provider.protocol import core
from scim_provider.protocol.errors import Forbidden
from scim_provider.protocol.schema import comparison_key

from .accounts import refuse_privileged
from .context import Context
from .document import Document
from .last_admin import is_last_admin, last_admin_stays
from .member_active import ACTIVE, MemberActive, come_back, of_account
from .one_statement import send_what_waits
from .people import StoredPeople
from .saving import can_wait
from .telling import changed_to, tell_access
from .transactions import database

#: What lets somebody in, or takes away what they may do: not to be changed of protected people.
_GUARDED = ("userName", "emails", "password", "role", "roles")
_EMAILS = core.USER.target("emails")
#: What a row knows of whether its account might enter before a change.
_STOOD = "scim_account_stood"


class Standing(NamedTuple):
    """Whether somebody may enter: as a person of the connection, and as an account of the site.

    The two differ where an account is a member of several organizations.
    """

    row: Resource
    person: bool
    account: bool


class GuardedPeople(StoredPeople):
    """Users who come and go, and some who stay."""

    def is_active(self, row: Resource) -> bool:
        """Whether the account may enter; when that changes, more than a column does.

        As the home of ``active`` has it; where it has none, nothing that SCIM says shuts it out.
        """
        return of_account(self.home(ACTIVE)).read(_beside(row.account), ACTIVE) is not False

    def standing(self, row: Resource) -> Standing:
        """How somebody stands whose account is there already."""
        home, account = self.home(ACTIVE), self.is_active(row)
        if not isinstance(home, MemberActive) or row.pk is None:
            return Standing(row, account, account)
        return Standing(row, account and home.read(row, ACTIVE) is not False, account)

    def stood(self, row: Resource) -> Standing:
        """:meth:`standing` before a change, which :meth:`to_be_saved` is to know."""
        before = self.standing(row)
        vars(row)[_STOOD] = before.account
        return before

    def shut_out(self, rows: Sequence[Resource], context: Context) -> Ended:
        """End what people hold whose accounts may not enter any more.

        An account that stays active for another organization keeps its sessions and tokens.
        """
        return lock_out([row.account for row in rows])

    def let_in(self, rows: Sequence[Resource], context: Context) -> Ended:
        """Let people in again whose accounts might not enter; they have to log in anew."""
        return let_in([row.account for row in rows])

    # -- what may not be -----------------------------------------------------------------------

    def guard_change(
        self, row: Resource, before: Document, after: Document, context: Context
    ) -> None:
        """Raise :class:`Forbidden` where SCIM must not make ``after`` of an existing account."""
        refuse_administrator(row, context)
        deactivates = (
            after.get("active") is False
            and before.get("active") is not False
            and self.is_active(row)
        )
        if row.protected:
            was = before or self._before_link(row, after)
            refuse_protected(row, was, after, context, deactivates=deactivates)
        if deactivates and is_last_admin(row, context.connection):
            raise last_admin_stays(row, context.connection)

    def _before_link(self, row: Resource, after: Document) -> Document:
        """What of ``after`` the account says already that a create takes over, as far as it is
        guarded: that is no change.
        """
        account: Any = row.account
        login, name = str(account.get_username()), str(after["userName"])
        same = comparison_key(login, precis=True) == comparison_key(name, precis=True)
        before: Document = {"userName": name if same or not row.owns_profile else login}
        if "emails" in after and self._keeps_address(row, after["emails"]):
            before["emails"] = after["emails"]
        return before

    def _keeps_address(self, row: Resource, emails: Any) -> bool:
        """Whether the account has the same address afterwards."""
        home, account = self.home(_EMAILS), row.account
        if not row.owns_profile:
            return True
        if not home.account_fields:
            return not home.beside or bool(home.on_account(row, _EMAILS) == emails)
        trial = Resource(account=copy(account), written=row.written)
        home.write(trial, _EMAILS, emails)
        return all(getattr(trial.account, n) == getattr(account, n) for n in home.account_fields)

    def guard_removal(self, row: Resource, context: Context) -> None:
        """Raise :class:`Forbidden` where SCIM must not delete the person."""
        refuse_administrator(row, context)
        if row.protected:
            raise _refused(row, context, f"{row.name} is protected and is not deleted by SCIM.")
        if self.is_active(row) and is_last_admin(row, context.connection):
            raise last_admin_stays(row, context.connection)

    # -- what goes with it ---------------------------------------------------------------------

    def to_be_saved(self, row: Resource, fields: frozenset[str]) -> frozenset[str]:
        """The changed ``fields`` of the account, and what is saved along with them.

        An account that is switched on or off gets another unusable password by the same UPDATE;
        one that stays as it is keeps it, and its sessions.
        """
        home = self.home(ACTIVE)
        switch = of_account(home).account_fields
        if come_back(home, [row]):
            fields |= switch
        stood: bool | None = vars(row).pop(_STOOD, None)
        if fields & switch and stood is not None and stood is not self.is_active(row):
            fields |= renew_unusable_password(row.account)
        return fields

    def account_waits(self, account: Any) -> bool:
        """Whether a new account is INSERTed along with its row: by nobody's own code, and no
        other row needs its key before.
        """
        admits = type(organizations()).admit is not Organizations.admit
        return bool(
            account._state.adding
            and self.saves_as_ours
            and not (admits or organizations().shares_accounts)
            and can_wait(account, database())
        )

    def admit(self, account: Any, context: Context) -> None:
        """Let the site make the saved account a member of the organization: it may read it."""
        send_what_waits(database())
        organizations().admit(account, context.owner)

    # -- what follows --------------------------------------------------------------------------

    def access_changed(
        self, before: Sequence[Standing], context: Context, *, gone: bool = False
    ) -> None:
        """Do and tell what follows where people do not stand as ``before``, or are ``gone``."""
        pairs = [(was, self.standing(was.row)) for was in before]
        people = [(was.row, was.person, now.person and not gone) for was, now in pairs]
        accounts = [(was.row, was.account, now.account) for was, now in pairs]
        tell_access(people, context)
        for kind, end, now in (
            (EventKind.DEACTIVATED, self.shut_out, False),
            (EventKind.REACTIVATED, self.let_in, True),
        ):
            rows = changed_to(now, accounts)
            ended = end(rows, context) if rows else Ended()
            _record(changed_to(now, people), kind, ended, context)


def _beside(account: Any) -> Resource:
    """``Resource(account=account)`` in less time: each change asks several times."""
    row = instance(Resource, "", _defaults())
    row._state.adding, row._state.db = True, None
    row.document, row.written, row.account = {}, {}, account
    return row


@cache
def _defaults() -> tuple[Any, ...]:
    return tuple(field.get_default() for field in Resource._meta.concrete_fields)


def refuse_administrator(row: Resource, context: Context) -> None:
    """Raise :class:`Forbidden` for staff and superusers, unless a setting allows it."""
    account: Any = row.account
    try:
        refuse_privileged(account)
    except Forbidden as error:
        raise _refused(row, context, error.detail) from None


def refuse_protected(
    row: Any, before: Document, after: Document, context: Context, *, deactivates: bool
) -> None:
    """Raise :class:`Forbidden` for what may not happen to a protected person.

    A userName in another case is the same one (RFC 7643 §4.1.1), and stays as it is spelt.
    """
    if comparison_key(after["userName"]) == comparison_key(before["userName"]):
        after["userName"] = before["userName"]
    changed = [name for name in _GUARDED if after.get(name) != before.get(name)]
    who = row.name or row.account.get_username()  # a create has not named the row yet
    if deactivates:
        raise _refused(row, context, f"{who} is protected and is not deactivated by SCIM.")
    if changed:
        names = ", ".join(changed)
        raise _refused(row, context, f"{who} is protected: SCIM does not change {names}.")


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
