"""Lists in Django's admin that cost the same at any size, and in which nothing is changed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .connections import EXPIRES_SOON
from .models import Connection

if TYPE_CHECKING:  # the admin's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
else:
    _ModelAdmin, _TabularInline = admin.ModelAdmin, admin.TabularInline


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts a long list no further than a few hundred pages; a search finds what lies behind."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())


class ConnectionFilter(admin.SimpleListFilter):
    """By connection: the first ones, and the one that a link has chosen."""

    title = _("connection")
    parameter_name = "connection"
    shown = 50

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Connection.objects.select_related("owner_type").prefetch_related("owner")
        found = list(rows.order_by("pk")[: self.shown])
        chosen = _uuid(request.GET.get(self.parameter_name, ""))
        if chosen and all(each.public_id != chosen for each in found):
            found += rows.filter(public_id=chosen)
        return [(str(each.public_id), str(each)) for each in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        chosen = _uuid(str(self.value()))
        return queryset.filter(connection__public_id=chosen) if chosen else queryset.none()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class KeyStateFilter(admin.SimpleListFilter):
    """Keys that work, that end soon, that have ended."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("live", _("Works")), ("soon", _("Ends soon")), ("ended", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        ended = Q(revoked_at__lte=now) | Q(expires_at__lte=now)
        soon = Q(revoked_at__gt=now) | Q(expires_at__gt=now, expires_at__lte=now + EXPIRES_SOON)
        if self.value() == "ended":
            return queryset.filter(ended)
        # ~ended would leave out keys without an end: SQL compares NULL with nothing.
        works = queryset.filter(
            Q(revoked_at__isnull=True) | Q(revoked_at__gt=now),
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        )
        return {"live": works, "soon": works.filter(soon)}.get(str(self.value()), queryset)


class ReadOnlyAdmin(_ModelAdmin):
    """Nobody adds, changes or deletes here."""

    actions: Any = None
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ConnectionsAdmin(ReadOnlyAdmin):
    """Rows of a connection, which names its organization."""

    list_filter: ClassVar[tuple[Any, ...]] = (ConnectionFilter,)
    list_select_related: ClassVar[tuple[str, ...]] = ("connection", "connection__owner_type")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("connection__owner")


class FirstRowsInline(_TabularInline):
    """The first rows only: a group may have a hundred thousand members."""

    shown = 100
    extra = 0
    max_num = 0
    can_delete = False
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        parent = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        rows = super().get_queryset(request).order_by("pk")
        rows = rows.select_related(*self.related) if self.related else rows
        if parent is None or not str(parent).isdecimal():
            return rows.none()
        first = rows.filter(**{str(self.fk_name): parent})[: self.shown]
        return rows.filter(pk__in=list(first.values_list("pk", flat=True)))
