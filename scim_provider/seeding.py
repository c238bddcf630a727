"""Made-up people and groups on a connection, in batches: for demonstrations and measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router

from .mapping.context import Context
from .mapping.resource_type import ResourceType
from .models import Connection, Resource
from .protocol.errors import ScimError
from .protocol.messages import Precondition
from .protocol.projection import Projection
from .resources import resource_types
from .simulator.population import Population, Team

#: Bodies of one transaction, and ids of one look-up.
BATCH = 1000
_WRITERS = 2
#: Groups are written together until they have so many members.
_MEMBERS = 50_000
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

#: Called with how many more are done.
Progress = Callable[[int], None]


@dataclass
class Report:
    """What a run did: made, there already, refused; and why the first ones were refused."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    def add(self, kind: str, outcomes: Sequence[Any]) -> None:
        refused = [each for each in outcomes if isinstance(each, ScimError)]
        self.counts[f"{kind}_created"] += len(outcomes) - len(refused)
        self.counts[f"{kind}_refused"] += len(refused)
        self.reasons = (self.reasons + [error.detail for error in refused])[:5]


class Seeding:
    """Brings the people and groups of a population to a connection, and takes them away.

    What is there already stays as it is, so a run that was stopped goes on where it ended.
    """

    def __init__(self, connection: Connection, population: Population) -> None:
        self.context = Context(connection, "")
        self.population = population
        self.report = Report()

    # -- people --------------------------------------------------------------------------------

    def users(self, progress: Progress) -> None:
        """Create the people who are missing."""
        last = self.population.users + 1
        batches = [range(first, min(first + BATCH, last)) for first in range(1, last, BATCH)]
        with _mapping(batches) as side_by_side:
            for numbers, made in zip(batches, side_by_side(self._people, batches), strict=True):
                self.report.add("users", made)
                self.report.counts["users_there_already"] += len(numbers) - len(made)
                progress(len(numbers))

    def _people(self, numbers: range) -> Sequence[Any]:
        """What creating those of the numbers gave who were missing."""
        ids = {self.population.user_id(number): number for number in numbers}
        known = self._known(list(ids))
        missing = [scim_id for scim_id in ids if scim_id not in known]
        bodies = [self.population.person(ids[scim_id]) for scim_id in missing]
        return _served("User").create_many(self.context, bodies, scim_ids=missing)

    # -- groups --------------------------------------------------------------------------------

    def groups(self, progress: Progress) -> None:
        """Create the groups that are missing; those of everybody and of departments grow."""
        for teams in _portions(self.population.teams()):
            known = self._known([team.scim_id for team in teams])
            missing = [team for team in teams if team.scim_id not in known]
            made = _served("Group").create_many(
                self.context,
                [team.body() for team in missing],
                scim_ids=[team.scim_id for team in missing],
            )
            self.report.add("groups", made)
            self.report.counts["groups_there_already"] += len(known)
            for team in teams:
                if team.scim_id in known and team.grows:
                    self._grow(team)
            progress(len(teams))

    def _grow(self, team: Team) -> None:
        served = _served("Group")
        members = [{"value": scim_id} for scim_id in team.members]
        operation = {"op": "add", "path": "members", "value": members}
        body = {"schemas": [_PATCH], "Operations": [operation]}
        shown = Projection.parse([], ["members"], served.resource_schema)
        served.patch(self.context, team.scim_id, body, shown, Precondition.none())

    def _known(self, scim_ids: list[str]) -> set[str]:
        rows = Resource.objects.filter(connection=self.context.connection, scim_id__in_set=scim_ids)
        return set(rows.values_list("scim_id", flat=True))

    # -- removal -------------------------------------------------------------------------------

    def made(self) -> Any:
        """The rows that runs of any seed made on this connection, told by their externalId."""
        return Resource.objects.filter(
            connection=self.context.connection,
            external_id__startswith=f"{self.population.mark}-",
        )

    def remove(self, progress: Progress) -> None:
        """Delete them, and the accounts of the people among them."""
        while rows := list(self.made().order_by("pk").values_list("pk", "account")[:BATCH]):
            accounts = [account for _, account in rows if account is not None]
            get_user_model()._default_manager.filter(pk__in=accounts).delete()
            Resource.objects.filter(pk__in=[key for key, _ in rows]).delete()
            self.report.counts["removed"] += len(rows)
            progress(len(rows))


@contextmanager
def _mapping(batches: Sequence[Any]) -> Iterator[Callable[..., Iterable[Any]]]:
    """A ``map`` whose next batch is read while the database writes the last one.

    SQLite has one writer, and in a transaction there is one connection: then a plain one.
    """
    database = connections[router.db_for_write(Resource)]
    if database.vendor == "sqlite" or database.in_atomic_block or len(batches) < 2:
        yield map
        return
    with ThreadPoolExecutor(_WRITERS) as pool:

        def side_by_side(act: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
            return pool.map(_closing(act), items)

        try:
            yield side_by_side
        finally:
            pool.shutdown(cancel_futures=True)


def _closing(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``act`` in a thread that leaves no connection open behind it."""

    def run(item: Any) -> Any:
        try:
            return act(item)
        finally:
            connections.close_all()

    return run


def _served(name: str) -> ResourceType:
    """The resource type of that name. Raises ``LookupError`` where the site serves none."""
    for served in resource_types():
        if served.name == name:
            return served
    raise LookupError(f"This site serves no resource type called {name}.")


def _portions(teams: Iterator[Team]) -> Iterator[list[Team]]:
    """Groups in lists that end where they have many members together."""
    portion: list[Team] = []
    for team in teams:
        portion.append(team)
        if sum(len(each.members) for each in portion) >= _MEMBERS or len(portion) >= BATCH:
            yield portion
            portion = []
    if portion:
        yield portion
