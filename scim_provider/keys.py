"""Access keys: made, found, replaced, revoked. Only their SHA-256 is stored."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from .conf import scim_settings
from .mapping.transactions import together
from .models import AccessKey, Connection
from .owners import OwnersAlong
from .prepared import Prepared, Text, field_names, instance
from .protocol.credentials import new_secret
from .signals import announce, key_created, key_revoked, key_rotated

#: Two, so that a key can be replaced without an outage.
MOST_LIVE_KEYS = 2
#: How often the time of the last use is written.
TOUCH_EVERY = timedelta(minutes=1)


class LiveKeyLimit(Exception):
    """The connection has :data:`MOST_LIVE_KEYS` live keys already."""


class NonceUsed(Exception):
    """The form was sent before; its key exists and is not shown again."""


class NotRotating(Exception):
    """The key is not about to be replaced by another one."""


@dataclass(frozen=True)
class NewKey:
    """A key and, this once, its text."""

    key: AccessKey
    secret: str = field(repr=False)


@sensitive_variables()
def create_key(
    connection: Connection,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    by: AbstractBaseUser | None = None,
    nonce: str | None = None,
) -> NewKey:
    """A new live key of ``connection``.

    Raises :class:`LiveKeyLimit` where there are two, :class:`NonceUsed` where a key was made
    with the same ``nonce``.
    """
    new = _create(connection, name=name, expires_at=expires_at, by=by, nonce=nonce)
    announce(key_created, connection, key=new.key, by=by)
    return new


@sensitive_variables()
def _create(
    connection: Connection,
    *,
    name: str,
    expires_at: datetime | None,
    by: AbstractBaseUser | None,
    nonce: str | None,
) -> NewKey:
    secret = new_secret()
    key = AccessKey(
        connection=connection,
        name=name,
        digest=_digest(secret),
        last4=secret[-4:],
        nonce=nonce,
        created_by_id=None if by is None else by.pk,
        expires_at=expires_at,
    )
    try:
        with together():
            _lock(connection)
            _refuse_repeat(nonce)
            if live_keys(connection).count() >= MOST_LIVE_KEYS:
                raise LiveKeyLimit
            key.save(force_insert=True)
    except IntegrityError:  # The same form at the same moment, where rows cannot be locked.
        _refuse_repeat(nonce)
        raise
    return NewKey(key, secret)


@sensitive_variables()
def temporary_key(connection: Connection) -> str:
    """A key beyond the limit, of which nobody is told: for a transaction that is rolled back."""
    secret = new_secret()
    AccessKey(connection=connection, digest=_digest(secret), last4=secret[-4:]).save()
    return secret


@sensitive_variables()
def rotate(
    connection: Connection,
    old: AccessKey,
    *,
    keep_old_for: timedelta | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    by: AbstractBaseUser | None = None,
    nonce: str | None = None,
) -> NewKey:
    """A new key in place of ``old``, which stops after ``keep_old_for`` (None: at once).

    Raises :class:`LiveKeyLimit` where a third key is live, and :class:`NonceUsed`.
    """
    with together():
        _lock(connection)
        _refuse_repeat(nonce)
        _revoke(old, after=keep_old_for)
        new = _create(connection, name=name, expires_at=expires_at, by=by, nonce=nonce)
        announce(key_rotated, connection, key=new.key, old=old, by=by)
    return new


def revoke(
    key: AccessKey, *, after: timedelta | None = None, by: AbstractBaseUser | None = None
) -> None:
    """End ``key`` now or ``after`` a while; a key that ends sooner is left alone."""
    if _revoke(key, after=after):
        announce(key_revoked, key.connection, keys=[key], by=by)


def _revoke(key: AccessKey, *, after: timedelta | None) -> bool:
    moment = timezone.now() + (after or timedelta())
    later = Q(revoked_at__isnull=True) | Q(revoked_at__gt=moment)
    changed = AccessKey.objects.filter(later, pk=key.pk).update(revoked_at=moment)
    key.refresh_from_db(fields=["revoked_at"])
    return bool(changed)


def revoke_all(connection: Connection, *, by: AbstractBaseUser | None = None) -> int:
    """End every live key of ``connection`` and say how many there were."""
    return _revoke_these(connection, live_keys(connection), by)


def _revoke_these(
    connection: Connection, these: QuerySet[AccessKey], by: AbstractBaseUser | None
) -> int:
    now = timezone.now()
    told = list(these) if key_revoked.has_listeners(Connection) else []
    number = these.update(revoked_at=now)
    for key in told:
        key.revoked_at = now
    if told:
        announce(key_revoked, connection, keys=told, by=by)
    return number


def cancel_rotation(old: AccessKey, *, by: AbstractBaseUser | None = None) -> None:
    """Keep ``old``, which was to stop, and end the key that was to replace it.

    Raises :class:`NotRotating` where ``old`` is not about to stop.
    """
    with together():
        _lock(old.connection)
        old.refresh_from_db(fields=["revoked_at"])
        if not old.is_live or old.revoked_at is None:
            raise NotRotating
        newer = live_keys(old.connection).filter(created_at__gt=old.created_at)
        _revoke_these(old.connection, newer.exclude(pk=old.pk), by)
        AccessKey.objects.filter(pk=old.pk).update(revoked_at=None)
        old.revoked_at = None


#: What every request reads of a key and of its connection. Reading what only pages show, moments
#: most of all, would take longer than the statement; where somebody wants it, it is read then.
_OF_KEY = ("id", "connection_id", "digest", "last4", "expires_at", "revoked_at", "last_used_at")
_SHOWN = frozenset(
    (
        *("public_id", "owner_key", "created_at", "enabled_at", "disabled_at"),
        *("last_request", "last_client", "last_success_at", "last_failure_at", "last_failure"),
        "on_organization_delete",
    )
)


@cache
def _of_connection() -> tuple[str, ...]:
    return tuple(name for name in field_names(Connection) if name not in _SHOWN)


_DIGEST = Text("digest")
_BY_DIGEST = Prepared(
    lambda: (
        AccessKey.objects.filter(digest=_DIGEST)
        .order_by()
        .values_list(*_OF_KEY, *(f"connection__{name}" for name in _of_connection()))
    ),
    _DIGEST,
)
_KEYS_AND_OWNERS = OwnersAlong(_BY_DIGEST)


@sensitive_variables("secret", "digest")
def find(secret: str) -> AccessKey | None:
    """The key of that text with its connection and organization, live or not, or None: one query.

    Columns that no request needs are deferred. Ask :func:`refusal` whether it may be used.
    """
    digest = _digest(secret)
    found = _KEYS_AND_OWNERS.find(digest)
    if found is None:
        return None
    first = len(_OF_KEY)
    key = instance(AccessKey, found.using, found.key[:first], _OF_KEY)
    key.connection = instance(Connection, found.using, found.key[first:], _of_connection())
    _KEYS_AND_OWNERS.settle(digest, found, key.connection)
    return key if hmac.compare_digest(key.digest, digest) else None


def refusal(key: AccessKey) -> str | None:
    """Why a known key is refused, for the client's log, or None where it is live."""
    now = timezone.now()
    if key.revoked_at is not None and key.revoked_at <= now:
        return f"The access key ending in {key.last4} was revoked on {_day(key.revoked_at)}."
    if key.expires_at is not None and key.expires_at <= now:
        return (
            f"The access key ending in {key.last4} expired on {_day(key.expires_at)}. "
            "Create a new one on the security page."
        )
    return None


def touch(key: AccessKey, client: str = "") -> None:
    """Note that ``key`` was used by ``client``, at most once a minute."""
    now = timezone.now()
    if key.last_used_at is not None and key.last_used_at > now - TOUCH_EVERY:
        return
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - TOUCH_EVERY)
    AccessKey.objects.filter(due, pk=key.pk).update(last_used_at=now, last_used_by=client[:200])


def live_keys(connection: Connection) -> QuerySet[AccessKey]:
    """The keys of ``connection`` that work now."""
    now = timezone.now()
    return AccessKey.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=now),
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        connection=connection,
    )


def authorization_value(secret: str) -> str:
    """The key as an admin copies it: the site's prefix, a blank, the key."""
    return f"{scim_settings.access_key_prefix} {secret}".strip()


def _lock(connection: Connection) -> None:
    """Let one transaction at a time change the keys of ``connection``."""
    Connection.objects.select_for_update().values_list("pk").get(pk=connection.pk)


def _refuse_repeat(nonce: str | None) -> None:
    if nonce is not None and AccessKey.objects.filter(nonce=nonce).exists():
        raise NonceUsed


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
