"""Roles of a connection, and who has them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField
from scim_provider.protocol.schema import comparison_key

from .connection import Connection
from .resource import Resource, new_scim_id


def role_key(value: str) -> str:
    """The value of a role as it is compared: in any case."""
    return comparison_key(value.strip(" "))


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
    #: Further values that clients may send for it: what it was called before, what was merged.
    aliases: models.JSONField[list[str], list[str]] = models.JSONField(
        _("aliases"), default=list, blank=True
    )
    display = models.CharField(_("display name"), max_length=150, blank=True, default="")
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    #: Where one role is to be told of several: the one with the highest priority.
    priority = models.SmallIntegerField(_("priority"), default=0)
    #: Never granted through SCIM.
    protected = models.BooleanField(_("protected"), default=False)
    #: Rules grant it although it is protected.
    rules_may_grant = models.BooleanField(_("rules may grant it"), default=False)
    #: Given where ``Connection.unknown_role`` or ``Connection.missing_role`` is "default".
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

    @property
    def keys(self) -> set[str]:
        """Its values as they are compared, and its id, which Okta sends."""
        return {self.value_key, self.scim_id.lower(), *map(role_key, self.aliases)}

    @property
    def by_client(self) -> bool:
        """Whether clients may give it."""
        return not self.protected

    @property
    def by_rule(self) -> bool:
        """Whether rules may give it."""
        return not self.protected or self.rules_may_grant


class RoleRule(models.Model):
    """Who is in ``group``, directly or through groups in it, has ``role``."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="role_rules", db_index=False
    )
    #: Deleting a resource need not look here: a group with rules takes them along itself.
    group = models.ForeignKey(
        Resource,
        on_delete=models.DO_NOTHING,
        related_name="role_rules",
        db_index=False,
        db_constraint=False,
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="rules")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("SCIM role rule")
        verbose_name_plural = _("SCIM role rules")
        constraints = [models.UniqueConstraint(fields=["group", "role"], name="scim_rule_once")]
        indexes = [models.Index(fields=["connection"], name="scim_rule_connection")]

    def __str__(self) -> str:
        return f"{self.group}: {self.role}"


class Provenance(models.TextChoices):
    """Who gave a role."""

    CLIENT = "client", _("identity provider")
    HAND = "hand", _("by hand")
    RULE = "rule", _("rule")
    DEFAULT = "default", _("default role")


class RoleAssignment(models.Model):
    """``user`` has ``role``, for the reason that ``provenance`` is; there may be several."""

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
    #: The client says that it is the person's main one.
    primary = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("SCIM role assignment")
        verbose_name_plural = _("SCIM role assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "provenance"], name="scim_role_once_per_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class GrantedGroup(models.Model):
    """``account`` was put into ``group`` for its roles, and was not in it before.

    Only such a membership is taken away when the last reason for it is gone.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("group granted by a role")
        verbose_name_plural = _("groups granted by roles")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "group"], name="scim_granted_group_once")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.group}"
