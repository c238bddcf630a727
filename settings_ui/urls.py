from __future__ import annotations

from django.urls import path

from . import views

app_name = "scim_settings"

urlpatterns = [
    path("security/", views.Security.as_view(), name="security"),
    path("security/scim/enable/", views.Enable.as_view(), name="enable"),
    path("security/scim/disable/", views.Disable.as_view(), name="disable"),
    path("security/scim/members/", views.ListMembers.as_view(), name="list_members"),
    path("security/scim/status.json", views.Status.as_view(), name="status"),
    path("security/scim/confirm-password/", views.ConfirmPassword.as_view(), name="confirm"),
    path("security/scim/keys/new/", views.NewKey.as_view(), name="key_new"),
    path("security/scim/keys/<uuid:key_id>/rotate/", views.RotateKey.as_view(), name="key_rotate"),
    path("security/scim/keys/<uuid:key_id>/revoke/", views.RevokeKey.as_view(), name="key_revoke"),
    path(
        "security/scim/keys/<uuid:key_id>/cancel-rotation/",
        views.CancelRotation.as_view(),
        name="key_cancel_rotation",
    ),
]
