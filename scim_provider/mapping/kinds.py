"""What a column holds, by the kind of its field: how it is compared, sorted, read and written.

A kind fits some types of attributes; :mod:`.fitting` finds the one for a field and an attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CharField, F, Field, Q, TextField, Value
from django.db.models.functions import Cast, NullIf
from django.utils import timezone

from scim_provider.fields import KeyField, KeyTextField
from scim_provider.protocol.errors import InvalidFilter, InvalidValue
from scim_provider.protocol.schema import Attribute, Target
from scim_provider.protocol.values import comparison_key, quoted

from .document import moment_text
from .functions import (
    NOTHING,
    BinaryText,
    NormalisedKey,
    UuidText,
    compare_text,
    has_text,
    key_variants,
)
from .validating import refuse_invalid

#: Fields whose values are what they say; a site's own kind may make objects of them.
PLAIN = (
    CharField,
    TextField,
    models.EmailField,
    models.SlugField,
    models.URLField,
    KeyField,
    KeyTextField,
)


class Kind:
    """A text, and what all kinds share. ``path`` is the column's as queries name it."""

    def __init__(self, field: Field[Any, Any] | None, leaf: Attribute) -> None:
        self.field, self.leaf = field, leaf

    # -- comparing -----------------------------------------------------------------------------

    def compare(self, path: str, target: Target, operator: str, key: str) -> Q:
        found = NOTHING
        for variant in key_variants(key, operator):
            found |= compare_text(self._text(path), operator, variant)
        return found & self.present(path)

    def present(self, path: str) -> Q:
        return has_text(F(path))

    def order(self, path: str) -> Any:
        return NullIf(self._text(path), Value(""))

    def _text(self, path: str) -> Any:
        return (BinaryText if self.leaf.case_exact else NormalisedKey)(F(path))

    # -- reading -------------------------------------------------------------------------------

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        """What makes an attribute's value of a column's, which is not None; None: it is one."""
        return None

    # -- writing -------------------------------------------------------------------------------

    #: Whether a value may be read otherwise than it was sent.
    rewrites = False

    def value(self, target: Target, value: Any) -> Any:
        """What the column takes for a value of the attribute. Raises :class:`InvalidValue`."""
        limit = getattr(self.field, "max_length", None)
        if isinstance(value, str) and limit and len(value) > limit:
            raise InvalidValue(f"{target} is {len(value)} characters long; at most {limit} fit.")
        return self.checked(target, value)

    def checked(self, target: Target, value: Any) -> Any:
        """``value``, if the field's validators let it pass."""
        if self.field is not None:
            refuse_invalid(self.field, target, value)
        return value

    def unassigned(self, target: Target) -> Any:
        """What the column takes for no value."""
        field: Any = self.field
        if field is None or field.null:
            return None
        if field.has_default() or isinstance(field, CharField | TextField):
            return field.get_default()
        raise InvalidValue(f"{target} cannot be unassigned here: this site needs a value for it.")


class OwnText(Kind):
    """A text field of the site's own making, which may make objects of texts."""

    rewrites = True

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return str

    def value(self, target: Target, value: Any) -> Any:
        field: Any = self.field
        try:
            return super().value(target, field.to_python(value))
        except ValidationError as error:
            raise InvalidValue(f"{target}: {' '.join(error.messages)}") from None


class Chosen(Kind):
    """A text out of the field's ``choices``; any case will do, where case does not count."""

    rewrites = True

    def value(self, target: Target, value: Any) -> Any:
        field: Any = self.field
        known = {self.leaf.key(str(chosen)): chosen for chosen, _ in field.flatchoices}
        if (key := self.leaf.key(str(value))) not in known:
            raise InvalidValue(
                f"{target} takes one of {', '.join(quoted(str(c)) for c in known.values())}, "
                f"not {quoted(str(value))}."
            )
        return known[key]


