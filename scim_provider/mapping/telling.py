"""What one operation did, told to who listens (scim_provider.signals): nothing is read for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scim_provider.models import Connection, Resource
from scim_provider.protocol.delta import ValueDelta
from scim_provider.signals import (
    MembersChange,
    announce,
    members_changed,
    users_deactivated,
    users_reactivated,
)

from .context import Context
from .paths import Document

if TYPE_CHECKING:
    from .writing import StoredResourceType

#: A person, and whether they might use the site and may now.
AccessChange = tuple[Resource, bool, bool]


def tell_created(
    resource_type: StoredResourceType, rows: Sequence[Resource], context: Context
) -> None:
    """``rows`` were created."""
    lifecycle = resource_type.lifecycle
    if rows:
        announce(lifecycle.created, context.connection, **{lifecycle.plural: list(rows)})


def tell_updated(
    resource_type: StoredResourceType,
    row: Resource,
    before: Document,
    after: Document,
    context: Context,
) -> None:
    """``row`` was one document and is another one now."""
    lifecycle = resource_type.lifecycle
    if not lifecycle.updated.has_listeners(Connection):
        return
    if changes := dict(_differences(_told(before), _told(after))):
        what = {lifecycle.plural: [row], "changes": [_discreet(resource_type, changes)]}
        announce(lifecycle.updated, context.connection, **what)


def tell_deleted(
    resource_type: StoredResourceType, row: Resource, context: Context, **more: Any
) -> None:
    """``row`` is gone; ``more`` is what the signal tells besides."""
    lifecycle = resource_type.lifecycle
    announce(lifecycle.deleted, context.connection, **{lifecycle.plural: [row]}, **more)


def tell_members(asked: Sequence[tuple[Resource, ValueDelta]], context: Context) -> None:
    """The members of groups changed, by what was asked of each."""
    if asked and members_changed.has_listeners(Connection):
        changes = [
            MembersChange(group, delta.cleared, frozenset(delta.added), delta.removed)
            for group, delta in asked
        ]
        announce(members_changed, context.connection, changes=changes)


def changed_to(now: bool, changed: Sequence[AccessChange]) -> list[Resource]:
    """Those who may enter, or may not, and stood otherwise before."""
    return [row for row, was, is_ in changed if was is not now and is_ is now]


def tell_access(changed: Sequence[AccessChange], context: Context) -> None:
    """People may not use the site any more, or may again."""
    for signal, now in ((users_deactivated, False), (users_reactivated, True)):
        if rows := changed_to(now, changed):
            announce(signal, context.connection, users=rows)


# -- the parts ---------------------------------------------------------------------------------


def _told(document: Document) -> Document:
    """What clients may change; the rest follows from it."""
    return {k: v for k, v in document.items() if k not in ("schemas", "id", "meta")}


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], within: str = ""
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Path → what was there and what is, down to sub-attributes of what has one value."""
    for name in sorted(before.keys() | after.keys()):
        old, new, path = before.get(name), after.get(name), within + name
        if old == new:
            continue
        if isinstance(old, dict) or isinstance(new, dict):
            separator = ":" if ":" in name else "."
            yield from _differences(old or {}, new or {}, path + separator)
        else:
            yield path, (old, new)


def _discreet(
    resource_type: StoredResourceType, changes: dict[str, tuple[Any, Any]]
) -> dict[str, tuple[Any, Any]]:
    """``changes`` without the values of what is never returned: passwords."""
    secret = {
        str(target) for target in resource_type.resource_schema if target.leaf.returned == "never"
    }
    return {path: (None, None) if path in secret else pair for path, pair in changes.items()}
