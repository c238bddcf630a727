"""The settings pages: overview, on and off, keys. A key is in one answer and nowhere else."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from scim_provider import connections, existing, keys
from scim_provider.models import AccessKey

from . import texts
from .access import SettingsView, confirm
from .elsewhere import elsewhere, may_look
from .forms import EnableForm, KeyForm, PasswordForm, RotateForm


class KeyPage(SettingsView):
    """A view whose POST answers with a new key, shown this once."""

    manages = True
    needs_fresh_login = True

    @sensitive_variables()
    def key_page(self, new: keys.NewKey) -> HttpResponse:
        """Show ``new`` straight away: no redirect, session or message ever holds it."""
        base_url = connections.base_url(self.request, self.owner)
        file = texts.key_file(
            new,
            organization=self.organizations.name(self.owner),
            base_url=base_url,
            by=str(self.account),
        )
        response = self.page(
            "key.html",
            key=new.key,
            secret=new.secret,
            authorization=keys.authorization_value(new.secret),
            base_url=base_url,
            file=file,
        )
        response.headers["Cache-Control"] = "no-store, private"
        return response

    def to_overview(self, level: int, text: str) -> HttpResponse:
        messages.add_message(self.request, level, text)
        return redirect("scim_settings:security")

    def repeated(self) -> HttpResponse:
        """The answer to a form that was sent before."""
        return self.to_overview(
            messages.INFO,
            _(
                "That form was sent before. Its access key exists and is not shown again; "
                "if you did not save it, replace it."
            ),
        )

    def must_be_on(self) -> None:
        if not (self.entitlement.allowed and self.connection.enabled):
            raise PermissionDenied


class SecurityPage(SettingsView):
    """A view that may answer with the overview."""

    @property
    def outlook(self) -> existing.Outlook:
        """The members who are there already; nobody counts them before they are shown."""
        return existing.Outlook(self.connection)

    def _members(self) -> dict[str, Any]:
        """What the page says of the members who were there, where they are listed."""
        if not (self.connection.enabled and existing.lists_members(self.connection)):
            return {}
        outlook = self.outlook
        listed = self.connection.members_listed_at is not None
        listing = None if listed else texts.listing_document(outlook, finished=False)
        left_out = texts.obstacles(outlook.unlisted)
        return {"members": outlook, "listing": listing, "obstacles": left_out}

    def security_page(self, form: EnableForm) -> HttpResponse:
        return self.page(
            "security.html",
            form=form,
            overview=self.overview,
            connection=self.connection,
            **self._members(),
            entitlement=self.entitlement,
            badge=texts.badge(self.overview),
            people=texts.people(self.overview),
            last_request=texts.last_request(self.overview),
            base_url=connections.base_url(self.request, self.owner),
            can_add_key=len(self.overview.live_keys) < keys.MOST_LIVE_KEYS,
        )


class Security(SecurityPage):
    """Everything about the connection on one page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.security_page(EnableForm(outlook=self.outlook))

    def without_organization(self, nowhere: Http404) -> HttpResponse:
        """Who sees the connections in Django's admin reads here where they are; others, nothing."""
        if self.request.method not in ("GET", "HEAD") or not may_look(self.account):
            raise nowhere
        return self.page_of_nobody("security_elsewhere.html", elsewhere=elsewhere(self.account))