class Truth(Kind):
    """A boolean."""

    def compare(self, path: str, target: Target, operator: str, key: str) -> Q:
        return Q(**{path: key == "true"})

    def present(self, path: str) -> Q:
        return Q(**{f"{path}__isnull": False})

    def order(self, path: str) -> Any:
        return F(path)

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return None


class Scalar(Truth):
    """A value that has an order of its own in the database."""

    rewrites = True
    _LOOKUPS = {"eq": "exact", "gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}

    def compare(self, path: str, target: Target, operator: str, key: str) -> Q:
        if operator not in self._LOOKUPS:
            raise InvalidFilter(
                f"{target} is a {self.leaf.type}; compare it with eq, ne, gt, ge, lt or le."
            )
        return self.ordered(path, operator, key) & self.present(path)

    def ordered(self, path: str, operator: str, key: str) -> Q:
        """``compare`` for an operator of an order."""
        raise NotImplementedError

    def lookup(self, path: str, operator: str, value: Any) -> Q:
        return Q(**{f"{path}__{self._LOOKUPS[operator]}": value})


class Moment(Scalar):
    """A dateTime."""

    def ordered(self, path: str, operator: str, key: str) -> Q:
        return self.lookup(path, operator, moment_of(key))

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return moment_text

    def value(self, target: Target, value: Any) -> Any:
        return self.checked(target, moment_of(comparison_key(self.leaf, value)))


class Midnight(Scalar):
    """A dateTime in a column of dates: midnight in UTC, and no other time of day."""

    def ordered(self, path: str, operator: str, key: str) -> Q:
        moment = _utc(key)
        if moment.time() != time():  # no date is that moment: only before or after
            if operator == "eq":
                return NOTHING
            operator = {"ge": "gt", "lt": "le"}.get(operator, operator)
        return self.lookup(path, operator, moment.date())

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return _midnight_text

    def value(self, target: Target, value: Any) -> Any:
        moment = _utc(comparison_key(self.leaf, value))
        if moment.time() != time():
            raise InvalidValue(
                f"{target} keeps dates without a time of day. Send midnight in UTC: "
                f"'{moment.date()}T00:00:00Z'."
            )
        return self.checked(target, moment.date())


class Spelled(Kind):
    """A value that is no text in the database, and one in SCIM."""

    rewrites = True

    def present(self, path: str) -> Q:
        return Q(**{f"{path}__isnull": False})

    def _text(self, path: str) -> Any:
        return BinaryText(Cast(F(path), CharField(max_length=64)))

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return str


class Day(Spelled):
    """A date as text: ``2024-02-29``."""

    def value(self, target: Target, value: Any) -> Any:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or day.isoformat() != value:
            raise InvalidValue(
                f"{target} takes a date such as '2024-02-29', not {quoted(str(value))}."
            )
        return self.checked(target, day)


class Uuid(Spelled):
    """A UUID as text, in lower case with hyphens."""

    def _text(self, path: str) -> Any:
        return BinaryText(UuidText(F(path)))

    def compare(self, path: str, target: Target, operator: str, key: str) -> Q:
        if operator != "eq":
            return super().compare(path, target, operator, key)
        try:
            value = UUID(key)
        except ValueError:
            return NOTHING
        return Q(**{path: value}) & self.present(path) if str(value) == key else NOTHING

    def value(self, target: Target, value: Any) -> Any:
        try:
            return self.checked(target, UUID(value))
        except ValueError:
            raise InvalidValue(f"{target} takes a UUID, not {quoted(str(value))}.") from None


def _utc(key: str) -> datetime:
    return datetime.fromisoformat(key).astimezone(UTC)


def moment_of(key: str) -> datetime:
    """The moment of a comparison key, as the site's columns take it."""
    moment = _utc(key)
    if settings.USE_TZ:
        return moment
    try:
        return timezone.make_naive(moment)
    except OverflowError:  # the first and the last day of all
        return moment.replace(tzinfo=None)


def _midnight_text(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
