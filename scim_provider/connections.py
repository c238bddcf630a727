"""Connections: found, turned on and off, told about. Pages, API and commands share it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Model, Q
from django.utils import timezone

from . import keys
from .conf import scim_settings
from .mapping.transactions import together
from .models import AccessKey, Connection, Resource, Role, ScimUser, role_key
from .mounts import base_url as base_url
from .organizations import Entitlement, organizations, owner_of
from .signals import announce, connection_disabled, connection_enabled

logger = logging.getLogger("scim_provider")

#: How often the traffic is written while nothing changes.
RECORD_EVERY = timedelta(minutes=1)
#: When an expiring key is worth a warning.
EXPIRES_SOON = timedelta(days=30)
#: How long ended keys stay listed.
ENDED_KEYS_SHOWN = timedelta(days=90)
NEWEST_PEOPLE = 5


class State(StrEnum):
    """What the settings page says of a connection."""

    NOT_ENTITLED = "not_entitled"
    PREVIEW = "preview"
    SUSPENDED = "suspended"
    OFF_NEVER = "off_never"
    OFF_PREVIOUSLY = "off_previously"
    KEY_EXPIRED = "key_expired"
    WAITING = "waiting"
    ATTENTION = "attention"
    ROTATING = "rotating"
    KEY_EXPIRING = "key_expiring"
    CONNECTED = "connected"


def connection_for(owner: Model | None) -> Connection:
    """The connection of ``owner``, made with the roles of the settings on first use."""
    key = owner_key(owner)
    found = Connection.objects.select_related("owner_type").filter(owner_key=key).first()
    return found or _new_connection(owner, key)


def find_connection(owner: Model | None) -> Connection | None:
    """The connection of ``owner``, if there is one yet."""
    rows = Connection.objects.select_related("owner_type")
    return rows.filter(owner_key=owner_key(owner)).first()


def enable(
    connection: Connection,
    *,
    by: AbstractBaseUser | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    nonce: str | None = None,
) -> keys.NewKey | None:
    """Turn SCIM on and make the first key; None where the same form did so before.

    Raises :class:`keys.LiveKeyLimit` where two keys are live already.
    """
    try:
        with together():
            new = keys.create_key(connection, name=name, expires_at=expires_at, by=by, nonce=nonce)
            if not connection.enabled:
                connection.enabled, connection.enabled_at = True, timezone.now()
                connection.save(update_fields=["enabled", "enabled_at"])
                announce(connection_enabled, connection, by=by)
    except keys.NonceUsed:
        return None
    logger.info("SCIM was turned on for %s by %s.", connection, by or "the command line")
    return new


def disable(connection: Connection, by: AbstractBaseUser | None = None) -> None:
    """Turn SCIM off and revoke its keys. People and groups stay as they are."""
    with together():
        keys.revoke_all(connection, by=by)
        if connection.enabled:
            announce(connection_disabled, connection, by=by)
        connection.enabled, connection.disabled_at = False, timezone.now()
        connection.save(update_fields=["enabled", "disabled_at"])
    logger.info("SCIM was turned off for %s by %s.", connection, by or "the command line")


def record_request(
    connection: Connection,
    *,
    method: str,
    path: str,
    status: int,
    client: str = "",
    detail: str = "",
) -> None:
    """Note a request for the settings page: at most once a minute while it goes on alike.

    ``detail`` says why a request failed. ``path`` is shown to admins; leave the query out.
    """
    now = timezone.now()
    if _just_recorded(connection, status, now):
        return
    values: dict[str, Any] = {
        "last_request_at": now,
        "last_request": f"{method} {path}"[:200],
        "last_status": status,
        "last_client": client[:200],
    }
    if status < 400:
        values["last_success_at"] = now
    else:
        values |= {"last_failure_at": now, "last_failure": detail[:500]}
    Connection.objects.filter(_due(status, now), pk=connection.pk).update(**values)


def _just_recorded(connection: Connection, status: int, now: datetime) -> bool:
    """What the loaded row says already, so that most requests write nothing."""
    at, last = connection.last_request_at, connection.last_status
    return (
        at is not None
        and last is not None
        and at > now - RECORD_EVERY
        and last // 100 == status // 100
    )


def _due(status: int, now: datetime) -> Q:
    first = status // 100 * 100
    return (
        Q(last_request_at__isnull=True)
        | Q(last_request_at__lte=now - RECORD_EVERY)
        | Q(last_status__lt=first)
        | Q(last_status__gte=first + 100)
    )


@dataclass(frozen=True)
class Overview:
    """What the security page shows of a connection: four queries at any size."""

    connection: Connection
    entitlement: Entitlement

    @cached_property
    def keys(self) -> list[AccessKey]:
        """Live keys, then those that ended lately, each newest first."""
        since = timezone.now() - ENDED_KEYS_SHOWN
        listed = AccessKey.objects.select_related("created_by").filter(
            Q(revoked_at__isnull=True) | Q(revoked_at__gt=since),
            Q(expires_at__isnull=True) | Q(expires_at__gt=since),
            connection=self.connection,
        )
        return sorted(listed, key=lambda key: not key.is_live)

    @cached_property
    def live_keys(self) -> list[AccessKey]:
        return [key for key in self.keys if key.is_live]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Resources by type: ``{"User": 42, "Group": 6}``."""
        rows = (
            Resource.objects.filter(connection=self.connection)
            .values("resource_type")
            .annotate(number=Count("pk"))
        )
        return {row["resource_type"]: row["number"] for row in rows}

    @property
    def users(self) -> int:
        return self.counts.get("User", 0)

    @property
    def groups(self) -> int:
        return self.counts.get("Group", 0)

    @cached_property
    def newest_people(self) -> list[ScimUser]:
        """The people who came last, with their accounts."""
        people = ScimUser.objects.filter(connection=self.connection).select_related("account")
        return list(people.order_by("-id")[:NEWEST_PEOPLE])

    @property
    def retiring_key(self) -> AccessKey | None:
        """The live key that is about to stop because another one replaces it."""
        return next((key for key in self.live_keys if key.revoked_at is not None), None)

    @property
    def old_key_in_use(self) -> bool:
        """Whether the retiring key was used last, so that the new one is not entered yet."""
        used = [key for key in self.live_keys if key.last_used_at is not None]
        latest = max(used, key=lambda key: key.last_used_at or timezone.now(), default=None)
        return latest is not None and latest == self.retiring_key

    @property
    def expiring_key(self) -> AccessKey | None:
        """The live key that ends soonest, where it is the last one and ends soon."""
        lasting = [key for key in self.live_keys if key.revoked_at is None]
        ends = [key.expires_at for key in lasting if key.expires_at is not None]
        if len(ends) < len(lasting) or not ends or max(ends) > timezone.now() + EXPIRES_SOON:
            return None
        return max(lasting, key=lambda key: key.expires_at or timezone.now())

    @cached_property
    def state(self) -> State:
        connection = self.connection
        if not self.entitlement.allowed:
            return self._not_allowed()
        if not connection.enabled:
            return State.OFF_PREVIOUSLY if connection.disabled_at else State.OFF_NEVER
        if not self.live_keys:
            return State.KEY_EXPIRED
        if self._is_waiting():
            return State.WAITING
        if _is_problem(connection.last_status):
            return State.ATTENTION
        if self.retiring_key:
            return State.ROTATING
        return State.KEY_EXPIRING if self.expiring_key else State.CONNECTED

    def _not_allowed(self) -> State:
        if self.connection.enabled:
            return State.SUSPENDED
        return State.PREVIEW if self.entitlement.state == "preview" else State.NOT_ENTITLED

    def _is_waiting(self) -> bool:
        """No request since SCIM was turned on."""
        last, since = self.connection.last_request_at, self.connection.enabled_at
        return last is None or (since is not None and last < since)


