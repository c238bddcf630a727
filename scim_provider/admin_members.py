"""People taken out of SCIM, and let in again, in Django's admin: the accounts stay as they are."""

from __future__ import annotations

from itertools import groupby

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import existing
from .models import ScimUser, Unlisted
from .organizations import MANAGE_PERMISSION


class Unlinking:
    """The action ``unlink``, for those who may manage SCIM."""

    def has_unlink_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_PERMISSION)

    @admin.action(
        permissions=["unlink"], description=_("Take out of SCIM and leave the account as it is")
    )
    def unlink(self, request: HttpRequest, people: QuerySet[ScimUser]) -> None:
        chosen = people.select_related("connection").order_by("connection", "pk")
        number = sum(
            existing.unlink(connection, list(some), by=request.user)
            for connection, some in groupby(chosen, lambda person: person.connection)
        )
        said = ngettext("%d person was unlinked.", "%d people were unlinked.", number)
        messages.success(request, said % number)


class Relinking:
    """The action ``relink``, for those who may manage SCIM."""

    def has_relink_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_PERMISSION)

    @admin.action(permissions=["relink"], description=_("Let SCIM list and link them again"))
    def relink(self, request: HttpRequest, accounts: QuerySet[Unlisted]) -> None:
        number = existing.relink_all(accounts)
        said = ngettext("%d account was let in.", "%d accounts were let in.", number)
        messages.success(request, said % number)
