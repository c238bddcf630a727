"""The tables: connections and their keys, resources and their values, members, roles.

Every index that serves a look-up is led by the connection, so that rows can be sharded by it.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import KeyField, KeyTextField


def new_scim_id() -> str:
    """A fresh public id: a random UUID, never reused (RFC 7643 §3.1)."""
    return str(uuid.uuid4())


class UnknownRole(models.TextChoices):
    """What becomes of a role value that the connection has no role for."""

    REJECT = "reject", _("Refuse the request and name the known roles")
    IGNORE = "ignore", _("Leave the role out")
    DEFAULT = "default", _("Use the default role")


class UnknownMember(models.TextChoices):
    """What becomes of a group member whose id is not known."""

    REJECT = "reject", _("Refuse the request and name the id")
    IGNORE = "ignore", _("Leave the member out")


class MissingMembers(models.TextChoices):
    """What a PUT of a Group means that does not mention ``members``."""

    CLEAR = "clear", _("The group becomes empty")
    KEEP = "keep", _("The members stay as they are")


class OnDelete(models.TextChoices):
    """What DELETE does to the account behind a User."""

    DEACTIVATE = "deactivate", _("Deactivate the account")
    DELETE = "delete", _("Delete the account")


class Connection(models.Model):
    """One organization's SCIM link: whether it is on, and its policies.

    ``owner`` is the organization: any model of the site, or none on a site that is one
    organization.
    """

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    owner_id = KeyField(max_length=64, blank=True, default="")
    owner = GenericForeignKey("owner_type", "owner_id")
    #: ``app_label.model:pk`` of the owner, "" for the whole site: unique even where it is NULL.
    owner_key = KeyField(max_length=255, unique=True, editable=False)

    enabled = models.BooleanField(_("SCIM provisioning"), default=False)
    enabled_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    strict = models.BooleanField(
        _("strict protocol"),
        default=False,
        help_text=_("Refuse what the RFCs do not allow, even where identity providers send it."),
    )
    unique_group_names = models.BooleanField(_("unique group names"), default=True)
    unknown_role = models.CharField(
        max_length=16, choices=UnknownRole.choices, default=UnknownRole.REJECT
    )
    unknown_member = models.CharField(
        max_length=16, choices=UnknownMember.choices, default=UnknownMember.REJECT
    )
    missing_members = models.CharField(
        max_length=16, choices=MissingMembers.choices, default=MissingMembers.CLEAR
    )
    on_delete = models.CharField(
        max_length=16, choices=OnDelete.choices, default=OnDelete.DEACTIVATE
    )

    #: What the page shows of the traffic; written at most once a minute while nothing changes.
    last_request_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_request = models.CharField(max_length=200, blank=True, default="", editable=False)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    last_client = models.CharField(max_length=200, blank=True, default="", editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure = models.CharField(max_length=500, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("SCIM connection")
        verbose_name_plural = _("SCIM connections")
        permissions = [
            ("view_scim_settings", "Can see the SCIM settings"),
            ("manage_scim", "Can manage SCIM provisioning"),
        ]

    def __str__(self) -> str:
        return str(self.owner) if self.owner_type_id else "SCIM"


class AccessKey(models.Model):
    """A bearer credential of a connection. Only its SHA-256 is stored."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="access_keys")
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    #: Hexadecimal SHA-256 of the whole key: the look-up column.
    digest = KeyField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    #: One-time value of the form that made the key: a repeated POST makes no second key.
    nonce = KeyField(max_length=64, unique=True, null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    last_used_by = models.CharField(max_length=200, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("access key")
        verbose_name_plural = _("access keys")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"scim_••••{self.last4}"

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        if self.revoked_at is not None and self.revoked_at <= timezone.now():
            return False
        return self.expires_at is None or self.expires_at > timezone.now()


class Resource(models.Model):
    """One SCIM resource of any type: who it is, what the client said of it.

    ``document`` holds the attributes that have no column, as they were sent; the rows of
    :class:`AttributeValue` are the index over them.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    #: The RFC's ResourceType name: "User", "Group".
    resource_type = KeyField(max_length=64)
    scim_id = KeyField(max_length=254, default=new_scim_id)
    external_id = KeyField(max_length=255, null=True, blank=True)
    #: userName of a User, displayName of a Group, as sent; and as compared.
    name = models.CharField(max_length=256)
    name_key = KeyField(max_length=256)
    #: ``name_key`` where the name must be unique, NULL where it need not.
    unique_key = KeyField(max_length=256, null=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="scim_resources",
    )
    document = models.JSONField(default=dict)
    created = models.DateTimeField()
    last_modified = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("SCIM resource")
        verbose_name_plural = _("SCIM resources")
        constraints = [
            models.UniqueConstraint(fields=["connection", "scim_id"], name="scim_resource_id"),
            models.UniqueConstraint(
                fields=["connection", "resource_type", "unique_key"],
                name="scim_resource_unique_key",
            ),
            models.UniqueConstraint(
                fields=["connection", "account"], name="scim_resource_one_per_account"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "resource_type", "name_key"], name="scim_res_name"),
            models.Index(
                fields=["connection", "resource_type", "external_id"], name="scim_res_ext"
            ),
            models.Index(
                fields=["connection", "resource_type", "last_modified"], name="scim_res_mod"
            ),
            models.Index(fields=["connection", "resource_type", "id"], name="scim_res_order"),
        ]

    def __str__(self) -> str:
        return self.name


class OfType(models.Manager["Resource"]):
    """Resources of one type, with new rows of that type."""

    def __init__(self, resource_type: str) -> None:
        super().__init__()
        self.resource_type = resource_type

    def get_queryset(self) -> models.QuerySet[Resource]:
        return super().get_queryset().filter(resource_type=self.resource_type)


class ScimUser(Resource):
    """A SCIM User: the sidecar of an account."""

    objects: ClassVar[OfType] = OfType("User")

    class Meta:
        proxy = True
        verbose_name = _("SCIM user")
        verbose_name_plural = _("SCIM users")


class ScimGroup(Resource):
    """A SCIM Group."""

    objects: ClassVar[OfType] = OfType("Group")

    class Meta:
        proxy = True
        verbose_name = _("SCIM group")
        verbose_name_plural = _("SCIM groups")


class AttributeValue(models.Model):
    """The index over ``Resource.document``: one row per comparable leaf value.

    ``path`` is the canonical path of the leaf (``title``, ``emails.value``,
    ``urn:…:User:department``), ``element`` the position of the value in its multi-valued
    attribute (0 for a single-valued one), so that a value path is one EXISTS per condition on
    the same element. ``key`` is the sortable, comparable form, cut to the column's length;
    ``text`` is the whole of it where it was cut.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    resource = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="values", db_index=False
    )
    path = KeyField(max_length=255)
    element = models.PositiveIntegerField(default=0)
    key = KeyField(max_length=255)
    text = KeyTextField(null=True)

    class Meta:
        verbose_name = _("SCIM attribute value")
        verbose_name_plural = _("SCIM attribute values")
        default_permissions = ()
        indexes = [
            models.Index(fields=["connection", "path", "key"], name="scim_value_key"),
            models.Index(fields=["resource", "path", "element"], name="scim_value_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.path}[{self.element}] {self.key}"


class Membership(models.Model):
    """``member`` (a User or a Group) belongs directly to ``group``."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    group = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    member = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="member_of")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("SCIM membership")
        verbose_name_plural = _("SCIM memberships")
        constraints = [
            models.UniqueConstraint(fields=["group", "member"], name="scim_membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.group}"


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


class FormerUser(models.Model):
    """The account of a User that was deleted through SCIM: a later create revives it."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name_key = KeyField(max_length=256)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    deleted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("former SCIM user")
        verbose_name_plural = _("former SCIM users")
        constraints = [
            models.UniqueConstraint(fields=["connection", "name_key"], name="scim_former_user_name")
        ]

    def __str__(self) -> str:
        return self.name_key
