from __future__ import annotations

from django.urls import include, path

from tests.sites.stock.urls import urlpatterns as stock

urlpatterns = [*stock, path("accounts/", include("allauth.urls"))]
