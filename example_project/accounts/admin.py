from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from scim_provider.user_admin import ManagedByScimMixin

from .models import Account, Location, Organization


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ["name", "plan"]
    list_filter = ["plan"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):
    list_display = ["name", "organization"]
    list_filter = ["organization"]
    search_fields = ["name"]


@admin.register(Account)
class AccountAdmin(ManagedByScimMixin, UserAdmin):
    list_display = ["username", "email", "organization", "is_organization_admin", "is_active"]
    list_filter = ["organization", "is_organization_admin", "is_active", "is_staff"]
    list_select_related = ["organization"]
    autocomplete_fields = ["organization", "location"]
    fieldsets = (
        *UserAdmin.fieldsets,
        (
            "Organization",
            {"fields": ["organization", "is_organization_admin", "location", "mobile"]},
        ),
    )
