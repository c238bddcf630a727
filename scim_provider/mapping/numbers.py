"""Attributes in columns of numbers, which have a least and a greatest one, and a step."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context as Arithmetic
from decimal import Decimal
from typing import Any

from django.db import connections, models, router
from django.db.models import Q

from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.schema import Target
from scim_provider.protocol.values import key_number, quoted

from .functions import NOTHING
from .kinds import Kind, Scalar, Spelled


class NumberText(Spelled):
    """A whole number as text: an employee number, say."""

    def value(self, target: Target, value: Any) -> Any:
        if not (value.isascii() and value.isdigit() and str(int(value[:30])) == value):
            raise InvalidValue(
                f"{target} takes a whole number in digits here, not {quoted(str(value))}."
            )
        return self.checked(target, _within(self, target, Decimal(value)))


class Number(Scalar):
    """An integer or a decimal in a column of numbers."""

    def ordered(self, path: str, operator: str, key: str) -> Q:
        """What the column cannot hold is compared by its nearest neighbour below."""
        number = key_number(key)
        low, high, step = _grid(self.field)
        if number > high or number < low:
            holds = operator in (("lt", "le") if number > high else ("gt", "ge"))
            return self.present(path) if holds else NOTHING
        nearest = number if step is None else _floor(number, step)
        if nearest != number:
            if operator == "eq":
                return NOTHING
            operator = {"ge": "gt", "lt": "le"}.get(operator, operator)
        return self.lookup(path, operator, self._python(nearest))

    @property
    def reader(self) -> Callable[[Any], Any] | None:
        return _json_number if isinstance(self.field, models.DecimalField) else None

    def value(self, target: Target, value: Any) -> Any:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return self.checked(target, self._python(_within(self, target, number)))

    def _python(self, number: Decimal) -> Any:
        if isinstance(self.field, models.DecimalField):
            return number
        return float(number) if isinstance(self.field, models.FloatField) else int(number)


class ChosenNumber(Number):
    """A number out of the field's ``choices``."""

    def value(self, target: Target, value: Any) -> Any:
        field: Any = self.field
        known = [chosen for chosen, _ in field.flatchoices if chosen is not None]
        if value not in known:
            raise InvalidValue(f"{target} takes one of {', '.join(map(str, known))}, not {value}.")
        return value


def _grid(field: Any) -> tuple[Decimal, Decimal, Decimal | None]:
    """The least and the greatest number of a column, and its step; no step for floats."""
    if isinstance(field, models.FloatField):
        return _FLOAT.copy_negate(), _FLOAT, None
    if isinstance(field, models.DecimalField):
        step = Decimal((0, (1,), -field.decimal_places))
        high = Decimal((0, (9,) * field.max_digits, -field.decimal_places))
        return high.copy_negate(), high, step
    operations = connections[router.db_for_write(field.model)].ops
    least, most = operations.integer_field_range(field.get_internal_type())
    return Decimal(_LEAST if least is None else least), Decimal(most or _MOST), _ONE


_ONE = Decimal(1)
_FLOAT = Decimal("1.7976931348623157e308")
_LEAST, _MOST = -(2**63), 2**63 - 1
#: Digits enough for every column of numbers.
_EXACTLY = Arithmetic(prec=1100)


def _floor(number: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of ``step`` that is not above ``number``."""
    whole = _EXACTLY.divide_int(number, step)
    nearest = _EXACTLY.multiply(whole, step)
    return nearest if nearest <= number else _EXACTLY.subtract(nearest, step)


def _within(kind: Kind, target: Target, number: Decimal) -> Any:
    low, high, step = _grid(kind.field)
    if not low <= number <= high:
        raise InvalidValue(f"{target} takes numbers from {low:f} to {high:f} here.")
    if step is not None and _floor(number, step) != number:
        places = -int(step.as_tuple().exponent)
        wanted = f"at most {places} decimal places" if places else "whole numbers"
        raise InvalidValue(f"{target} takes {wanted} here, not {number}.")
    return int(number) if isinstance(kind, NumberText) else number


def _json_number(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