class Enable(KeyPage, SecurityPage):
    """The ticked box: SCIM is on, and here is the key."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("scim_settings:security")

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        form = EnableForm(request.POST, outlook=self.outlook)
        if not self.entitlement.allowed:
            raise PermissionDenied
        if self.connection.enabled:
            return self.repeated()
        if not form.is_valid():
            return self.security_page(form)
        try:
            new = connections.enable(self.connection, by=self.account, **form.key_arguments())
        except keys.LiveKeyLimit:
            return self.to_overview(messages.ERROR, _too_many_keys())
        if new is None:
            return self.repeated()
        existing.choose(self.connection, form.existing_choice)
        return self.key_page(new)


class ListMembers(SecurityPage):
    """Goes on listing the members who were there, for a moment; the page asks until it is done."""

    manages = True
    http_method_names = ["post"]
    seconds = 1.0

    def post(self, request: HttpRequest) -> HttpResponse:
        if not (self.entitlement.allowed and self.connection.enabled):
            raise PermissionDenied
        if not existing.lists_members(self.connection):
            raise PermissionDenied
        done = existing.list_for(self.connection, self.seconds)
        if request.accepts("text/html"):
            if done.finished:
                messages.success(request, _("The existing members are listed."))
            return redirect("scim_settings:security")
        return JsonResponse(texts.listing_document(self.outlook, finished=done.finished))


class Disable(SettingsView):
    """Ask, then turn SCIM off."""

    manages = True
    needs_fresh_login = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("disable.html", overview=self.overview)

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.connection.enabled:
            connections.disable(self.connection, by=self.account)
        messages.success(
            request, _("SCIM provisioning is off. Everybody who was provisioned is still here.")
        )
        return redirect("scim_settings:security")


class NewKey(KeyPage):
    """A second key beside the first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.must_be_on()
        return self.page("key_new.html", form=KeyForm())

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        self.must_be_on()
        form = KeyForm(request.POST)
        if not form.is_valid():
            return self.page("key_new.html", form=form)
        try:
            new = keys.create_key(self.connection, by=self.account, **form.key_arguments())
        except keys.NonceUsed:
            return self.repeated()
        except keys.LiveKeyLimit:
            return self.to_overview(messages.ERROR, _too_many_keys())
        return self.key_page(new)


class OneKey(KeyPage):
    """A page about one key of this connection; any other key is not found."""

    def key(self, key_id: UUID) -> AccessKey:
        listed = self.connection.access_keys.select_related("connection")
        return get_object_or_404(listed, public_id=key_id)

    def others(self, key: AccessKey) -> int:
        """How many keys go on working without ``key``."""
        return keys.live_keys(self.connection).exclude(pk=key.pk).count()


class RotateKey(OneKey):
    """A new key in place of an old one, which works on for a while."""

    def get(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        self.must_be_on()
        return self.page("key_rotate.html", form=RotateForm(), key=self.key(key_id))

    @sensitive_variables()
    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        self.must_be_on()
        key, form = self.key(key_id), RotateForm(request.POST)
        if not form.is_valid():
            return self.page("key_rotate.html", form=form, key=key)
        try:
            new = keys.rotate(
                self.connection,
                key,
                keep_old_for=form.overlap,
                by=self.account,
                **form.key_arguments(),
            )
        except keys.NonceUsed:
            return self.repeated()
        except keys.LiveKeyLimit:
            return self.to_overview(messages.ERROR, _too_many_keys())
        return self.key_page(new)


class RevokeKey(OneKey):
    """Ask, then end a key."""

    def get(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        key = self.key(key_id)
        return self.page("key_revoke.html", key=key, others=self.others(key))

    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        key = self.key(key_id)
        keys.revoke(key, by=self.account)
        text = _("The access key ending in %(last4)s is revoked.") % {"last4": key.last4}
        return self.to_overview(messages.SUCCESS, text)


class CancelRotation(OneKey):
    """Ask, then keep the old key and end the new one."""

    def get(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        return self.page("key_cancel_rotation.html", key=self.key(key_id))

    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        key = self.key(key_id)
        try:
            keys.cancel_rotation(key, by=self.account)
        except keys.NotRotating:
            return self.to_overview(messages.ERROR, _("This key is not being replaced any more."))
        text = _("The access key ending in %(last4)s stays.") % {"last4": key.last4}
        return self.to_overview(messages.SUCCESS, text)


class Status(SettingsView):
    """What the open overview asks for; 304 while nothing changed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        body = json.dumps(texts.status_document(self.overview), sort_keys=True).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponse(status=304, headers={"ETag": etag})
        return HttpResponse(body, content_type="application/json", headers={"ETag": etag})


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class ConfirmPassword(SettingsView):
    """The password once more, where the log-in is old."""

    manages = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form_page(PasswordForm(request=request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request.POST, request=request)
        if not form.is_valid():
            return self._form_page(form)
        confirm(request)
        return redirect(self._next())

    def _form_page(self, form: PasswordForm) -> HttpResponse:
        return self.page("confirm_password.html", form=form, next=self._next())

    def _next(self) -> str:
        wanted: Any = self.request.POST.get("next") or self.request.GET.get("next", "")
        host, secure = self.request.get_host(), self.request.is_secure()
        if url_has_allowed_host_and_scheme(wanted, allowed_hosts={host}, require_https=secure):
            return str(wanted)
        return reverse("scim_settings:security")


def _too_many_keys() -> str:
    return _("Two access keys work already. Revoke one of them first.")
