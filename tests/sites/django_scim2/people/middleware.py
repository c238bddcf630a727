from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import get_urlconf
from django_scim.middleware import SCIMAuthCheckMiddleware


class OnlyBefore(SCIMAuthCheckMiddleware):
    """django-scim2's own check, while its URLs are the ones."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (get_urlconf() or request.urlconf).endswith("urls_after"):
            return self.get_response(request)
        return super().__call__(request)
