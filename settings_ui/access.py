"""Who may open a settings page, and what every answer carries."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.generic import View

from scim_provider import connections
from scim_provider.models import Connection
from scim_provider.organizations import Entitlement, Organizations, organizations

from .conf import ui_settings

CONFIRMED_AT = "scim_settings_confirmed_at"


@method_decorator(csrf_protect, name="dispatch")
class SettingsView(View):
    """A page of one organization: logged in, allowed, never in a shared cache or a frame."""

    #: The page changes something: only for those who manage SCIM.
    manages: ClassVar[bool] = False
    #: The page makes or ends a key: only soon after a log-in.
    needs_fresh_login: ClassVar[bool] = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = self._answer(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # Not "no-referrer": browsers then send "Origin: null" with the forms on the page, the
        # site's log-out for one, and Django's CSRF check refuses them. No URL holds a secret.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        try:
            allowed = self.can_manage if self.manages else self.can_view
        except Http404 as nowhere:
            return self.without_organization(nowhere)
        if not allowed:
            raise PermissionDenied
        if self._is_about_another():
            text = _("%(organization)s is open by now. Nothing was changed: open the form again.")
            name = self.organizations.name(self.owner)
            messages.error(request, text % {"organization": name})
            return redirect("scim_settings:security")
        if self.needs_fresh_login and not self._is_fresh():
            back = request.path if request.method == "GET" else reverse("scim_settings:security")
            return redirect(f"{reverse('scim_settings:confirm')}?{urlencode({'next': back})}")
        return super().dispatch(request, *args, **kwargs)

    def without_organization(self, nowhere: Http404) -> HttpResponse:
        """The answer to somebody whom the site knows no organization of."""
        raise nowhere

    @property
    def account(self) -> AbstractBaseUser:
        """Who is logged in; asked for only after the log-in was checked."""
        return cast("AbstractBaseUser", self.request.user)

    @cached_property
    def organizations(self) -> Organizations:
        return organizations()

    @cached_property
    def owner(self) -> Model | None:
        return self.organizations.owner_for(self.request)

    @cached_property
    def can_manage(self) -> bool:
        return self.organizations.can_manage(self.request, self.owner)

    @cached_property
    def can_view(self) -> bool:
        return self.can_manage or self.organizations.can_view(self.request, self.owner)

    @cached_property
    def entitlement(self) -> Entitlement:
        return self.organizations.entitlement(self.owner)

    @cached_property
    def connection(self) -> Connection:
        return connections.connection_for(self.owner)

    @cached_property
    def overview(self) -> connections.Overview:
        return connections.Overview(self.connection, self.entitlement)

    def page(self, template: str, **context: Any) -> HttpResponse:
        """The rendered page ``settings_ui/<template>``."""
        own = {
            "organization": self.organizations.name(self.owner),
            "can_manage": self.can_manage,
            "shown_for": self.connection.public_id,
        }
        return self.page_of_nobody(template, **own | context)

    def page_of_nobody(self, template: str, **context: Any) -> HttpResponse:
        """The same about no organization."""
        shared = {
            "base_template": ui_settings.base_template,
            "product_name": ui_settings.product_name,
        }
        return render(self.request, f"settings_ui/{template}", shared | context)

    def _is_about_another(self) -> bool:
        """Whether a form was shown for an organization that the person has left for another one,
        in another window, say.
        """
        shown = self.request.POST.get("connection", "") if self.manages else ""
        return bool(shown) and shown != str(self.connection.public_id)

    def _is_fresh(self) -> bool:
        limit = ui_settings.reauthenticate_after
        if limit is None:
            return True
        latest = confirmed_at(self.request)
        return latest is not None and latest > timezone.now() - limit


def confirmed_at(request: HttpRequest) -> datetime | None:
    """When this session logged in, or its person last typed the password on our own page.

    Not the account's ``last_login``: a log-in elsewhere says nothing of who sits before this one.
    """
    return parse_datetime(request.session.get(CONFIRMED_AT, ""))


def confirm(request: HttpRequest) -> None:
    """Remember that the person has just logged in, or typed the password."""
    request.session[CONFIRMED_AT] = timezone.now().isoformat()


def note_log_in(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Receiver of ``user_logged_in``."""
    if ui_settings.reauthenticate_after is not None and hasattr(request, "session"):
        confirm(cast("HttpRequest", request))
