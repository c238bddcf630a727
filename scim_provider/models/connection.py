"""An organization's SCIM link, its policies and its access keys."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField


class UnknownRole(models.TextChoices):
    """What becomes of a role value that the connection has no role for."""

    REJECT = "reject", _("Refuse the request and name the known roles")
    IGNORE = "ignore", _("Leave the role out")
    DEFAULT = "default", _("Use the default role")


class MissingRole(models.TextChoices):
    """What becomes of a person to whom neither the client nor a rule gives a role."""

    NONE = "none", _("The person has no role")
    DEFAULT = "default", _("The person has the default role")


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


class ExistingPeople(models.TextChoices):
    """Which members of the organization a client finds who were there before it."""

    EMPTY = "empty", _("Start empty: only people whom the identity provider creates")
    LIST = "list", _("List the existing members, so that the identity provider can match them")


class ExistingAccount(models.TextChoices):
    """What a create does that matches an account of the site."""

    REJECT = "reject", _("Refuse the request and name the way out")
    LINK = "link", _("Link the account, if it is a member of the same organization")


class SharedProfile(models.TextChoices):
    """Who writes the account of a person whom several connections have."""

    FIRST = "first", _("The connection that had the person first")
    EVERY = "every", _("Every connection: the last one to write is read by all")


class OnOrganizationDelete(models.TextChoices):
    """What becomes of the people when the site deletes the organization."""

    DEACTIVATE = "deactivate", _("Deactivate the accounts that no other organization counts on")
    KEEP = "keep", _("The accounts stay as they are")


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
    missing_role = models.CharField(
        max_length=16, choices=MissingRole.choices, default=MissingRole.NONE
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

    shared_profile = models.CharField(
        max_length=16, choices=SharedProfile.choices, default=SharedProfile.FIRST
    )
    on_organization_delete = models.CharField(
        max_length=16,
        choices=OnOrganizationDelete.choices,
        default=OnOrganizationDelete.DEACTIVATE,
    )

    existing_people = models.CharField(
        max_length=16, choices=ExistingPeople.choices, default=ExistingPeople.EMPTY
    )
    existing_account = models.CharField(
        max_length=16, choices=ExistingAccount.choices, default=ExistingAccount.REJECT
    )
    #: When the members who were there were listed to the last; NULL until then.
    members_listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When new members are worth looking for again; NULL: whenever a list is read.
    members_due_at = models.DateTimeField(null=True, blank=True, editable=False)

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
