"""A row and its account, locked: the first statement of every change."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from scim_provider.login_sessions import are_noted, note_none
from scim_provider.models import Connection, Resource
from scim_provider.prepared import Number, Prepared, Text, field_names, instance

from .transactions import locking

if TYPE_CHECKING:
    from .context import Context
    from .resource_type import ResourceType


_ALONG, _LOCKED = "scim_along", "scim_account_locked"


class RowLock:
    """``SELECT … FOR UPDATE`` of one row of a resource type, and what its answer needs."""

    def __init__(self, resource_type: ResourceType) -> None:
        connection, scim_id = Number(), Text("id")
        rows = resource_type.queryset(Connection(pk=connection)).filter(scim_id=scim_id)
        along = resource_type.along(resource_type.everything)
        self._along, self._locks_account = len(along), locks_account(resource_type)
        if self._locks_account:
            along = {**along, "scim_sessions": are_noted()}
        rows = rows.select_related("account").annotate(**along).order_by()
        self._one = Prepared(lambda: locked(rows, resource_type), connection, scim_id)

    def row(self, context: Context, scim_id: str) -> Resource | None:
        """The row with that id, None where the connection has none."""
        using, rows = self._one.select(context.connection.pk, scim_id)
        if not rows:
            return None
        values, columns = rows[0], len(field_names(Resource))
        row = instance(Resource, using, values[:columns])
        last = columns + self._along
        account = None
        if row.account_id is not None:
            account = instance(get_user_model(), using, values[last + self._locks_account :])
        Resource._meta.get_field("account").set_cached_value(row, account)
        vars(row)[_ALONG] = tuple(values[columns:last])
        vars(row)[_LOCKED] = account is not None and self._locks_account
        if has_locked_account(row) and not values[last]:
            note_none(account)
        return row


def read_along(row: Resource) -> tuple[Any, ...] | None:
    """What :meth:`ResourceType.along` had read with a locked row; None where it was read alone."""
    along: tuple[Any, ...] | None = vars(row).get(_ALONG)
    return along


def has_locked_account(row: Resource) -> bool:
    """Whether the account of the row is as it is in the database until the transaction ends."""
    return bool(vars(row).get(_LOCKED))


def locks_account(resource_type: ResourceType) -> bool:
    """Whether accounts hold attributes of the resource type, and are locked with the rows."""
    return any("account" in home.joins for _, home in resource_type.placed)


def locked(rows: QuerySet[Resource], resource_type: ResourceType) -> QuerySet[Resource]:
    """``rows`` FOR UPDATE, and their accounts with them where these hold attributes.

    PostgreSQL joins an account that is not locked as it was before the wait: a change back to
    what it said then would look like none, and be lost. It locks no row that may be missing.
    """
    if not locks_account(resource_type):
        return rows.select_for_update(**locking(rows.db))
    login = get_user_model().USERNAME_FIELD
    has_account = rows.filter(**{f"account__{login}__isnull": False})
    return has_account.select_for_update(**locking(rows.db, "account"))


@cache
def row_lock(resource_type: ResourceType) -> RowLock:
    """The lock of a resource type."""
    return RowLock(resource_type)
