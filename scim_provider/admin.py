"""SCIM's rows in Django's admin: to look at; clients and the settings page change them.

Every list costs a fixed number of statements, whatever it holds, and counts no further than
:class:`CappedPaginator` does. For the site's own user admin see :mod:`scim_provider.user_admin`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .admin_lists import (
    ConnectionFilter,
    ConnectionsAdmin,
    FirstRowsInline,
    KeyStateFilter,
    ReadOnlyAdmin,
)
from .admin_lockout import Protecting
from .admin_members import Relinking, Unlinking
from .models import (
    AccessKey,
    AttributeValue,
    Connection,
    Event,
    FormerUser,
    GrantedGroup,
    Membership,
    Resource,
    Role,
    RoleAssignment,
    RoleRule,
    ScimGroup,
    ScimUser,
    SharedProfile,
    Unlisted,
)
from .organizations import organizations
from .ownership import keep_apart
from .protocol.schema import comparison_key


class AccessKeyInline(FirstRowsInline):
    """Keys without anything that opens a door."""

    model = AccessKey
    fk_name = "connection"
    fields = readonly_fields = ("name", "last4", "created_at", "expires_at", "last_used_at")


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """The policies may be changed; turning on and off is the settings page's."""

    list_display = ("__str__", "enabled", "last_request_at", "last_status", "last_client")
    list_filter = ("enabled",)
    list_select_related = ("owner_type",)
    ordering = ("id",)
    readonly_fields = (
        "public_id",
        "enabled",
        "enabled_at",
        "disabled_at",
        "members_listed_at",
        "last_request_at",
        "last_request",
        "last_status",
        "last_client",
        "last_failure_at",
        "last_failure",
    )
    fields = (
        "strict",
        "unique_group_names",
        "unknown_role",
        "missing_role",
        "unknown_member",
        "missing_members",
        "on_delete",
        "shared_profile",
        "on_organization_delete",
        "existing_people",
        "existing_account",
        *readonly_fields,
    )
    inlines = (AccessKeyInline,)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "shared_profile" in form.changed_data and obj.shared_profile == SharedProfile.FIRST:
            keep_apart(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("owner")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return (*super().get_readonly_fields(request, obj), "links")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is not None:
            obj.admin_links = _links(request, obj, self.admin_site.name)
        return ("links", *super().get_fields(request, obj))

    @admin.display(description=_("see also"))
    def links(self, connection: Connection) -> str:
        return format_html_join(" · ", '<a href="{}">{}</a>', vars(connection)["admin_links"])


def _links(request: HttpRequest, connection: Connection, site: str) -> list[tuple[str, Any]]:
    """What the user may see of the connection, the settings page first where it is this one's."""
    pages: list[type[Model]] = [ScimUser, ScimGroup, Role, AccessKey, Event]
    query = f"?{ConnectionFilter.parameter_name}={connection.public_id}"
    links: list[tuple[str, Any]] = []
    for name in (page._meta for page in pages):
        if request.user.has_perm(f"{name.app_label}.view_{name.model_name}"):
            view = f"admin:{name.app_label}_{name.model_name}_changelist"
            links.append((reverse(view, current_app=site) + query, name.verbose_name_plural))
    settings_page = _settings_page(request, connection)
    return [(settings_page, gettext("settings page")), *links] if settings_page else links


def _settings_page(request: HttpRequest, connection: Connection) -> str:
    """Its URL, where it is mounted and shows the user this connection."""
    site = organizations()
    try:
        page = reverse("scim_settings:security")
        owner = site.owner_for(request)
    except (NoReverseMatch, Http404):
        return ""
    return page if owner == connection.owner and site.can_view(request, owner) else ""


@admin.register(AccessKey)
class AccessKeyAdmin(ConnectionsAdmin):
    """When each key was made, by whom, and until when it works."""

    list_display = (
        "__str__",
        "name",
        "connection",
        "works",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_select_related = (*ConnectionsAdmin.list_select_related, "created_by")
    search_fields = ("last4__exact", "name__istartswith")
    list_filter = (KeyStateFilter, ConnectionFilter)
    fields = readonly_fields = (
        "__str__",
        "name",
        "connection",
        "works",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "last_used_by",
    )

    @admin.display(boolean=True, description=_("works"))
    def works(self, key: AccessKey) -> bool:
        return key.is_live


class AttributeValueInline(FirstRowsInline):
    """What filters look in; superusers see it, as there is no permission for it."""

    model = AttributeValue
    fk_name = "resource"
    fields = readonly_fields = ("path", "element", "key")
    verbose_name_plural = _("index: the first 100 values")


@admin.register(Resource)
class ResourceAdmin(ConnectionsAdmin):
    """Resources of any type, a site's own as well."""

    list_display: tuple[str, ...] = (
        "name",
        "resource_type",
        "connection",
        "external_id",
        "last_modified",
    )
    search_fields = ("name",)
    search_help_text = _("The beginning of a name, or a whole id or externalId.")
    fields: ClassVar[tuple[str, ...]] = (
        "name",
        "resource_type",
        "connection",
        "scim_id",
        "external_id",
        "account",
        "document",
        "created",
        "last_modified",
        "version",
    )
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    inlines: ClassVar[tuple[Any, ...]] = (AttributeValueInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(name_key__startswith=comparison_key(term, precis=True))
        return queryset.filter(named | Q(external_id=term) | Q(scim_id=term)), False


class MembershipInline(FirstRowsInline):
    """Who is directly in a group."""

    model = Membership
    fk_name = "group"
    fields = readonly_fields = ("member", "created_at")
    verbose_name_plural = _("the first 100 members")
    related = ("member",)


class GroupsOfUserInline(FirstRowsInline):
    """The groups that a person is directly in."""

    model = Membership
    fk_name = "member"
    fields = readonly_fields = ("group", "created_at")
    verbose_name_plural = _("groups: the first 100")
    related = ("group",)


class RolesOfUserInline(FirstRowsInline):
    """The roles that a person has, and from whom."""

    model = RoleAssignment
    fk_name = "user"
    fields = readonly_fields = ("role", "provenance", "primary", "created_at")
    verbose_name_plural = _("roles")
    related = ("role",)


@admin.register(ScimUser)
class ScimUserAdmin(Unlinking, Protecting, ResourceAdmin):
    """People, each with a way to the account."""

    list_display: tuple[str, ...] = (
        "name",
        "account",
        "is_active",
        "protected",
        "connection",
        "external_id",
        "last_modified",
    )
    actions = ("protect", "unprotect", "unlink")
    list_select_related = ("account", *ConnectionsAdmin.list_select_related)
    inlines = (GroupsOfUserInline, RolesOfUserInline, AttributeValueInline)

    @admin.display(boolean=True, description=_("active"))
    def is_active(self, user: ScimUser) -> bool:
        return bool(getattr(user.account, "is_active", True))


@admin.register(ScimGroup)
class ScimGroupAdmin(ResourceAdmin):
    """Groups with their first members."""

    list_display: tuple[str, ...] = ("name", "connection", "external_id", "last_modified")
    inlines = (MembershipInline, AttributeValueInline)


@admin.register(FormerUser)
class FormerUserAdmin(ConnectionsAdmin):
    """Accounts that a later create takes back."""

    list_display = ("name_key", "account", "connection", "deleted_at")
    list_select_related = (*ConnectionsAdmin.list_select_related, "account")
    search_fields = ("name_key__startswith",)


@admin.register(Unlisted)
class UnlistedAdmin(Relinking, ConnectionsAdmin):
    """Accounts of the site that are no people of a connection, and why."""

    actions = ("relink",)
    list_display = ("account", "reason", "protected", "connection", "created_at")
    list_filter = (ConnectionFilter, "reason", "protected")
    list_select_related = (*ConnectionsAdmin.list_select_related, "account")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"account__{get_user_model().USERNAME_FIELD}__istartswith",)


@admin.register(Role)
class RoleAdmin(ConnectionsAdmin):
    """The roles of each connection."""

    list_display = (
        "value",
        "display",
        "connection",
        "priority",
        "protected",
        "is_default",
        "django_group",
    )
    list_filter = (ConnectionFilter, "protected")
    list_select_related = (*ConnectionsAdmin.list_select_related, "django_group")
    search_fields = ("value_key__startswith", "display__istartswith")


@admin.register(RoleRule)
class RoleRuleAdmin(ConnectionsAdmin):
    """Whose members have which role; ``scim_roles`` changes that."""

    list_display = ("group", "role", "connection", "created_at")
    list_select_related = (*ConnectionsAdmin.list_select_related, "group", "role")
    search_fields = ("group__name_key__startswith", "role__value_key__startswith")


@admin.register(GrantedGroup)
class GrantedGroupAdmin(ReadOnlyAdmin):
    """Who was put into which Django group by a role."""

    list_display = ("account", "group")
    list_select_related = ("account", "group")
    ordering = ("-id",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"account__{get_user_model().USERNAME_FIELD}__istartswith",)


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ReadOnlyAdmin):
    """Who has which role, and from whom."""

    list_display = ("user", "role", "provenance", "primary", "created_at")
    list_filter = (ConnectionFilter, "provenance")
    list_select_related = ("user", "role")
    search_fields = ("user__name_key__startswith", "role__value_key__startswith")
    ordering = ("-id",)


@admin.register(Event)
class EventAdmin(ConnectionsAdmin):
    """What happened, newest first."""

    list_display = ("created_at", "kind", "name", "reason", "connection")
    list_filter = (ConnectionFilter, "kind", "created_at")
    search_fields = ("scim_id__exact", "name__istartswith")
    search_help_text = _("The beginning of a name, or a whole id.")
