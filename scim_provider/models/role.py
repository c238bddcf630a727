"""Roles of a connection, and who has them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField

from .connection import Connection
from .resource import Resource, new_scim_id


class Role(models.Model):
    """A role that a connection's client may give: its SCIM value and what it grants."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="roles", db_index=False
    )
    scim_id = KeyField(max_length=64, default=new_scim_id, editable=False)
    value = models.CharField(_("value"), max_length=150)
    #: ``value`` as it is compared.
    value_key = KeyField(max_length=150, editable=False)
    display = models.CharField(_("display name"), max_length=150, blank=True, default="")
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    #: Never granted through SCIM.
    protected = models.BooleanField(_("protected"), default=False)
    #: Given where ``Connection.unknown_role`` is "default".
    is_default = models.BooleanField(_("default role"), default=False)
    #: Members of the role are put into this Django group.
    django_group = models.ForeignKey(
        "auth.Group", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_modified = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("SCIM role")
        verbose_name_plural = _("SCIM roles")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "scim_id"], name="scim_role_id"),
            models.UniqueConstraint(fields=["connection", "value_key"], name="scim_role_once"),
        ]

    def __str__(self) -> str:
        return self.display or self.value


class Provenance(models.TextChoices):
    """Who gave a role."""

    CLIENT = "client", _("identity provider")
    HAND = "hand", _("by hand")
    RULE = "rule", _("rule")


class RoleAssignment(models.Model):
    """``user`` has ``role``; ``sent`` is the element of ``roles`` as the client wrote it."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="role_assignments", db_index=False
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments")
    provenance = models.CharField(
        max_length=16, choices=Provenance.choices, default=Provenance.CLIENT
    )
    primary = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    sent: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("SCIM role assignment")
        verbose_name_plural = _("SCIM role assignments")
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="scim_role_assigned_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"
