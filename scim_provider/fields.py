"""Model fields that mean the same on every database: texts compared by us, documents as sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from .layouts import document_text, read_text

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    JSONField = models.JSONField[dict[str, Any], dict[str, Any]]
    CharField = models.CharField[str, str]
    TextField = models.TextField[str, str]
else:  # Django's fields take no type arguments when they run.
    AnyField, CharField, TextField = models.Field, models.CharField, models.TextField
    JSONField = models.JSONField


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


class DocumentField(JSONField):
    """A JSON object kept as a text, with its members in the order in which they were written.

    PostgreSQL would take it apart when it is written, and put it together again each time it is
    read, which takes longer than to find it. It is text there, so that SQL cannot look into it:
    what is looked for has an index of its own. :mod:`.layouts` says how it is written.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "text" if connection.vendor == "postgresql" else super().db_type(connection)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return read_text(super().from_db_value(value, expression, connection))

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        return document_text(value) if isinstance(value, dict) else value
