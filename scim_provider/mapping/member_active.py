"""``active`` where an account has several memberships: that of the connection's organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from django.contrib.auth import get_user_model
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    Exists,
    Field,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.expressions import Func
from django.db.models.functions import Cast, NullIf, Replace
from django.db.models.sql.compiler import SQLCompiler

from scim_provider.models import Resource
from scim_provider.organizations import organizations
from scim_provider.protocol import core
from scim_provider.protocol.filter import Operator
from scim_provider.protocol.schema import Target

from .accounts import Active
from .context import Context
from .functions import EVERYTHING
from .homes import Home

ACTIVE = core.USER.target("active")
#: What a row calls it that was read together with it.
ALIAS = "scim_member"


class Memberships(Protocol):
    """Where the site keeps them."""

    @property
    def owners(self) -> type[Model]: ...

    @property
    def active_memberships(self) -> QuerySet[Any]: ...

    @property
    def member_key(self) -> str: ...

    @property
    def organization_key(self) -> str: ...


class MemberActive(Active):
    """Whether the account has a membership that counts; the account's own flag is another thing.

    What a client writes stays on the row until the resource type makes it so: :func:`follow`.
    """

    def __init__(self, site: Memberships, of_account: Home) -> None:
        super().__init__()
        self.site, self.field, self.joins = site, ALIAS, ("account",)
        #: Where the account itself is switched on and off.
        self.of_account = of_account

    @property
    def account_fields(self) -> frozenset[str]:
        return frozenset()

    @property
    def annotations(self) -> Mapping[str, Any]:
        return {ALIAS: self._membership()}

    def _membership(self) -> Exists:
        site = self.site
        owner = OwnerKey(OuterRef("connection__owner_id"), _primary_key(site.owners))
        of_row = {site.member_key: OuterRef("account"), f"{site.organization_key}__pk": owner}
        return Exists(site.active_memberships.filter(**of_row).order_by())

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        membership = Q(self._membership())
        return membership if key == "true" else ~membership

    def present(self, target: Target, context: Context) -> Q:
        return EVERYTHING

    def order(self, target: Target, context: Context) -> Any:
        return self._membership()

    def read(self, row: Any, target: Target) -> Any:
        if row.document.get(target.name, True) is None:
            return None
        if ALIAS not in vars(row):
            found = Resource._base_manager.using(row._state.db).filter(pk=row.pk)
            vars(row)[ALIAS] = found.values_list(self._membership(), flat=True).get()
        return bool(vars(row)[ALIAS])

    def write(self, row: Any, target: Target, value: Any) -> None:
        if value is None:
            return
        vars(row)[ALIAS] = vars(row)[_WANTED] = value
        if row.account._state.adding:
            self.of_account.write(row, target, value)


_WANTED = "scim_member_wanted"
#: What an account of a batch knows of itself, so that nobody asks for each one.
_IS_MEMBER = "scim_is_member"


def wanted(row: Any) -> bool | None:
    """What a client wrote of the membership of ``row`` and is not done yet; None for nothing."""
    found: bool | None = vars(row).get(_WANTED)
    return found


def note_members(home: Home, accounts: Sequence[Any], context: Context) -> None:
    """Look up for all of a batch at once who has a membership that counts here."""
    if not isinstance(home, MemberActive) or not accounts:
        return
    site, keys = home.site, [account.pk for account in accounts]
    here = {f"{site.member_key}__in": keys, site.organization_key: context.owner}
    members = set(site.active_memberships.filter(**here).values_list(site.member_key, flat=True))
    for account in accounts:
        vars(account)[_IS_MEMBER] = account.pk in members


def may_enter(home: Home, account: Any, context: Context) -> bool:
    """Whether an account that was there may enter: as an account, and as a member."""
    is_member = True
    if isinstance(home, MemberActive):
        if _IS_MEMBER not in vars(account):
            note_members(home, [account], context)
        is_member = vars(account).pop(_IS_MEMBER)
    return is_member and bool(getattr(account, "is_active", True))


def of_account(home: Home) -> Home:
    """Where the account itself is switched on and off: the ``home`` of ``active``, or behind it."""
    return home.of_account if isinstance(home, MemberActive) else home


def come_back(home: Home, rows: Sequence[Any]) -> list[Any]:
    """Those of ``rows`` whose accounts are switched on again by a first membership.

    Unsaved yet. An account that is off in spite of a membership was switched off by the site.
    """
    if not isinstance(home, MemberActive):
        return []
    joined = [row for row in rows if wanted(row) and not row.account._state.adding]
    off = [row for row in joined if home.of_account.read(row, ACTIVE) is False]
    back = _unneeded(off) if off else []
    for row in back:
        home.of_account.write(row, ACTIVE, True)
    return back


def follow(rows: Sequence[Any], context: Context, *, admitted: bool) -> list[Any]:
    """Make the memberships as clients wrote them; ``admitted`` tells that all are members now.

    Returns the rows whose accounts nobody counts on any more.
    """
    joined = [row.account for row in rows if wanted(row)]
    left = [row for row in rows if wanted(row) is False]
    for row in rows:
        vars(row).pop(_WANTED, None)
    if joined and not admitted:
        organizations().admit_all(joined, context.owner)
    return leave(left, context) if left else []


def leave(rows: Sequence[Any], context: Context) -> list[Any]:
    """End the memberships; returns the rows whose accounts nobody counts on any more."""
    site = organizations()
    if not site.shares_accounts:
        return list(rows)
    site.dismiss(_accounts(rows), context.owner)
    return _unneeded(rows)


def _unneeded(rows: Sequence[Any]) -> list[Any]:
    keys = set(organizations().unneeded(_accounts(rows)).values_list("pk", flat=True))
    return [row for row in rows if row.account.pk in keys]


def _accounts(rows: Sequence[Any]) -> QuerySet[Any]:
    model = get_user_model()
    accounts: QuerySet[Any] = model._base_manager.using(router.db_for_write(model))
    return accounts.filter(pk__in=[row.account.pk for row in rows])


def _primary_key(model: type[Model]) -> Field[Any, Any]:
    """The column behind the primary key, which may be a parent's."""
    field: Any = model._meta.pk
    while field.is_relation:
        field = field.target_field
    return cast("Field[Any, Any]", field)


class OwnerKey(Func):
    """The key of a connection's organization, which is text, as its model's column has it."""

    arity = 1

    def __init__(self, text: Any, key: Field[Any, Any], **extra: Any) -> None:
        super().__init__(NullIf(text, Value("")), output_field=key, **extra)
        self._key = key

    def as_sql(  # type: ignore[override]
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        (text,) = self.source_expressions
        if isinstance(self._key, IntegerField):
            return compiler.compile(Cast(text, BigIntegerField()))
        if isinstance(self._key, UUIDField):
            if connection.features.has_native_uuid_field:
                return compiler.compile(Cast(text, UUIDField()))
            return compiler.compile(Replace(text, Value("-"), Value("")))
        return compiler.compile(text)
