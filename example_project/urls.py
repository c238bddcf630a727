from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.views import serve
from django.urls import include, path, re_path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile/", views.profile, name="profile"),
    path("scim/v2", include("scim_provider.urls")),
    path("settings/", views.settings_index, name="settings"),
    path("settings/", include("settings_ui.urls")),
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
    # A real site leaves its static files to the web server or to WhiteNoise.
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]
