"""SCIM's rows in Django's admin: to look at; clients and the settings page change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import AccessKey, Connection, Membership, Role, RoleAssignment, ScimGroup, ScimUser

if TYPE_CHECKING:  # the admin's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin[Any]
    _AccessKeys = admin.TabularInline[AccessKey, Connection]
    _Memberships = admin.TabularInline[Membership, ScimGroup]
else:
    _ModelAdmin = admin.ModelAdmin
    _AccessKeys = _Memberships = admin.TabularInline


class ReadOnlyAdmin(_ModelAdmin):
    """Nobody adds, changes or deletes here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AccessKeyInline(_AccessKeys):
    """Keys without anything that opens a door."""

    model = AccessKey
    extra = 0
    can_delete = False
    fields = readonly_fields = ("name", "last4", "created_at", "expires_at", "last_used_at")
    max_num = 0


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """The policies may be changed; turning on and off is the settings page's."""

    list_display = ("__str__", "enabled", "last_request_at", "last_status", "last_client")
    list_filter = ("enabled",)
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
        "unknown_member",
        "missing_members",
        "on_delete",
        "existing_people",
        "existing_account",
        *readonly_fields,
    )
    inlines = (AccessKeyInline,)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)


class ResourceAdmin(ReadOnlyAdmin):
    """What Users and Groups share."""

    list_display: tuple[str, ...] = ("name", "connection", "external_id", "last_modified")
    list_filter = ("connection",)
    list_select_related: ClassVar[tuple[str, ...]] = ("connection", "connection__owner_type")
    search_fields = ("name_key__startswith", "external_id", "scim_id")
    fields: ClassVar[tuple[str, ...]] = (
        "name",
        "connection",
        "scim_id",
        "external_id",
        "document",
        "created",
        "last_modified",
        "version",
    )
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(ScimUser)
class ScimUserAdmin(ResourceAdmin):
    """People, each with a way to the account."""

    list_display: tuple[str, ...] = (
        "name",
        "account",
        "is_active",
        "connection",
        "external_id",
        "last_modified",
    )
    list_select_related: ClassVar[tuple[str, ...]] = (
        "account",
        "connection",
        "connection__owner_type",
    )
    fields: ClassVar[tuple[str, ...]] = ("account", *ResourceAdmin.fields)
    readonly_fields: ClassVar[tuple[str, ...]] = fields

    @admin.display(boolean=True, description=_("active"))
    def is_active(self, user: ScimUser) -> bool:
        return bool(getattr(user.account, "is_active", True))


class MembershipInline(_Memberships):
    """The first members; a group may have a hundred thousand."""

    model = Membership
    fk_name = "group"
    extra = 0
    max_num = 0
    can_delete = False
    fields = readonly_fields = ("member", "created_at")
    verbose_name_plural = _("the first 100 members")
    shown = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        group = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        first = Membership.objects.filter(group=group).order_by("pk")[: self.shown]
        rows = super().get_queryset(request).select_related("member")
        return rows.filter(pk__in=list(first.values_list("pk", flat=True)))


@admin.register(ScimGroup)
class ScimGroupAdmin(ResourceAdmin):
    """Groups with their first members."""

    inlines = (MembershipInline,)


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """The roles of each connection."""

    list_display = ("value", "display", "connection", "protected", "is_default", "django_group")
    list_filter = ("connection", "protected")


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ReadOnlyAdmin):
    """Who has which role, and from whom."""

    list_display = ("user", "role", "provenance", "primary", "created_at")
    list_filter = ("provenance", "role")
    list_select_related = ("user", "role")
