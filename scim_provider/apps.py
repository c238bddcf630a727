from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import setting_changed
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

from .mapping.functions import register_sqlite_functions


class ScimProviderConfig(AppConfig):
    name = "scim_provider"
    verbose_name = _("SCIM provisioning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import login_sessions, removal  # need the models
        from .checks import register_checks

        register_checks()
        login_sessions.connect()
        removal.connect()
        setting_changed.connect(removal.connect)
        connection_created.connect(register_sqlite_functions)
