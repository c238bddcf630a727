"""Users, groups, whatever else a site serves: one table, its index, and who is in what."""

from __future__ import annotations

import uuid
from typing import ClassVar, TypeVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import DocumentField, KeyField, KeyTextField

from .connection import Connection

#: The index that holds the rows of a connection and type in the order of their keys.
IN_ORDER = "scim_res_order"


def new_scim_id() -> str:
    """A fresh public id: a random UUID, never reused (RFC 7643 §3.1)."""
    return str(uuid.uuid4())


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
    document = DocumentField(default=dict)
    #: Whether the account's columns are written and read by this connection, where it has others.
    owns_profile = models.BooleanField(default=True, db_default=True, editable=False)
    #: Not deactivated, deleted, renamed or stripped through SCIM. Set by the site.
    protected = models.BooleanField(_("protected"), default=False, db_default=False)
    created = models.DateTimeField()
    last_modified = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    #: Column of the account → what was last written there, where the person may edit it, too.
    written: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, editable=False
    )
    #: Of a Group: its members, or those of a group that it is in, have roles by rule, or had.
    has_rules = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("SCIM resource")
        verbose_name_plural = _("SCIM resources")
        constraints = [
            # With the type: what came from another service provider may number each type by itself.
            models.UniqueConstraint(
                fields=["connection", "scim_id", "resource_type"], name="scim_resource_id"
            ),
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
            models.Index(fields=["connection", "resource_type", "id"], name=IN_ORDER),
        ]

    def __str__(self) -> str:
        return self.name


R = TypeVar("R", bound=Resource)


class OfType(models.Manager[R]):
    """Resources of one type."""

    def __init__(self, resource_type: str) -> None:
        super().__init__()
        self.resource_type = resource_type

    def get_queryset(self) -> models.QuerySet[R]:
        return super().get_queryset().filter(resource_type=self.resource_type)


class ScimUser(Resource):
    """A SCIM User: the sidecar of an account."""

    objects: ClassVar[OfType[ScimUser]] = OfType("User")  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = _("SCIM user")
        verbose_name_plural = _("SCIM users")


class ScimGroup(Resource):
    """A SCIM Group."""

    objects: ClassVar[OfType[ScimGroup]] = OfType("Group")  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = _("SCIM group")
        verbose_name_plural = _("SCIM groups")


# No constraint on the connection of the two tables below: it is their resource's, which has one.


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
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
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
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    group = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    member = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="member_of")
    #: The ``display`` that the client sent; "" stands for the member's own name.
    display = models.CharField(max_length=256, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("SCIM membership")
        verbose_name_plural = _("SCIM memberships")
        constraints = [
            models.UniqueConstraint(fields=["group", "member"], name="scim_membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.group}"


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
    #: ``Resource.written`` as it was.
    written: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, editable=False
    )

    class Meta:
        verbose_name = _("former SCIM user")
        verbose_name_plural = _("former SCIM users")
        constraints = [
            models.UniqueConstraint(fields=["connection", "name_key"], name="scim_former_user_name")
        ]

    def __str__(self) -> str:
        return str(self.name_key)
