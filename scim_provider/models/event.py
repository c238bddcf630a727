"""What happened on a connection, and why: append-only rows, never changed afterwards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField

from .connection import Connection


class EventKind(models.TextChoices):
    """What happened."""

    PERSON_LISTED = "person.listed", _("A member of the site was listed")
    PERSON_LINKED = "person.linked", _("An existing account was linked")
    PERSON_UNLINKED = "person.unlinked", _("An account was unlinked")
    LINK_REFUSED = "person.link_refused", _("An existing account was not linked")
    CHANGE_REFUSED = "person.change_refused", _("A protected account was not changed")
    DEACTIVATED = "person.deactivated", _("A person was deactivated")
    REACTIVATED = "person.reactivated", _("A person was reactivated")
    ROLES_APPLIED = "roles.applied", _("A changed role mapping was applied")


class Event(models.Model):
    """Something that happened on a connection.

    The resource may be gone by the time somebody reads this: ``resource_type``, ``scim_id`` and
    ``name`` are what it was then. ``data`` holds what belongs to the kind, JSON, no secrets.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    kind = KeyField(_("kind"), max_length=32, choices=EventKind.choices)
    resource_type = KeyField(max_length=64, blank=True, default="")
    scim_id = KeyField(max_length=254, blank=True, default="")
    name = models.CharField(_("name"), max_length=256, blank=True, default="")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
    )
    #: In words, for an admin.
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("SCIM event")
        verbose_name_plural = _("SCIM events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "id"], name="scim_event_order"),
            models.Index(fields=["connection", "scim_id"], name="scim_event_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}" if self.name else self.get_kind_display()
