"""The account behind a User: made, named, guarded, switched off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from secrets import token_hex
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import (
    UNUSABLE_PASSWORD_PREFIX,
    UNUSABLE_PASSWORD_SUFFIX_LENGTH,
)
from django.contrib.auth.password_validation import password_changed, validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import router
from django.db.models import (
    NOT_PROVIDED,
    CharField,
    FileField,
    Model,
    TextField,
)

from scim_provider.conf import scim_settings
from scim_provider.models import FormerUser, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import Forbidden, InvalidValue
from scim_provider.protocol.schema import Target, comparison_key

from .columns import Column, KeyColumn
from .saving import put_objects
from .validating import Validator, given, refuse_invalid


def account_field(name: str) -> Any | None:
    """The field of ``AUTH_USER_MODEL`` called ``name``, or None."""
    try:
        return get_user_model()._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def keeps_login(account: Any, name: str, before: str) -> bool:
    """Whether an account keeps the spelling of its login name, as ``name`` is the same in another.

    A userName knows no case (RFC 7643 §4.1.1), and a log-in may. What SCIM itself spelt, as
    ``before`` tells, follows the client, where nobody can log in with it and a password.
    """
    if account._state.adding:
        return False
    login = str(account.get_username() or "")
    if comparison_key(login, precis=True) != comparison_key(name, precis=True):
        return False
    return login != before or account.has_usable_password()


class UserName(KeyColumn):
    """``userName``: ours, looked up by its key, and copied to the account's login name.

    It is held against ``validators``; by default those that the login name's column was given,
    less Django's own for user names: no identity provider knows that one, which refuses blanks,
    apostrophes, and the ``#EXT#`` of Entra's guests.
    """

    def __init__(self, *, validators: Sequence[Validator] | None = None) -> None:
        super().__init__("name", "name_key")
        self.validators = validators

    def _validators(self, field: Any) -> Sequence[Validator]:
        if self.validators is not None:
            return self.validators
        return [each for each in given(field) if type(each) is not UnicodeUsernameValidator]

    @property
    def account_fields(self) -> frozenset[str]:
        return frozenset({get_user_model().USERNAME_FIELD})

    def write(self, row: Any, target: Target, value: Any) -> None:
        before = row.name
        super().write(row, target, value)
        field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
        limit = getattr(field, "max_length", None)
        if limit and len(value) > limit:
            raise InvalidValue(f"{target} is {len(value)} characters long; at most {limit} fit.")
        if not keeps_login(row.account, value, before):
            if validators := self._validators(field):
                refuse_invalid(field, target, value, validators)
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


def is_privileged(account: AbstractBaseUser) -> bool:
    """Whether the account is of the site's own staff, which no setting opens to SCIM."""
    privileged = getattr(account, "is_staff", False) or getattr(account, "is_superuser", False)
    return bool(privileged) and not scim_settings.allow_privileged


def refuse_privileged(account: AbstractBaseUser) -> None:
    """SCIM does not touch the site's own staff unless a setting says so."""
    if is_privileged(account):
        raise Forbidden(
            f"{account.get_username()} is an administrator of this site and is not managed by SCIM."
        )


@cache
def demanding_fields(model: type[Model]) -> tuple[Any, ...]:
    """The fields of a model that must be given a value before a row of it is saved."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if not (field.null or field.has_default() or field.primary_key or field.generated)
        and field.db_default is NOT_PROVIDED
        and not isinstance(field, CharField | TextField | FileField)
        and not getattr(field, "auto_now", False)
        and not getattr(field, "auto_now_add", False)
    )


def refuse_incomplete(account: Any) -> None:
    """400 where the site needs a value for a column that has none."""
    model: type[Model] = type(account)
    for field in demanding_fields(model):
        if getattr(account, field.attname) is None:
            raise InvalidValue(
                f"This site needs a value for {field.verbose_name!s} before it makes an account. "
                "Map an attribute to it in the identity provider."
            )


def carry_over(account: Any, made: Any, fields: Iterable[str]) -> Any:
    """The account that a site's own way of creating ``made``, with what that left out."""
    names = [account._meta.get_field(name).attname for name in fields]
    changed = {n: getattr(account, n) for n in names if getattr(account, n) != getattr(made, n)}
    for name, value in changed.items():
        setattr(made, name, value)
    if changed:
        made.save(update_fields=sorted(changed))
    return made


def close_password(account: Any) -> None:
    """Leave a new account without a usable password, in less time than Django takes for it."""
    if type(account).set_unusable_password is not AbstractBaseUser.set_unusable_password:
        account.set_unusable_password()
        return
    account.password = UNUSABLE_PASSWORD_PREFIX + token_hex(UNUSABLE_PASSWORD_SUFFIX_LENGTH // 2)


def set_password(account: Any, password: str) -> None:
    """Set a password that the site's validators accept. Raises :class:`InvalidValue`."""
    refuse_weak(account, password)
    account.set_password(password)


def tell_validators(account: Any, password: str) -> None:
    """What ``save`` does after a change, for an account that was saved together with others.

    Validators that remember passwords live on it.
    """
    if account._password is not None:
        password_changed(password, account)
        account._password = None


def refuse_weak(account: Any, password: str) -> None:
    """Raise :class:`InvalidValue` with what the site's validators say against a password."""
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise InvalidValue(f"password: {' '.join(error.messages)}") from None


def revive(key: int | None, owner: Any) -> AbstractBaseUser | None:
    """The account of the :class:`FormerUser` with that key, which is no longer one; None for none.

    None also for an account that another organization has taken in meanwhile.
    """
    if key is None:
        return None
    rows = FormerUser.objects.using(router.db_for_write(FormerUser)).select_related("account")
    found = rows.filter(pk=key).first()
    if found is None:
        return None  # Another create has just taken it back; the name is taken now.
    if not organizations().may_return(found.account, owner):
        return None
    found.delete()
    return returning(found)


def returning(former: FormerUser) -> AbstractBaseUser:
    """The account of a person who returns, with what was last written to it."""
    account: AbstractBaseUser = former.account
    vars(account)["scim_written"] = former.written
    return account


def remember(resource: Resource) -> None:
    """Keep the account of a User that is being deleted, for a later create."""
    former = FormerUser(
        connection_id=resource.connection_id,
        name_key=resource.name_key,
        account=resource.account,
        written=resource.written,
    )
    unique, others = ("connection", "name_key"), ("account", "deleted_at", "written")
    put_objects(FormerUser, [former], unique, others)
