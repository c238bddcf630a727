"""Resource types: what SCIM serves, and where each attribute lives.

This is the page to read before adapting SCIM to a site. A site subclasses
:class:`UserResource` (or another), adds schemas, and says in ``homes`` where attributes live;
everything else (filters, sorting, PATCH, discovery) follows from that one description. An
attribute without a home is kept in SCIM's own store, and nothing that a client sends in a
declared schema is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.signals import setting_changed
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast
from django.utils import timezone

from .conf import scim_settings
from .lockout import renew_unusable_password
from .mapping import accounts, linking
from .mapping.access import Standing
from .mapping.accounts import UserName
from .mapping.batch_users import UserBatch
from .mapping.belonging import members_of
from .mapping.beside import Computed, SingleValue, leave_beside
from .mapping.claims import refuse_account
from .mapping.columns import Column, Composed, Constant, Flag, KeyColumn, MomentColumn
from .mapping.context import Context
from .mapping.document import Document, Written
from .mapping.homes import Absent, AccountCopy, Choice, Home, Store
from .mapping.login_names import former_and_holders, knowing_holders
from .mapping.member_active import ACTIVE, follow, leave, may_enter, of_account
from .mapping.membership import touch_groups_of
from .mapping.owned import Owner, note_written
from .mapping.paging import Page
from .mapping.people import StoredPeople
from .mapping.profiles import may_own
from .mapping.references import forget_manager
from .mapping.related import Rows
from .mapping.relations import Groups, Members
from .mapping.resource_type import Representation, ResourceType
from .mapping.role_effects import roles_ended
from .mapping.role_rules import RoleRules, members_of_group
from .mapping.roles import settle_roles, sync_assignments, with_role_values
from .mapping.root import query_types
from .mapping.saving import delete, save_changed, save_new
from .mapping.shared_homes import shared
from .mapping.sharing import SharedPeople
from .mapping.telling import tell_deleted
from .mapping.transactions import atomically
from .mapping.writing import StoredResourceType
from .models import OnDelete, Resource, Role, RoleAssignment
from .organizations import organizations
from .protocol import core
from .protocol.messages import ListQuery
from .protocol.projection import Projection
from .protocol.schema import Attribute, Schema, comparison_key
from .signals import GROUPS, USERS

__all__ = [
    "AccountCopy",
    "Attribute",
    "Choice",
    "Column",
    "Computed",
    "Context",
    "Flag",
    "GroupResource",
    "Home",
    "Owner",
    "Page",
    "Representation",
    "ResourceType",
    "RoleResource",
    "Rows",
    "Schema",
    "SingleValue",
    "Store",
    "UserName",
    "UserResource",
    "atomically",
    "query_all",
    "resource_types",
]


def common_homes(name: str, endpoint: str) -> dict[str, Home]:
    """Where the common attributes of every resource live (RFC 7643 §3.1)."""

    def location(context: Context) -> tuple[Any, ...]:
        return Value(f"{context.base_url}{endpoint}/"), F("scim_id")

    def version(context: Context) -> tuple[Any, ...]:
        return Value('W/"'), Cast("version", CharField()), Value('"')

    return {
        "id": KeyColumn("scim_id", "scim_id"),
        "meta.resourceType": Constant(name),
        "meta.created": MomentColumn("created"),
        "meta.lastModified": MomentColumn("last_modified"),
        "meta.location": Composed(location),
        "meta.version": Composed(version),
    }


class UserResource(SharedPeople):
    """``/Users``: people, each beside an account of ``AUTH_USER_MODEL``.

    Overridable: :meth:`new_account`, :meth:`create_account`, :meth:`save_account`,
    :meth:`deactivate`.
    """

    name = "User"
    endpoint = "/Users"
    description = "People who may use this site"
    schema = core.USER
    extensions = (core.ENTERPRISE_USER,)
    naming_attribute = "userName"
    batch = UserBatch
    lifecycle = USERS
    homes: ClassVar[Mapping[str, Home]] = {
        **common_homes("User", "/Users"),
        "externalId": KeyColumn("external_id", "external_id"),
        "userName": UserName(),
        "name.givenName": Column("account__first_name"),
        "name.familyName": Column("account__last_name"),
        "active": accounts.Active(),
        "emails": AccountCopy("account__email"),
        "groups": Groups(),
    }

    def __init__(self) -> None:
        self.schema = with_role_values(type(self).schema)  # type: ignore[misc]

    def usable_homes(self) -> Mapping[str, Home]:
        """The homes, less those in account columns that this site's user model has not.

        Only the ones this class brings are left out quietly; a check reports a site's own.
        """
        own = UserResource.homes
        login = {get_user_model().USERNAME_FIELD}
        homes = {
            path: home
            for path, home in self.homes.items()
            if own.get(path) is not home
            or path == "userName"
            or (
                all(map(accounts.account_field, home.account_fields))
                and not home.account_fields & login
            )
        }
        of_account = homes.get("active")
        if active := organizations().active_home(of_account or Home()):
            homes["active"] = active
        if organizations().shares_accounts:
            homes = shared(homes)
        return homes

    # -- accounts ------------------------------------------------------------------------------

    def new_account(self, context: Context, document: Document) -> Any:
        """An unsaved account for a new person; its columns are set from the homes afterwards."""
        account = get_user_model()()
        organizations().prepare_account(account, context.owner)
        return account

    def create_account(self, account: Any, context: Context) -> Any:
        """Save a new account, whose columns are set, and return it.

        A site whose manager makes accounts calls that: columns that come back otherwise than
        they are here are saved once more.
        """
        save_new(account)
        return account

    def save_account(self, account: Any, fields: frozenset[str], context: Context) -> Any:
        """Save a new account whole, or the changed ``fields`` of an existing one; return it."""
        refuse_account(account, fields, context)
        if account._state.adding:
            return accounts.carry_over(account, self.create_account(account, context), fields)
        if fields:
            save_changed(account, sorted(fields))
        return account

    def deactivate(self, account: Any) -> None:
        """Lock the account out; it stays, for a later create of the same person."""
        home = of_account(self.home(ACTIVE))
        if fields := home.account_fields:
            home.write(Resource(account=account), ACTIVE, False)
            save_changed(account, sorted(fields | renew_unusable_password(account)))

    # -- writing -------------------------------------------------------------------------------

    def new_row(self, context: Context, document: Document) -> Resource:
        former, looked_up = former_and_holders(self, context, document)
        returning = accounts.revive(former, context.owner)
        if not returning and (found := linking.match(context, document)):
            return self.row_linked(found, context, document)
        return knowing_holders(self.row_beside(returning, context, document), looked_up)

    def row_linked(self, found: linking.Match, context: Context, document: Document) -> Resource:
        """An unsaved row beside an existing account that a create takes over."""
        home, account = self.home(ACTIVE), found.account
        active = None if "active" in document else may_enter(home, account, context)
        row = self.row_beside(account, context, document)
        linking.take_over(row, document, found, active=active)
        return row

    def row_beside(self, returning: Any, context: Context, document: Document) -> Resource:
        """An unsaved row beside the account of a person who returns, or beside a new one."""
        row = super().new_row(context, document)
        row.name_key = comparison_key(document["userName"], precis=True)
        row.account = returning or self.new_account(context, document)
        row.written = vars(row.account).pop("scim_written", {})
        row.owns_profile = may_own(row.account, context)
        document.setdefault("active", True)
        return row

    def settle(self, before: Document, after: Document, context: Context, *, whole: bool) -> None:
        super().settle(before, after, context, whole=whole)
        if {"role", "roles"} & (after.keys() | before.keys()):
            roles = context.roles
            if roles:
                single = self.schema.attribute("role") is not None
                policy = context.connection.unknown_role
                settle_roles(before, after, roles, policy, single=single, whole=whole)

    def store(self, row: Resource, before: Document, after: Document, context: Context) -> None:
        account: Any = row.account
        before_this: list[Standing] = []
        if account._state.adding:
            accounts.refuse_privileged(account)
        else:
            self.guard_change(row, before, after, context)
            before_this = [self.stood(row)]
        password = after.pop("password", None)
        with self.writing_at_once() if before_this else nullcontext():
            super().store(row, before, after, context)
            self.access_changed(before_this, context)
        linking.tell_linked([row], context)
        if password is not None and row.owns_profile:
            accounts.set_password(account, password)
            account.save(update_fields=["password"])
        due = context.gives_default and not (before or row.protected)
        if due or after.get("roles") != before.get("roles"):
            sync_assignments(row, after, context.roles, context.connection, is_new=not before_this)

    def save(self, row: Resource, written: Written, context: Context) -> None:
        account: Any = row.account
        if account._state.adding:
            accounts.close_password(account)
        fields = self.to_be_saved(row, written.account_fields)
        is_new, waits = row.pk is None, self.account_waits(account)
        if waits:
            refuse_account(account, fields, context)
        else:
            account = self.save_account(account, fields, context) or account
            row.account = account  # its key is known only now
        note_written(row)
        if is_new and not waits:
            self.admit(account, context)
        super().save(row, written, context)
        for unneeded in follow([row], context, admitted=is_new):
            self.deactivate(unneeded.account)

    def remove(self, row: Resource, context: Context) -> None:
        account: Any = row.account
        self.guard_removal(row, context)
        standing, needed = [self.standing(row)], not leave([row], context)
        goes_too = context.connection.on_delete == OnDelete.DELETE and not needed
        now = timezone.now()
        touch_groups_of(row, now)
        leave_beside(self.placed, row, now)
        forget_manager(row, now)
        with self.writing_at_once():
            if not (goes_too or needed):
                self.deactivate(account)
            self.access_changed(standing, context, gone=True)
            if not goes_too:
                accounts.remember(row)
            deleted = delete(row)
        if goes_too:
            account.delete()
            return
        if deleted.get(RoleAssignment._meta.label):
            roles_ended([account], context.owner)
        self.pass_on(row, context)

    def tell_removed(self, row: Resource, context: Context) -> None:
        deleted = row.account is not None and row.account.pk is None
        tell_deleted(self, row, context, accounts_deleted=deleted)


class GroupResource(StoredResourceType):
    """``/Groups``: named sets of Users and Groups."""

    name = "Group"
    endpoint = "/Groups"
    description = "Groups of people"
    schema = core.GROUP
    naming_attribute = "displayName"
    members_attribute = "members"
    lifecycle = GROUPS
    homes: ClassVar[Mapping[str, Home]] = {
        **common_homes("Group", "/Groups"),
        "externalId": KeyColumn("external_id", "external_id"),
        "displayName": KeyColumn("name", "name_key"),
        "members": Members(),
    }

    def place(self, row: Resource, before: Document, after: Document, context: Context) -> Written:
        row.unique_key = None
        if context.connection.unique_group_names:
            row.unique_key = comparison_key(after["displayName"])
        return super().place(row, before, after, context)

    def remove(self, row: Resource, context: Context) -> None:
        touch_groups_of(row, timezone.now())
        if not row.has_rules:
            delete(row)
            return
        rules, members = RoleRules(row, context.connection), members_of_group(row)
        row.role_rules.all().delete()
        delete(row)
        rules.moved((), members)

    def members(self, row: Resource, context: Context) -> list[Document]:
        return members_of([row.pk], context, Members.types)[row.pk]

    def complete(
        self, pairs: Sequence[tuple[Any, Document]], context: Context, projection: Projection
    ) -> None:
        if projection.wants(_MEMBERS):
            keys = [row.pk for row, _ in pairs]
            members = members_of(keys, context, Members.types, projection.members)
            for row, document in pairs:
                document["members"] = members[row.pk]


class RoleResource(ResourceType):
    """``/Roles``: the roles that a client may give (draft-ietf-scim-roles-entitlements).

    ``displayName`` and ``description`` are what Okta's entitlements read.
    """

    name = "Role"
    endpoint = "/Roles"
    description = "Roles that people can be given"
    schema = core.ROLE.including(
        Attribute("displayName", description="The role's name.", mutability="readOnly"),
        Attribute("description", description="What the role is for.", mutability="readOnly"),
    )
    model = Role
    default_home = Absent()
    homes: ClassVar[Mapping[str, Home]] = {
        **common_homes("Role", "/Roles"),
        "meta.version": Absent(),
        "value": KeyColumn("value", "value_key"),
        "display": Column("display"),
        "displayName": Column("display"),
        "description": Column("description"),
        "supported": Constant("true"),
    }

    def document(self, row: Any, context: Context) -> Document:
        document = super().document(row, context)
        name = str(row)
        return document | {"display": name, "displayName": name, "supported": not row.protected}

    def version(self, row: Role) -> str:
        return f'W/"{int(row.last_modified.timestamp() * 1000)}"'


_MEMBERS = core.GROUP.target("members")


@cache
def resource_types() -> tuple[ResourceType, ...]:
    """The resource types of ``SCIM_PROVIDER["RESOURCE_TYPES"]``, in that order."""
    return tuple(resource_type() for resource_type in scim_settings.resource_types)


def _forget_resource_types(**kwargs: Any) -> None:
    resource_types.cache_clear()


setting_changed.connect(_forget_resource_types)


def query_all(context: Context, query: ListQuery) -> Page:
    """The root endpoint: every resource of every type (RFC 7644 §3.4.2.1, §3.4.3)."""
    stored = [t for t in resource_types() if isinstance(t, StoredResourceType)]
    for people in (t for t in stored if isinstance(t, StoredPeople)):
        people.keep_up(context, query)
    return query_types(stored, context, query)
