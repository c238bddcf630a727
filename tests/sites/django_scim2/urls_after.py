from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("scim/v2", include("scim_provider.urls")),
    path("settings/", include("settings_ui.urls")),
]
