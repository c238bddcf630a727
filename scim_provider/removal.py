"""An organization that the site deletes takes its SCIM data with it.

Only deletes of the site's organization model are listened to: a receiver for all senders would
make Django read every row that any model of the site deletes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Model, QuerySet
from django.db.models.signals import pre_delete

from .connections import owner_key
from .lockout import lock_out
from .mapping.accounts import account_field
from .mapping.member_active import ACTIVE, of_account
from .mapping.role_effects import is_hooked, roles_ended
from .mapping.rows import batched, deletes_are_watched, saves_are_watched
from .mapping.transactions import database
from .models import (
    Connection,
    GrantedGroup,
    Membership,
    OnOrganizationDelete,
    Resource,
    RoleAssignment,
)
from .organization_models import model_of
from .organizations import organizations
from .resources import UserResource, resource_types

logger = logging.getLogger("scim_provider")

_UID = "scim_provider.removal"
#: Accounts that are locked out together.
_AT_ONCE = 1000
#: How rows are found that no index leads to from their connection.
_PATHS = {Membership: "group__connection", RoleAssignment: "user__connection"}

_listened: list[type[Model]] = []


def connect(**kwargs: Any) -> None:
    """Listen to deletes of the site's organizations; also a receiver of ``setting_changed``."""
    for model in _listened:
        pre_delete.disconnect(sender=model, dispatch_uid=_UID)
    _listened[:] = organization_models()
    for model in _listened:
        pre_delete.connect(_take_along, sender=model, dispatch_uid=_UID)


def organization_models() -> list[type[Model]]:
    """The site's organization model and its proxies; none where it is not told, or wrongly."""
    try:
        named = organizations().model
        concrete = named and model_of(named)._meta.concrete_model
    except (ImportError, LookupError, TypeError, AttributeError):
        return []  # the system checks say so
    return [
        model for model in apps.get_models() if concrete and model._meta.concrete_model is concrete
    ]


def _take_along(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    keys = {owner_key(instance, model) for model in _listened}
    for connection in Connection.objects.using(database()).filter(owner_key__in=keys):
        remove(connection, instance)


def remove(connection: Connection, owner: Model | None) -> None:
    """Delete a connection and all that is its own; its people as the policy says.

    Runs in the transaction of the caller. The statements are as many for one person as for a
    thousand.
    """
    organizations().dismiss(_accounts(connection), owner)
    had_roles: list[Any] = []
    if connection.on_organization_delete == OnOrganizationDelete.DEACTIVATE:
        _deactivate(connection)
        had_roles = _with_roles(connection)
    for rows in own_rows(connection):
        _delete(rows)
    model = get_user_model()
    accounts = model._base_manager.using(router.db_for_write(model))
    for some in batched(had_roles, _AT_ONCE):
        roles_ended(list(accounts.filter(pk__in=some).order_by("pk")), owner)
    logger.info("SCIM's data of %s was removed with the organization.", owner)


# -- people ------------------------------------------------------------------------------------


def _accounts(connection: Connection) -> QuerySet[Any]:
    """The accounts that SCIM manages for the connection, and may touch."""
    people = Resource.objects.using(database()).filter(connection=connection, protected=False)
    model = get_user_model()
    accounts: QuerySet[Any] = model._base_manager.using(router.db_for_write(model))
    accounts = accounts.filter(pk__in=people.filter(account__isnull=False).values("account"))
    for name in filter(account_field, ("is_staff", "is_superuser")):
        accounts = accounts.filter(**{name: False})
    return accounts


def _with_roles(connection: Connection) -> list[Any]:
    """The accounts whose roles end and had an effect: in Django groups, or by the site's hook."""
    using, accounts = database(), _accounts(connection)
    rows = GrantedGroup.objects.using(using).filter(account__in=accounts)
    found = set(rows.order_by().values_list("account", flat=True).distinct())
    if is_hooked():
        people = Resource.objects.using(using).filter(connection=connection, account__in=accounts)
        assigned = RoleAssignment.objects.using(using).filter(user__in=people).order_by()
        found.update(assigned.values_list("user__account", flat=True).distinct())
    return sorted(found)


def _deactivate(connection: Connection) -> None:
    unneeded = organizations().unneeded(_accounts(connection))
    keys = list(unneeded.order_by().values_list("pk", flat=True))
    served = next((kind for kind in resource_types() if isinstance(kind, UserResource)), None)
    if served is None:
        return
    for some in batched(keys, _AT_ONCE):
        _switch_off(served, some)
        lock_out(some)


def _switch_off(served: UserResource, keys: Any) -> None:
    """One UPDATE, unless the site has a hand in how accounts are deactivated."""
    model = get_user_model()
    accounts = model._base_manager.using(router.db_for_write(model)).filter(pk__in=keys)
    home = of_account(served.home(ACTIVE))
    if saves_are_watched(model) or type(served).deactivate is not UserResource.deactivate:
        for account in accounts:
            served.deactivate(account)
    elif home.account_fields:
        probe: Any = Resource(account=model())
        home.write(probe, ACTIVE, False)
        accounts.update(**{name: getattr(probe.account, name) for name in home.account_fields})


# -- our own rows ------------------------------------------------------------------------------


def own_rows(connection: Connection) -> Iterator[QuerySet[Any]]:
    """All rows of ours that belong to the connection, and it: those first that refer to others."""
    remaining = {model: _path(model) for model in apps.get_app_config("scim_provider").get_models()}
    paths = {model: path for model, path in remaining.items() if path}
    while paths:
        free = [model for model in paths if not _refers_to(model, set(paths) - {model})]
        for model in free or list(paths):
            rows = model._base_manager.using(database())
            yield rows.filter(**{paths.pop(model): connection.pk})


def _path(model: type[Model]) -> str:
    """The look-up that leads from the model to the connection, "" for none."""
    if model is Connection:
        return "pk"
    if model._meta.proxy or model in _PATHS:
        return _PATHS.get(model, "")
    fields: list[Any] = [field for field in model._meta.concrete_fields if field.is_relation]
    keys = [field for field in fields if _is_ours(field.related_model)]
    direct = [field.name for field in keys if field.related_model is Connection]
    behind = [f"{f.name}__{_path(f.related_model)}" for f in keys if f.related_model is not model]
    return next(iter([*direct, *behind]), "")


def _is_ours(model: Any) -> bool:
    return bool(model._meta.app_label == Connection._meta.app_label)


def _refers_to(model: type[Model], others: set[type[Model]]) -> bool:
    """Whether rows of ``others`` refer to rows of ``model``, which then have to wait."""
    return any(
        field.is_relation and field.related_model is model
        for other in others
        for field in other._meta.concrete_fields
    )


def _delete(rows: QuerySet[Any]) -> None:
    """One DELETE, unless somebody watches, or something of the site's refers to the rows."""
    if deletes_are_watched(rows.model):
        rows.delete()
    else:
        rows._raw_delete(rows.db)
