"""The account behind a User: made, named, guarded, switched off."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import FieldDoesNotExist, ValidationError

from scim_provider.conf import scim_settings
from scim_provider.models import Connection, FormerUser, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import Forbidden, InvalidValue, Uniqueness
from scim_provider.protocol.schema import Target

from .columns import Column, KeyColumn


def account_field(name: str) -> Any | None:
    """The field of ``AUTH_USER_MODEL`` called ``name``, or None."""
    try:
        return get_user_model()._meta.get_field(name)
    except FieldDoesNotExist:
        return None


class UserName(KeyColumn):
    """``userName``: ours, looked up by its key, and copied to the account's login name."""

    def __init__(self) -> None:
        super().__init__("name", "name_key")

    @property
    def account_fields(self) -> frozenset[str]:
        return frozenset({get_user_model().USERNAME_FIELD})

    def write(self, row: Any, target: Target, value: Any) -> None:
        super().write(row, target, value)
        field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
        limit = getattr(field, "max_length", None)
        if limit and len(value) > limit:
            raise InvalidValue(f"{target} is {len(value)} characters long; at most {limit} fit.")
        setattr(row.account, field.name, value)
        row.unique_key = row.name_key


class Active(Column):
    """``active``: the account's ``is_active``.

    A client may unassign it. That is no decision to let anybody in: the account stays as it is,
    and a null in the document says that there is no value to answer.
    """

    def __init__(self) -> None:
        super().__init__("account__is_active")

    def read(self, row: Any, target: Target) -> Any:
        unassigned = row.document.get(target.name, True) is None
        return None if unassigned else super().read(row, target)

    def write(self, row: Any, target: Target, value: Any) -> None:
        if value is not None:
            super().write(row, target, value)

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        super().keep(stored, target, value)
        if value is None:
            stored[target.name] = None


def refuse_privileged(account: AbstractBaseUser) -> None:
    """SCIM does not touch the site's own staff unless a setting says so."""
    privileged = getattr(account, "is_staff", False) or getattr(account, "is_superuser", False)
    if privileged and not scim_settings.allow_privileged:
        raise Forbidden(
            f"{account.get_username()} is an administrator of this site and is not managed by SCIM."
        )


def refuse_taken(account: AbstractBaseUser) -> None:
    """409 where another account has the login name, or one that people take for the same.

    The usual spellings are looked up one by one, by the unique index: a comparison without case
    would read the whole table of accounts with every create.
    """
    model = get_user_model()
    name = account.get_username()
    typed = unicodedata.normalize("NFKC", name).strip()  # what Django makes of it in a form
    spellings = {cased for text in (name, typed) for cased in _cases(text)}
    taken = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__in": spellings})
    taken = taken.exclude(pk=account.pk)
    if taken.exists():
        raise Uniqueness(
            f"userName {name!r} is taken by an account of this site that SCIM does not manage. "
            "Use another userName, or have the account linked by an administrator."
        )


def _cases(text: str) -> tuple[str, ...]:
    return text, text.lower(), text.upper(), text.capitalize(), text.title()


def set_password(account: Any, password: str) -> None:
    """Set a password that the site's validators accept. Raises :class:`InvalidValue`."""
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise InvalidValue(f"password: {' '.join(error.messages)}") from None
    account.set_password(password)


def revive(connection: Connection, owner: Any, name_key: str) -> AbstractBaseUser | None:
    """The account that this connection deleted under that name; it is no longer "former".

    None also for an account that another organization has taken in meanwhile.
    """
    former = FormerUser.objects.select_related("account").filter(
        connection=connection, name_key=name_key
    )
    found = former.first()
    if found is None or not organizations().belongs(found.account, owner):
        return None
    former.delete()
    account: AbstractBaseUser = found.account
    return account


def remember(resource: Resource) -> None:
    """Keep the account of a User that is being deleted, for a later create."""
    account: Any = resource.account
    FormerUser.objects.update_or_create(
        connection_id=resource.connection_id,
        name_key=resource.name_key,
        defaults={"account": account},
    )
