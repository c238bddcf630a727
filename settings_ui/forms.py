"""The forms of the settings pages."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from scim_provider.existing import Outlook
from scim_provider.models import ExistingPeople

from . import texts
from .conf import ui_settings

NEVER = "never"
#: Seconds the replaced key goes on working.
KEEP_OLD_FOR = [
    ("86400", _("24 hours")),
    ("3600", _("1 hour")),
    ("604800", _("7 days")),
    ("0", _("Stop it now (it has leaked)")),
]


class KeyForm(forms.Form):
    """Name and lifetime of a new key. ``nonce`` makes a repeated POST harmless."""

    name = forms.CharField(
        label=_("Key name"),
        max_length=100,
        help_text=_("So that you recognise it later. Only admins see it."),
    )
    lifetime = forms.ChoiceField(label=_("Expires"))
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        lifetime = self.fields["lifetime"]
        assert isinstance(lifetime, forms.ChoiceField)
        lifetime.choices = [(_days(life), _lifetime(life)) for life in ui_settings.key_lifetimes]
        lifetime.initial = _usual(ui_settings.key_lifetimes)
        self.fields["name"].initial = gettext("Key %(month)s") % {
            "month": f"{timezone.now():%Y-%m}"
        }
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["nonce"].initial = lambda: secrets.token_urlsafe(24)

    @property
    def expires_at(self) -> datetime | None:
        """When the key of the valid form ends."""
        days = self.cleaned_data["lifetime"]
        return None if days == NEVER else timezone.now() + timedelta(days=int(days))

    def key_arguments(self) -> dict[str, Any]:
        """What :func:`scim_provider.keys.create_key` takes from the valid form."""
        return {
            "name": self.cleaned_data["name"],
            "expires_at": self.expires_at,
            "nonce": self.cleaned_data["nonce"],
        }


class EnableForm(KeyForm):
    """The check box that turns SCIM on, and the options of its first key."""

    provisioning = forms.BooleanField(
        label=_("SCIM provisioning"),
        help_text=_("Turning it on creates an access key for your identity provider."),
        error_messages={"required": _("Tick “SCIM provisioning” to turn it on.")},
    )
    existing_people = forms.ChoiceField(
        label=_("People who are here already"), widget=forms.RadioSelect, required=False
    )

    def __init__(self, *args: Any, outlook: Outlook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outlook = outlook
        field = self.fields["existing_people"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (ExistingPeople.EMPTY, _("Start empty")),
            (ExistingPeople.LIST, lazy(texts.list_members, str)(outlook)),  # counted when shown
        ]
        field.initial = outlook.connection.existing_people

    @property
    def obstacles(self) -> list[str]:
        """Why how many of the members cannot be listed."""
        return texts.obstacles(self.outlook.obstacles)

    @property
    def existing_choice(self) -> str:
        """What the valid form says of existing people; without a word, what held before."""
        return self.cleaned_data["existing_people"] or self.outlook.connection.existing_people


class RotateForm(KeyForm):
    """A new key in place of an old one."""

    keep_old_for = forms.ChoiceField(
        label=_("Keep the old key working for"),
        choices=KEEP_OLD_FOR,
        initial=KEEP_OLD_FOR[0][0],
        help_text=_("Long enough to enter the new key in your identity provider."),
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=int(self.cleaned_data["keep_old_for"]))


class PasswordForm(forms.Form):
    """The password of the person who is logged in, once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.request = request

    @sensitive_variables("password")
    def clean_password(self) -> str:
        """As the log-in form asks: of every backend, some of which lock out who guesses."""
        password: str = self.cleaned_data["password"]
        user: Any = self.request.user
        found = authenticate(self.request, username=user.get_username(), password=password)
        if found is None or found.pk != user.pk:
            raise forms.ValidationError(gettext("This is not your password."))
        return password


def _days(life: timedelta | None) -> str:
    return NEVER if life is None else str(life.days)


def _lifetime(life: timedelta | None) -> str:
    if life is None:
        return gettext("Never")
    if life.days % 365 == 0:
        years = life.days // 365
        return ngettext("In %(years)d year", "In %(years)d years", years) % {"years": years}
    return ngettext("In %(days)d day", "In %(days)d days", life.days) % {"days": life.days}


def _usual(lifetimes: list[timedelta | None]) -> str:
    """A year where it is on offer, else the first choice."""
    year = timedelta(days=365)
    return _days(year if year in lifetimes else lifetimes[0])
