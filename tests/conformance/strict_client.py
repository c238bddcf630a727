"""A working day of scim2-client, which checks every answer against the site's own /Schemas.

python -m tests.conformance.strict_client BASE_URL KEY
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from typing import Any

from httpx2 import Client
from scim2_client import SCIMClientException
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SCIMException, SearchRequest

ADD, REPLACE, REMOVE = (
    PatchOperation.Op.add,
    PatchOperation.Op.replace_,
    PatchOperation.Op.remove,
)


class WorkingDay:
    """Three people, a group, and what happens to them; methods run in the order they stand."""

    def __init__(self, client: SyncSCIMClient) -> None:
        self.client = client
        self.tag = secrets.token_hex(4)
        client.discover()
        self.User: Any = client.get_resource_model("User")
        self.Group: Any = client.get_resource_model("Group")
        self.people: list[Any] = []
        self.group: Any = None

    def people_arrive(self) -> None:
        self.people = [self.client.create(self._person(number)) for number in range(3)]
        assert [one.user_name for one in self.people] == [self._name(n) for n in range(3)]

    def the_same_person_does_not_arrive_twice(self) -> None:
        assert "uniqueness" in refusal(lambda: self.client.create(self._person(0)))

    def each_is_found_by_id_with_a_version(self) -> None:
        for person in self.people:
            found = self._read(person)
            assert found.user_name == person.user_name
            assert found.meta.version

    def filters_find_who_they_should(self) -> None:
        first, second, _ = (one.user_name for one in self.people)
        for text, number in {
            f'userName eq "{first}"': 1,
            f'userName eq "{first.upper()}"': 1,
            f'externalId eq "ext-0-{self.tag}"': 1,
            f'userName sw "p" and externalId pr and externalId ew "{self.tag}"': 3,
            f'emails[type eq "work" and value eq "{second}"]': 1,
            f'externalId ew "{self.tag}" and not (userName eq "{first}")': 2,
            f'externalId ew "{self.tag}" and meta.created gt "2011-05-13T04:42:34Z"': 3,
        }.items():
            found = self.client.query(self.User, query_parameters=SearchRequest(filter=text))
            assert found.total_results == number, f"{text}: {found.total_results}"

    def pages_of_one_show_everybody_once(self) -> None:
        seen = []
        for index in (1, 2, 3):
            page = self._ours(start_index=index, count=1)
            assert (page.total_results, page.items_per_page, page.start_index) == (3, 1, index)
            seen += [one.id for one in page.resources]
        assert sorted(seen) == sorted(one.id for one in self.people)

    def the_list_sorts_both_ways(self) -> None:
        for order, backwards in (("ascending", False), ("descending", True)):
            page = self._ours(sort_by="userName", sort_order=order)
            names = [one.user_name for one in page.resources]
            assert names == sorted(names, reverse=backwards)

    def searches_answer_at_the_endpoint_and_at_the_root(self) -> None:
        ours = SearchRequest(filter=f'externalId ew "{self.tag}"')
        assert self.client.search(self.User, ours).total_results == 3
        assert self.client.search(search_request=ours).total_results >= 3

    def attributes_narrow_the_answer(self) -> None:
        only, without = (
            self.client.query(self.User, self.people[0].id, query_parameters=parameters)
            for parameters in (
                SearchRequest(attributes=["userName"]),
                SearchRequest(excluded_attributes=["emails"]),
            )
        )
        assert only.user_name
        assert without.user_name
        assert not only.emails
        assert not without.emails

    def a_profile_is_replaced(self) -> None:
        person = self._read(self.people[1])
        person.name.family_name = "Married"
        self.client.replace(person)
        assert self._read(person).name.family_name == "Married"

    def a_profile_is_patched(self) -> None:
        person = self.people[2]
        for change, seen in {
            (REPLACE, "active", False): lambda one: one.active is False,
            (REPLACE, "active", True): lambda one: one.active is True,
            (REPLACE, "name.familyName", "Patched"): lambda one: one.name.family_name == "Patched",
            (ADD, "displayName", "Shown"): lambda one: one.display_name == "Shown",
            (REMOVE, "displayName", None): lambda one: not one.display_name,
            (REPLACE, 'emails[type eq "work"].value', f"new-{self.tag}@example.com"): (
                lambda one: one.emails[0].value == f"new-{self.tag}@example.com"
            ),
        }.items():
            self._patch(person, *change)
            assert seen(self._read(person)), f"{change} was not done"

    def a_group_gets_its_first_member(self) -> None:
        self.group = self.client.create(
            self.Group(display_name=f"group-{self.tag}", members=self._members(0))
        )
        assert self._member_ids() == {self.people[0].id}
        groups = self._read(self.people[0]).groups
        assert [one.value for one in groups] == [self.group.id]

    def members_come_and_go(self) -> None:
        ids = [person.id for person in self.people]
        for change, left in (
            ((ADD, "members", self._members(1)), set(ids[:2])),
            ((REMOVE, f'members[value eq "{ids[0]}"]', None), {ids[1]}),
            ((REPLACE, "members", self._members(0, 1, 2)), set(ids)),
            ((REMOVE, "members", None), set()),
        ):
            self._patch(self.group, *change)
            assert self._member_ids() == left, f"after {change}"

    def a_group_is_found_by_name(self) -> None:
        by_name = SearchRequest(filter=f'displayName eq "group-{self.tag}"')
        assert self.client.query(self.Group, query_parameters=by_name).total_results == 1

    def the_group_goes(self) -> None:
        self.client.delete(self.Group, self.group.id)
        assert "404" in refusal(lambda: self._read(self.group))

    def everybody_leaves(self) -> None:
        for person in self.people:
            self.client.delete(self.User, person.id)
            assert "404" in refusal(lambda gone=person: self._read(gone))
        assert self._ours().total_results == 0

    def _name(self, number: int) -> str:
        return f"p{number}-{self.tag}@example.com"

    def _person(self, number: int) -> Any:
        Name, Email = (self.User.get_field_root_type(field) for field in ("name", "emails"))
        return self.User(
            user_name=self._name(number),
            external_id=f"ext-{number}-{self.tag}",
            name=Name(given_name=f"Given{number}", family_name=f"Family{number}"),
            emails=[Email(value=self._name(number), type="work", primary=True)],
            active=True,
        )

    def _members(self, *numbers: int) -> list[Any]:
        Member = self.Group.get_field_root_type("members")
        return [Member(value=self.people[number].id) for number in numbers]

    def _member_ids(self) -> set[str]:
        return {member.value for member in self._read(self.group).members or []}

    def _read(self, resource: Any) -> Any:
        return self.client.query(type(resource), resource.id)

    def _ours(self, **parameters: Any) -> Any:
        parameters["filter"] = f'externalId ew "{self.tag}"'
        return self.client.query(self.User, query_parameters=SearchRequest(**parameters))

    def _patch(self, resource: Any, op: PatchOperation.Op, path: str, value: Any) -> None:
        operation = PatchOperation(op=op, path=path, value=value)
        message = PatchOp[type(resource)](operations=[operation])
        self.client.modify(type(resource), resource.id, message)


def refusal(request: Callable[[], Any]) -> str:
    """The error that the request must meet, as text."""
    try:
        request()
    except (SCIMClientException, SCIMException) as error:
        return f"{error} {getattr(error, 'status', '')} {getattr(error, 'scim_type', '')}"
    raise AssertionError("the request was not refused")


def main(base_url: str, key: str) -> int:
    """Run the day; 0 where nothing went wrong."""
    failed = 0
    with Client(base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        day = WorkingDay(SyncSCIMClient(http))
        steps = [name for name in vars(WorkingDay) if not name.startswith("_")]
        for name in steps:
            try:
                getattr(day, name)()
            except (AssertionError, AttributeError, SCIMClientException, SCIMException) as error:
                failed += 1
                print(f"FAILED {name}: {type(error).__name__}: {error}")
    print(f"scim2-client: {len(steps) - failed} passed, {failed} failed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
