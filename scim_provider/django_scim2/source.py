"""Where django-scim2 kept what an identity provider knows: columns of the site's own models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField, IntegerField, Model, TextField

_ID_FIELDS = (CharField, TextField, IntegerField)


class NoSource(LookupError):
    """The models have not what django-scim2 keeps; the text says what is missing."""


@dataclass(frozen=True)
class Source:
    """The models that django-scim2 served. Raises :class:`NoSource` where they are none.

    ``…_id_field`` is what the site's adapter has as ``id_field``.
    """

    group_model: type[Model] | None
    user_id_field: str = "scim_id"
    group_id_field: str = "scim_id"

    def __post_init__(self) -> None:
        _check_id_field(get_user_model(), self.user_id_field)
        if self.group_model is not None:
            _check_id_field(self.group_model, self.group_id_field)
            _ = self.through

    @cached_property
    def through(self) -> tuple[type[Model], str, str]:
        """The table of members, and its keys of the user and of the group."""
        assert self.group_model is not None
        found = dict(_many_to_many(get_user_model(), self.group_model))
        if "user_set" not in found and len(found) != 1:
            raise NoSource(
                f"{self.group_model._meta.label} has no members in a many-to-many field with the "
                "related name user_set, which is where django-scim2 looks for them."
            )
        return found.get("user_set") or next(iter(found.values()))


def configured_group_model() -> type[Model]:
    """The model that ``SCIM_SERVICE_PROVIDER["GROUP_MODEL"]`` names, else Django's groups.

    Raises :class:`NoSource`.
    """
    configured = getattr(settings, "SCIM_SERVICE_PROVIDER", None) or {}
    named = configured.get("GROUP_MODEL", "django.contrib.auth.models.Group")
    if not isinstance(named, str):
        model: type[Model] = named
        return model
    return named_model(named)


def named_model(name: str) -> type[Model]:
    """The model of an ``app_label.Model`` or of a dotted path. Raises :class:`NoSource`."""
    module, _, model = name.rpartition(".")
    for each in apps.get_models():
        if each.__name__ == model and module in (each._meta.app_label, each.__module__):
            return each
    raise NoSource(f"There is no model {name!r}. Name it as app_label.Model.")


def text_of(value: Any) -> str:
    """What django-scim2 answers of a column; a row that it never saved has no id."""
    return "" if value in (None, "", "None") else str(value)


def _check_id_field(model: type[Model], name: str) -> None:
    label = model._meta.label
    try:
        kind = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise NoSource(
            f"{label} has no field {name!r}. Name the one that the adapter has as id_field; if "
            "django-scim2's columns are dropped, restore them from a backup first."
        ) from None
    if not isinstance(kind, _ID_FIELDS):
        raise NoSource(f"{label}.{name} holds neither text nor whole numbers.")


def _many_to_many(
    user: type[Model], group: type[Model]
) -> Iterator[tuple[str, tuple[type[Model], str, str]]]:
    """The tables of users in groups by the accessor on the group, with their two keys."""
    for each in user._meta.many_to_many:
        if issubclass(group, each.remote_field.model):
            keys = each.m2m_field_name(), each.m2m_reverse_field_name()
            yield str(each.remote_field.get_accessor_name()), (_table(each), *keys)
    for each in group._meta.many_to_many:
        if issubclass(user, each.remote_field.model):
            keys = each.m2m_reverse_field_name(), each.m2m_field_name()
            yield each.name, (_table(each), *keys)


def _table(relation: Any) -> type[Model]:
    table: type[Model] = relation.remote_field.through
    return table
