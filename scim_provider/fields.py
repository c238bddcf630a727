"""Model fields whose comparison is decided by us, not by the database's collation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    CharField = models.CharField[str, str]
    TextField = models.TextField[str, str]
else:  # Django's fields take no type arguments when they run.
    AnyField, CharField, TextField = models.Field, models.CharField, models.TextField


def binary_collation(connection: BaseDatabaseWrapper) -> str | None:
    """The engine's byte-wise collation in which a trailing blank counts."""
    if connection.vendor == "mysql":
        is_mariadb: bool = getattr(connection, "mysql_is_mariadb", False)
        return "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
    return {"postgresql": "C", "sqlite": "BINARY"}.get(connection.vendor)


class _BinaryCollation(AnyField):
    """Adds the engine's byte-wise collation to the column, and nothing to the migration."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        parameters["collation"] = binary_collation(connection)
        return parameters


class KeyField(_BinaryCollation, CharField):
    """A short text compared byte for byte: ids, normalised names, index keys."""


class KeyTextField(_BinaryCollation, TextField):
    """A long text compared byte for byte."""
