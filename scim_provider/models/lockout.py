"""What outlasts a request of an account: how it is found, and made void."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scim_provider.fields import KeyField


class Lockout(models.Model):
    """The last time that an account was locked out through SCIM.

    ``mark`` is another one each time. A session that began afterwards carries it; one that does
    not is older, and void, whatever became of the account since.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    mark = KeyField(max_length=32)
    locked_at = models.DateTimeField(default=timezone.now)
    #: When SCIM let the account in again, None while it is locked out.
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("SCIM lockout")
        verbose_name_plural = _("SCIM lockouts")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.locked_at:%Y-%m-%d %H:%M}"


class LoginSession(models.Model):
    """A session in which an account under SCIM logged in: sessions cannot be asked whose they are.

    The session may be gone by now; a key is never given again.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    session_key = KeyField(max_length=128, unique=True)
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("log-in session")
        verbose_name_plural = _("log-in sessions")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.started_at:%Y-%m-%d %H:%M}"
