"""For the site's own user admin: who is managed by SCIM, and what is not edited by hand there.

from scim_provider.user_admin import ManagedByScimMixin

@admin.register(User)
class MyUserAdmin(ManagedByScimMixin, UserAdmin): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import Resource
from .ownership import locked_fields

if TYPE_CHECKING:  # the admin's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

_MANAGING = "managing_resources"
_COLUMN = "managed_by_scim"


def managing_resources() -> QuerySet[Resource]:
    """The resources whose accounts are under SCIM now: their connection is on."""
    return Resource.objects.filter(connection__enabled=True, account__isnull=False)


class ManagedByScimFilter(admin.SimpleListFilter):
    """Accounts under SCIM, or the others."""

    title = _("managed by SCIM")
    parameter_name = "scim"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        managed = Exists(managing_resources().filter(account=OuterRef("pk")))
        if self.value() == "yes":
            return queryset.filter(managed)
        return queryset.filter(~managed) if self.value() == "no" else queryset


class ManagedByScimMixin(_ModelAdmin):
    """A column, a filter, and read-only fields for what the identity provider keeps up to date.

    The column names the connections. ``scim_editable_fields`` names synced fields that staff
    may edit all the same, until the identity provider next sends them.
    """

    scim_editable_fields: Sequence[str] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        managing = (
            managing_resources()
            .select_related("connection", "connection__owner_type")
            .prefetch_related("connection__owner")
            .defer("document")
        )
        found = super().get_queryset(request)
        return found.prefetch_related(Prefetch("scim_resources", managing, to_attr=_MANAGING))

    @admin.display(description=_("managed by SCIM"))
    def managed_by_scim(self, account: Model) -> str | None:
        return ", ".join(str(resource.connection) for resource in _managing(account)) or None

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), _COLUMN]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), ManagedByScimFilter]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = [*super().get_readonly_fields(request, obj), _COLUMN]
        return fields + sorted(self._locked(obj) - set(fields))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = [*super().get_fieldsets(request, obj)]
        shown = {name for _title, options in fieldsets for name in options["fields"]}
        if obj is None or not _managing(obj) or _COLUMN in shown:
            return fieldsets
        return [*fieldsets, ("SCIM", {"fields": (_COLUMN,)})]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        locked = self._locked(obj)
        fields = super().get_prepopulated_fields(request, obj).items()
        return {name: sources for name, sources in fields if name not in locked}

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[ModelForm[Any]]:
        """Synced fields of ``list_editable`` take no input for accounts under SCIM."""
        base: Any = super().get_changelist_form(request, **kwargs)
        locked = self._locked

        class LockedForm(base):  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                for name in locked(self.instance) & self.fields.keys():
                    self.fields[name].disabled = True

        return LockedForm

    def _locked(self, account: Any) -> frozenset[str]:
        """The fields that are not edited by hand: of a new account, and of others, none."""
        if account is None or account._state.adding or not _managing(account):
            return frozenset()
        types = {resource.resource_type for resource in _managing(account)}
        return locked_fields(types) - frozenset(self.scim_editable_fields)


def _managing(account: Any) -> list[Resource]:
    """What manages the account: read along with it, else looked up once."""
    if _MANAGING not in vars(account):
        rows = managing_resources().filter(account=account).select_related("connection")
        setattr(account, _MANAGING, list(rows))
    found: list[Resource] = getattr(account, _MANAGING)
    return found
