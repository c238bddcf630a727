"""Names that no row of the site has: who sends them, and rows that were added later.

A :class:`~.resources.Choice` looks a name up when it is written (docs/ownership.md).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, F, Min, prefetch_related_objects

from .mapping.functions import InSet
from .mapping.homes import Choice, Home
from .mapping.owned import Owned, note_written
from .mapping.paths import get_value
from .mapping.rows import update_objects
from .mapping.transactions import atomically, database, locking
from .models import AttributeValue, Connection, Resource
from .protocol.schema import Target
from .resources import UserResource, resource_types
from .routers import primary

__all__ = ["Unfound", "look_up_again", "people_with_choices", "unfound"]

#: Rows of one transaction.
BATCH = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unfound:
    """A ``name`` that ``people`` have at ``path``, as one of them was sent it, and no row has."""

    path: str
    name: str
    people: int


def unfound(connection: Connection) -> list[Unfound]:
    """The names that stand for the row ``otherwise``, or for none, most people first."""
    found = [each for place in _choices() for each in _unfound(connection, *place)]
    return sorted(found, key=lambda each: (-each.people, each.path, each.name))


def _unfound(connection: Connection, target: Target, _: Home, choice: Choice) -> Iterator[Unfound]:
    values = AttributeValue.objects.filter(connection=connection, path=str(target))
    counted = values.filter(resource__in=_people(connection)).values_list("key")
    counts = list(counted.annotate(people=Count("resource"), example=Min("resource")))
    rows = Resource.objects.filter(InSet(F("pk"), [example for *_, example in counts]))
    examples = {row.pk: row for row in _with_accounts(rows)}
    names: dict[str, set[str]] = {}
    for _key, people_with, example in counts:
        row = examples[example]
        name = str(get_value(row.document, target))
        if name.strip().casefold() not in _names(choice, row, names):
            yield Unfound(str(target), name, people_with)


def _names(choice: Choice, row: Resource, known: dict[str, set[str]]) -> set[str]:
    """The names that the row may choose from, read once for all that choose among the same."""
    candidates = choice.candidates(row)
    among = str(candidates.query)
    if among not in known:
        known[among] = {
            str(name).casefold() for name in candidates.values_list(choice.by, flat=True)
        }
    return known[among]


def people_with_choices(connection: Connection) -> int:
    """How many :func:`look_up_again` looks at."""
    return _people(connection).count() if _choices() else 0


@primary()
def look_up_again(connection: Connection, progress: Callable[[int], None] = lambda _: None) -> int:
    """Give people the rows that were added since their names were sent, but to those who have
    edited them (:mod:`~.ownership`). 1,000 people a transaction; answers how many changed.
    """
    if not _choices():
        return 0
    keys, last, changed = _people(connection).order_by("pk").values_list("pk", flat=True), 0, 0
    while some := list(keys.filter(pk__gt=last)[:BATCH]):
        last = some[-1]
        changed += atomically(partial(_again, some))
        progress(len(some))
    logger.info("%s people of %s have a row that was added later.", changed, connection)
    return changed


def _again(keys: Sequence[int]) -> int:
    rows = Resource.objects.filter(pk__in=keys).order_by("pk")
    changed: dict[frozenset[str], list[Any]] = defaultdict(list)
    moved: list[Any] = []
    found: dict[Any, Any] = {}
    for row in _with_accounts(rows.select_for_update(**locking(database()))):
        vars(row)["choices"] = found
        fields = _written_again(row)
        note_written(row)
        if fields:
            changed[fields].append(row.account)
            moved.append(row)
    for fields, accounts in changed.items():
        update_objects(get_user_model(), accounts, sorted(fields))
    Resource.objects.bulk_update(moved, ["written"])
    return len(moved)


def _with_accounts(rows: Any) -> list[Resource]:
    """With all that their accounts refer to, such as the organization."""
    found = list(rows.select_related("account"))
    fields = get_user_model()._meta.concrete_fields
    names = [field.name for field in fields if field.many_to_one or field.one_to_one]
    prefetch_related_objects([row.account for row in found], *names)
    return found


def _written_again(row: Resource) -> frozenset[str]:
    """The columns of the account that say something else after another look."""
    places = [place for place in _choices() if get_value(row.document, place[0]) is not None]
    columns = {choice.field for _, _, choice in places}
    before = {name: getattr(row.account, f"{name}_id") for name in columns}
    for target, home, _ in places:
        home.write(row, target, get_value(row.document, target))
    return frozenset(n for n, key in before.items() if getattr(row.account, f"{n}_id") != key)


def _people(connection: Connection) -> Any:
    """Those whose accounts the connection writes."""
    rows = Resource.objects.filter(connection=connection, resource_type=UserResource.name)
    return rows.filter(account__isnull=False, owns_profile=True)


def _choices() -> list[tuple[Target, Home, Choice]]:
    """The attributes of people that are looked up: their homes, and what looks up."""
    served = (kind for kind in resource_types() if isinstance(kind, UserResource))
    placed = [place for kind in served for place in kind.placed]
    plain = [(t, home, home.plain if isinstance(home, Owned) else home) for t, home in placed]
    return [(t, home, choice) for t, home, choice in plain if isinstance(choice, Choice)]
