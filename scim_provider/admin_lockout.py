"""Lockouts in Django's admin, and people who are protected from them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .admin_lists import ReadOnlyAdmin
from .models import Lockout, LoginSession, ScimUser
from .organizations import MANAGE_PERMISSION
from .protection import set_protected


class OfAccounts(ReadOnlyAdmin):
    """Rows of accounts, found by the beginning of a login name."""

    list_select_related = ("account",)
    ordering = ("-id",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"account__{get_user_model().USERNAME_FIELD}__istartswith",)


@admin.register(Lockout)
class LockoutAdmin(OfAccounts):
    """Whom SCIM locked out last when, and who was let in again."""

    list_display = ("account", "locked_at", "lifted_at")
    list_filter = ("locked_at",)
    fields = readonly_fields = ("account", "locked_at", "lifted_at")


@admin.register(LoginSession)
class LoginSessionAdmin(OfAccounts):
    """When people logged in; whoever sees the key of a session may take it over, so nobody does."""

    list_display = ("account", "started_at")
    fields = readonly_fields = ("account", "started_at")


class Protecting:
    """The actions ``protect`` and ``unprotect``, for those who may manage SCIM."""

    def has_protect_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_PERMISSION)

    @admin.action(permissions=["protect"], description=_("Protect from being locked out by SCIM"))
    def protect(self, request: HttpRequest, people: QuerySet[ScimUser]) -> None:
        _tell(request, set_protected(people, protected=True))

    @admin.action(permissions=["protect"], description=_("Protect no longer"))
    def unprotect(self, request: HttpRequest, people: QuerySet[ScimUser]) -> None:
        _tell(request, set_protected(people, protected=False))


def _tell(request: HttpRequest, number: Any) -> None:
    changed = ngettext("%d person was changed.", "%d people were changed.", number)
    messages.success(request, changed % number)
