from __future__ import annotations

from django.apps import AppConfig


class ManyToManyConfig(AppConfig):
    name = "tests.sites.many_to_many"
    label = "teams"
    default_auto_field = "django.db.models.BigAutoField"
