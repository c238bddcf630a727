"""Which kind of column fits a field of the site's models and an attribute of a schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import CharField, Field, TextField

from scim_provider.models import Resource
from scim_provider.protocol.schema import Attribute

from .kinds import PLAIN, Chosen, Day, Kind, Midnight, Moment, OwnText, Truth, Uuid
from .numbers import ChosenNumber, Number, NumberText

_TEXTS = ("string", "reference", "binary")
_NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)

#: Field classes and types of attributes → the kind that fits both; the first one counts.
_KINDS: tuple[tuple[tuple[type, ...], tuple[str, ...], type[Kind]], ...] = (
    ((CharField, TextField), _TEXTS, Kind),
    ((models.BooleanField,), ("boolean",), Truth),
    ((models.DateTimeField,), ("dateTime",), Moment),
    ((models.DateField,), ("dateTime",), Midnight),
    ((models.DateField,), ("string",), Day),
    ((models.UUIDField,), ("string", "reference"), Uuid),
    ((models.IntegerField,), ("string",), NumberText),
    ((models.IntegerField,), ("integer", "decimal"), Number),
    ((models.DecimalField, models.FloatField), ("decimal",), Number),
)
_CHOSEN: dict[type[Kind], type[Kind]] = {
    Kind: Chosen,
    OwnText: Chosen,
    Number: ChosenNumber,
}


def kind_of(field: Field[Any, Any] | None, leaf: Attribute) -> Kind | None:
    """How ``field`` holds the values of ``leaf``; None where it cannot."""
    if field is None:
        return Truth(field, leaf) if leaf.type == "boolean" else Kind(field, leaf)
    for classes, types, kind in _KINDS:
        is_moment = isinstance(field, models.DateTimeField) and kind in (Midnight, Day)
        if isinstance(field, classes) and leaf.type in types and not is_moment:
            if kind is Kind and type(field) not in PLAIN:
                kind = OwnText
            return (_CHOSEN.get(kind, kind) if field.choices else kind)(field, leaf)
    return None


@cache
def field_at(path: str, model: type[models.Model] = Resource) -> Field[Any, Any] | None:
    """The field at the end of a path of ``model``, such as ``account__mobile``, or None."""
    current: Any = model
    field: Any = None
    for step in path.split("__"):
        if current is None:
            return None
        try:
            field = current._meta.get_field(step)
        except FieldDoesNotExist:
            return None
        current = field.related_model if field.is_relation else None
    return field if isinstance(field, Field) else None
