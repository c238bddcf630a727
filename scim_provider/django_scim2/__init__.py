"""What django-scim2 kept in a site's tables, carried over (docs/migrate-from-django-scim2.md)."""

from .carrying import Import
from .report import Conflict, Report
from .source import NoSource, Source, configured_group_model, named_model

__all__ = [
    "Conflict",
    "Import",
    "NoSource",
    "Report",
    "Source",
    "configured_group_model",
    "named_model",
]
