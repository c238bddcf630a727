"""A whole company of made-up people and their groups: the same for the same seed.

Each person is made of the seed and a number, whoever else is made: more people can be asked
for later, and the first ones stay who they are.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scim_provider.protocol.core import ENTERPRISE_USER, GROUP, USER

from .names import CULTURES, DEPARTMENTS

#: How many people report to one manager.
_SPAN = 9
_KINDS = ("Employee",) * 17 + ("Contractor",) * 2 + ("Intern",)
_DEPARTMENTS = tuple(DEPARTMENTS)
#: Some departments are larger than others.
_WEIGHTS = tuple(len(titles) ** 2 for _, titles in DEPARTMENTS.values())
_SCHEMAS = [USER.id, ENTERPRISE_USER.id]


@dataclass(frozen=True)
class Team:
    """One group: its id, its name and the ids of its members.

    ``grows`` tells that more people mean more members.
    """

    scim_id: str
    name: str
    external_id: str
    members: tuple[str, ...]
    grows: bool

    def body(self) -> dict[str, Any]:
        """The group as a client sends it."""
        return {
            "schemas": [GROUP.id],
            "displayName": self.name,
            "externalId": self.external_id,
            "members": [{"value": scim_id} for scim_id in self.members],
        }


@dataclass(frozen=True)
class Population:
    """``users`` people and ``groups`` groups of a company whose mail goes to ``domain``.

    ``mark`` begins every ``externalId``: what tells made-up resources from real ones.
    """

    users: int
    groups: int
    members_per_group: int = 25
    seed: int = 1
    domain: str = "seed.example"
    mark: str = "scim-seed"

    # -- people --------------------------------------------------------------------------------

    def user_id(self, number: int) -> str:
        """The id of the person of that number, from 1."""
        return self._id("user", number)

    def person(self, number: int) -> dict[str, Any]:
        """The person of that number as a client sends it."""
        chance = random.Random(self.seed * 1_000_003 + number)
        draw = chance.random
        culture = CULTURES[int(draw() * len(CULTURES))]
        given = culture.given[int(draw() * len(culture.given))]
        family = culture.family[int(draw() * len(culture.family))]
        department = self._department(number)
        division, titles = DEPARTMENTS[department]
        tag = number if self.seed == 1 else f"{number}s{self.seed}"
        mailbox = f"{given.mailbox}.{family.mailbox}.{tag}"
        full = (family.text + given.text) if culture.family_first else f"{given.text} {family.text}"
        work: dict[str, Any] = {
            "employeeNumber": f"{self.seed:02d}{number:07d}",
            "costCenter": f"CC-{1000 + _DEPARTMENTS.index(department)}",
            "organization": "Seed",
            "division": division,
            "department": department,
        }
        if number > 1:
            work["manager"] = {"value": self.user_id(1 + (number - 2) // _SPAN)}
        body: dict[str, Any] = {
            "schemas": _SCHEMAS,
            "externalId": self.external_id("user", number),
            "userName": f"{mailbox}@{self.domain}",
            "name": {"givenName": given.text, "familyName": family.text, "formatted": full},
            "displayName": full,
            "title": titles[int(draw() * len(titles))] if number > _SPAN else "Director",
            "userType": _KINDS[int(draw() * len(_KINDS))],
            "preferredLanguage": culture.locale,
            "timezone": culture.timezone,
            "active": draw() > 0.04,
            "emails": [{"value": f"{mailbox}@{self.domain}", "type": "work", "primary": True}],
            ENTERPRISE_USER.id: work,
        }
        if draw() < 0.4:
            private = f"{mailbox}@home.{self.domain}"
            body["emails"].append({"value": private, "type": "home"})
        if draw() < 0.6:
            line = f"{culture.dialling} {int(draw() * 9e8) + 10**8}"
            body["phoneNumbers"] = [{"value": line, "type": "work" if draw() < 0.5 else "mobile"}]
        if draw() < 0.3:
            body["addresses"] = [
                {
                    "type": "work",
                    "locality": culture.cities[int(draw() * len(culture.cities))],
                    "postalCode": f"{int(draw() * 90000) + 10000}",
                    "country": culture.country,
                }
            ]
        return body

    def _department(self, number: int) -> str:
        chance = random.Random(self.seed * 2_000_003 + number)
        return chance.choices(_DEPARTMENTS, _WEIGHTS)[0]

    # -- groups --------------------------------------------------------------------------------

    def teams(self) -> Iterator[Team]:
        """Everybody, the departments, the divisions that are made of them, and teams."""
        numbers = range(1, self.groups + 1)
        for number, (name, members) in zip(numbers, self._named(), strict=False):
            yield self._team(number, name, members)

    def _named(self) -> Iterator[tuple[str, Iterable[str]]]:
        people = [self.user_id(number) for number in range(1, self.users + 1)]
        yield "Everybody", people
        by_department: dict[str, list[str]] = {name: [] for name in _DEPARTMENTS}
        for number, scim_id in enumerate(people, 1):
            by_department[self._department(number)].append(scim_id)
        yield from by_department.items()
        yield from self._divisions()
        for number in range(1, self.groups + 1):
            yield self._small(number, people)

    def _divisions(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Groups of groups: the departments are numbers 2 and on."""
        for division in dict.fromkeys(division for division, _ in DEPARTMENTS.values()):
            inside = [
                n for n, name in enumerate(_DEPARTMENTS, 2) if DEPARTMENTS[name][0] == division
            ]
            yield f"{division} division", [self._id("group", number) for number in inside]

    def _small(self, number: int, people: Sequence[str]) -> tuple[str, Iterable[str]]:
        chance = random.Random(self.seed * 3_000_017 + number)
        name = f"{chance.choice(_DEPARTMENTS)} team {number}"
        return name, chance.sample(people, min(self.members_per_group, len(people)))

    def _team(self, number: int, name: str, members: Iterable[str]) -> Team:
        scim_id, external_id = self._id("group", number), self.external_id("group", number)
        grows = number <= 1 + len(_DEPARTMENTS)
        return Team(scim_id, f"{name} (seed {self.seed})", external_id, tuple(members), grows)

    # -- ids -----------------------------------------------------------------------------------

    def external_id(self, kind: str, number: int) -> str:
        """``scim-seed-1-user-42``."""
        return f"{self.mark}-{self.seed}-{kind}-{number}"

    def _id(self, kind: str, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.external_id(kind, number)))
