"""Protected people: a way in that no identity provider can close. Set by the site alone."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from .mapping.look_alikes import spellings
from .models import Connection, ScimUser, Unlisted, UnlistedReason
from .protocol.schema import comparison_key


class UnknownPeople(LookupError):
    """No person of the connection has one of the names; ``names`` are those."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


def protected_people(connection: Connection) -> QuerySet[ScimUser]:
    """The people whom SCIM does not deactivate, delete, rename or strip, by name."""
    people = ScimUser.objects.filter(connection=connection, protected=True)
    return people.select_related("account").order_by("name_key")


def protected_outside(connection: Connection) -> QuerySet[Unlisted]:
    """The accounts that are out of SCIM, unlinked or away, and are protected once they return."""
    rows = Unlisted.objects.filter(connection=connection, protected=True)
    return rows.select_related("account").order_by(f"account__{get_user_model().USERNAME_FIELD}")


def protect(connection: Connection, user_names: Iterable[str], *, protected: bool = True) -> int:
    """Protect the people with these user names, or no longer; how many that changed.

    Whoever was unlinked may be named, too, by the login name of the account. Raises
    :class:`UnknownPeople` and changes nothing where one of them is nobody.
    """
    wanted = {comparison_key(name, precis=True): name for name in user_names}
    people = ScimUser.objects.filter(connection=connection, name_key__in=list(wanted))
    known = set(people.values_list("name_key", flat=True))
    outside = _outside(connection, [name for key, name in wanted.items() if key not in known])
    known |= {comparison_key(row.account.get_username(), precis=True) for row in outside}
    if unknown := [name for key, name in wanted.items() if key not in known]:
        raise UnknownPeople(unknown)
    changed = [row for row in outside if row.protected != protected]
    rows = Unlisted.objects.filter(pk__in=[row.pk for row in changed])
    rows.update(protected=protected)
    rows.filter(protected=False, reason=UnlistedReason.LET_IN).delete()
    return set_protected(people, protected=protected) + len(changed)


def _outside(connection: Connection, names: Iterable[str]) -> list[Unlisted]:
    texts = sorted({text for name in names for text in spellings(name)})
    named = {f"account__{get_user_model().USERNAME_FIELD}__in": texts}
    rows = Unlisted.objects.filter(connection=connection, **named)
    return list(rows.select_related("account"))


def set_protected(people: QuerySet[ScimUser], *, protected: bool) -> int:
    """Protect people, or no longer; how many that changed."""
    return people.exclude(protected=protected).update(protected=protected)
