from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from .accounts.forms import ProfileForm


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The first page after the log-in, with the way to Settings → Security."""
    return render(request, "example/home.html")


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """What people may change about themselves."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Your profile was saved.")
        return redirect("profile")
    return render(request, "example/profile.html", {"form": form})


@login_required
def settings_index(request: HttpRequest) -> HttpResponse:
    """What an organization's admin may set; SCIM is under Security."""
    if not request.user.is_organization_admin:
        raise PermissionDenied
    return render(request, "example/settings.html")


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers "ok" when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
