from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class SettingsUIConfig(AppConfig):
    name = "settings_ui"
    label = "scim_settings_ui"
    verbose_name = _("SCIM settings pages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .access import note_log_in  # needs the models
        from .checks import register_checks

        register_checks()
        user_logged_in.connect(note_log_in, dispatch_uid="scim_settings_ui.note_log_in")