def _is_problem(status: int | None) -> bool:
    """Whether an admin should look: asking for what is gone, or has changed, is daily business."""
    return status is not None and status >= 400 and status not in (404, 412)


def overview(connection: Connection) -> Overview:
    """The state of ``connection``, its keys, its people; each part is read when asked for."""
    return Overview(connection, organizations().entitlement(owner_of(connection)))


def owner_key(owner: Model | None, model: type[Model] | None = None) -> str:
    """What a connection is found by; ``model`` stands in for the one of ``owner``."""
    return "" if owner is None else f"{(model or owner)._meta.label_lower}:{owner.pk}"


def _owner_columns(owner: Model) -> dict[str, Any]:
    return {"owner_type": ContentType.objects.get_for_model(owner), "owner_id": str(owner.pk)}


def _new_connection(owner: Model | None, owner_key: str) -> Connection:
    with together():
        connection, created = Connection.objects.get_or_create(
            owner_key=owner_key, defaults={} if owner is None else _owner_columns(owner)
        )
        if created:
            _seed_roles(connection)
    return connection


def _seed_roles(connection: Connection) -> None:
    Role.objects.bulk_create(_role(connection, **role) for role in scim_settings.roles)


def _role(
    connection: Connection,
    *,
    value: str,
    django_group: str = "",
    default: bool = False,
    **more: Any,
) -> Role:
    group = Group.objects.get_or_create(name=django_group)[0] if django_group else None
    now = timezone.now()
    return Role(
        connection=connection,
        created=now,
        last_modified=now,
        value=value,
        value_key=role_key(value),
        django_group=group,
        is_default=default,
        **more,
    )
