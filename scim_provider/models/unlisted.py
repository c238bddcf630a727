"""Accounts that are no people of a connection, though they belong to its organization."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField

from .connection import Connection


class UnlistedReason(models.TextChoices):
    """Why an account is left alone when members are listed."""

    UNLINKED = "unlinked", _("An administrator unlinked it")
    NO_NAME = "no_name", _("It has no login name")
    TOO_LONG = "too_long", _("Its login name is too long")
    SAME_NAME = "same_name", _("Another person has its login name in another spelling")
    PRIVILEGED = "privileged", _("It is an administrator of the site")
    #: Nobody is left alone for it: the row keeps that the account is protected.
    LET_IN = "let_in", _("It may come back, and is protected then")


class Unlisted(models.Model):
    """An account that listing leaves alone, and, where it was unlinked, linking too."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    reason = KeyField(_("reason"), max_length=16, choices=UnlistedReason.choices)
    #: Whether SCIM protects the account once it is a person of the connection again.
    protected = models.BooleanField(_("protected"), default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("account that is not listed")
        verbose_name_plural = _("accounts that are not listed")
        constraints = [
            models.UniqueConstraint(fields=["connection", "account"], name="scim_unlisted_once")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.get_reason_display()}"
