from __future__ import annotations

from typing import Any

PEOPLE = {"admin", "auth", "contenttypes", "scim_provider"}


class PeopleRouter:
    """Sends what belongs to people to their database."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "people" if model._meta.app_label in PEOPLE else "default"

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return self.db_for_read(one) == self.db_for_read(other)

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool:
        return database == ("people" if app_label in PEOPLE else "default")
