from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettingsUIConfig(AppConfig):
    name = "settings_ui"
    label = "scim_settings_ui"
    verbose_name = _("SCIM settings pages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .checks import register_checks  # needs the models

        register_checks()
