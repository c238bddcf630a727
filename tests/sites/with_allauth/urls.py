from __future__ import annotations

from django.urls import include, path
from knox.auth import TokenAuthentication as KnoxAuthentication
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from rest_framework.authentication import TokenAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.sites.stock.urls import urlpatterns as stock


class WhoAmI(APIView):
    """The login name of whoever brings a token."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response(request.user.get_username())


urlpatterns = [
    *stock,
    path("accounts/", include("allauth.urls")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    *(
        path(f"api/{name}", WhoAmI.as_view(authentication_classes=[kind]))
        for name, kind in {
            "authtoken": TokenAuthentication,
            "knox": KnoxAuthentication,
            "oauth": OAuth2Authentication,
        }.items()
    ),
]
