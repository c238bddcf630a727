"""Locking accounts out for good: what they hold ends, and reactivating them brings none of it back.

``is_active`` alone does not do that: a stolen session works again with the day on which the
account is active again, and on a site whose backend lets inactive accounts in, it never stops.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import (
    UNUSABLE_PASSWORD_PREFIX,
    UNUSABLE_PASSWORD_SUFFIX_LENGTH,
)
from django.utils import timezone

from .login_sessions import end_sessions, with_sessions
from .mapping.rows import saves_are_watched
from .mapping.saving import put_objects
from .models import Lockout
from .tokens import end_tokens

_KEYS_AT_ONCE = 1000
#: What an account knows whose password was looked after before.
_RENEWED = "scim_password_renewed"


@dataclass(frozen=True)
class Ended:
    """What a lockout ended, as far as it could be counted."""

    sessions: int = 0
    tokens: dict[str, int] = field(default_factory=dict)


def lock_out(accounts: Collection[Any]) -> Ended:
    """End what these accounts (instances or keys) hold, in the running transaction.

    A fixed number of statements for a thousand of them. Their ``is_active`` is the caller's.

    - Every session that began before now is void: the middleware sees that it lacks the mark.
      Those that were noted at log-in are deleted from their store after the commit.
    - An account without a usable password gets another unusable one, with which Django itself
      takes none of its sessions any more, in any store. A usable one stays.
    - Tokens of the apps that :mod:`scim_provider.tokens` knows are deleted.
    """
    return _end_all(accounts, lifted_at=None)


def let_in(accounts: Collection[Any]) -> Ended:
    """Let these accounts in again, by logging in anew.

    What they held before ends now, if it did not then: whoever was deactivated by hand, or logged
    in where a backend lets inactive accounts in.
    """
    return _end_all(accounts, lifted_at=timezone.now())


def _end_all(accounts: Collection[Any], lifted_at: datetime | None) -> Ended:
    keys = [getattr(account, "pk", account) for account in accounts]
    if not keys:
        return Ended()
    _mark(keys, lifted_at)
    _renew_unusable_passwords(accounts, keys)
    return Ended(end_sessions(with_sessions(accounts)), end_tokens(keys))


def _mark(keys: Sequence[Any], lifted_at: datetime | None) -> None:
    mark, now = secrets.token_hex(16), timezone.now()
    rows = [Lockout(account_id=k, mark=mark, locked_at=now, lifted_at=lifted_at) for k in keys]
    put_objects(Lockout, rows, ("account",), ("mark", "locked_at", "lifted_at"))


def renew_unusable_password(account: Any) -> frozenset[str]:
    """What of a locked account is to be saved along with ``is_active``: :func:`lock_out` or
    :func:`let_in`, which follow, do not save it then.

    Nothing, where the site watches saves: who sees a password among what is saved takes it for one
    that somebody has changed.
    """
    if not isinstance(account, AbstractBaseUser) or saves_are_watched(type(account)):
        return frozenset()
    vars(account)[_RENEWED] = True
    if account.has_usable_password():
        return frozenset()
    account.password = _another_unusable_password()
    return frozenset({"password"})


def _renew_unusable_passwords(accounts: Collection[Any], keys: Sequence[Any]) -> None:
    """The hash of the password is part of every session: with another one, none is good."""
    model: Any = get_user_model()
    if not issubclass(model, AbstractBaseUser):
        return
    instances = [account for account in accounts if isinstance(account, AbstractBaseUser)]
    done = {account.pk for account in instances if vars(account).pop(_RENEWED, False)}
    if done.issuperset(keys):
        return
    renewed = _another_unusable_password()
    unusable = model._base_manager.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    for some in _sliced([key for key in keys if key not in done]):
        unusable.filter(pk__in=some).update(password=renewed)
    for account in instances:
        if account.pk not in done and not account.has_usable_password():
            account.password = renewed


def _another_unusable_password() -> str:
    return UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(UNUSABLE_PASSWORD_SUFFIX_LENGTH // 2)


def _sliced(keys: Sequence[Any]) -> list[Sequence[Any]]:
    return [keys[at : at + _KEYS_AT_ONCE] for at in range(0, len(keys), _KEYS_AT_ONCE)]
