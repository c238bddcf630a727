from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = [
    path("scim/v2", include("scim_provider.urls")),
    *i18n_patterns(path("settings/", include("settings_ui.urls"))),
]
