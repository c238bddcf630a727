"""Protected people: a way in that no identity provider can close. Set by the site alone."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from .models import Connection, ScimUser
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


def protect(connection: Connection, user_names: Iterable[str], *, protected: bool = True) -> int:
    """Protect the people with these user names, or no longer; how many that changed.

    Raises :class:`UnknownPeople` and changes nothing where one of them is nobody.
    """
    wanted = {comparison_key(name, precis=True): name for name in user_names}
    people = ScimUser.objects.filter(connection=connection, name_key__in=list(wanted))
    known = set(people.values_list("name_key", flat=True))
    if unknown := [name for key, name in wanted.items() if key not in known]:
        raise UnknownPeople(unknown)
    return set_protected(people, protected=protected)


def set_protected(people: QuerySet[ScimUser], *, protected: bool) -> int:
    """Protect people, or no longer; how many that changed."""
    return people.exclude(protected=protected).update(protected=protected)
