"""What the validators of the site's columns say of a value that SCIM would write there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError

from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.schema import Target

Validator = Callable[[Any], None]


def given(field: Any) -> list[Validator]:
    """The ``validators=[…]`` of a field, without those that its class brings."""
    validators: list[Validator] = field._validators
    return validators


def refuse_invalid(
    field: Any, target: Target, value: Any, validators: Iterable[Validator] | None = None
) -> None:
    """Raise :class:`InvalidValue`, in the field's own words, where its validators refuse a value.

    ``validators`` are asked instead of all of the field's.
    """
    if validators is not None:
        field = copy(field)
        field.validators = list(validators)
    try:
        field.run_validators(value)
    except ValidationError as error:
        raise InvalidValue(f"{target}: {' '.join(error.messages)}") from None
