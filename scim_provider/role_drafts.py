"""A changed role mapping before it is saved: read from JSON, checked, compared with what there is.

The shape is that of :func:`scim_provider.role_mapping.current`; what a change leaves out stays::

    {"roles": [{"value": "admin", "django_group": "Admins", "was": ["boss"]}, …],
     "rules": [{"group": "Engineers", "role": "analyst"}],
     "missing_role": "default", "unknown_role": "ignore"}

Where ``roles`` is there, it is the whole list: a role that is not in it ends. ``was`` names roles
that this one takes over, and what they were called stays an alias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from .mapping.own_objects import OwnObjects
from .mapping.role_plan import RolePlan, client_keys, default_number, with_groups_below
from .models import Connection, MissingRole, Resource, Role, RoleRule, UnknownRole, role_key
from .protocol.schema import comparison_key
from .resources import resource_types

_TEXTS = {"value": 150, "display": 150, "description": 300, "django_group": 150}
_SWITCHES = {
    "protected": "protected",
    "rules_may_grant": "rules_may_grant",
    "default": "is_default",
}
_ROLE_KEYS = {*_TEXTS, *_SWITCHES, "priority", "aliases", "was"}
_POLICIES = {"missing_role": MissingRole, "unknown_role": UnknownRole}
_KEYS = {"roles", "rules", *_POLICIES}


class MappingError(ValueError):
    """A change that cannot be made; the message tells an admin why."""


@dataclass
class RoleDraft:
    """One role as it is to be; ``role`` is unsaved where it is new."""

    number: int
    role: Role
    django_group: str

    @property
    def is_new(self) -> bool:
        return self.role.pk is None


@dataclass
class Draft:
    """A whole mapping as it is to be, beside what it was."""

    connection: Connection
    roles: list[RoleDraft]
    #: Roles that end → the number of the one that takes over, if any.
    ended: dict[int, int | None]
    #: The keys of groups, and numbers of roles.
    rules: list[tuple[int, int]]
    policies: dict[str, str]
    #: What roles were called, and the Django groups they granted, by key.
    values_before: dict[int, str]
    groups_before: dict[int, str]

    @property
    def values(self) -> dict[int, str]:
        """What roles are called, by number; those that end, too."""
        return self.values_before | {each.number: each.role.value for each in self.roles}

    @property
    def groups(self) -> dict[int, str]:
        """The Django groups that roles will grant, by number."""
        return {each.number: each.django_group for each in self.roles if each.django_group}

    @property
    def regrouped(self) -> set[int]:
        """Roles that grant another Django group than before."""
        before, after = self.groups_before, self.groups
        numbers = (each.number for each in self.roles)
        return {number for number in numbers if before.get(number) != after.get(number)}

    def plan(self) -> RolePlan:
        """What the draft makes of people, without saving it."""
        numbered = [(each.number, each.role) for each in self.roles]
        ruled = {number for number, role in numbered if role.by_rule}
        rules = [pair for pair in self.rules if pair[1] in ruled]
        return RolePlan(
            self.connection,
            by_key=client_keys(numbered),
            by_group=with_groups_below(self.connection, rules),
            default=default_number(self.policies["missing_role"], numbered),
            moved=self.ended,
        )


def draft(connection: Connection, change: Mapping[str, Any]) -> Draft:
    """``change`` applied to what there is. Raises :class:`MappingError`; nothing is saved."""
    _refuse_unknown("The mapping", change, _KEYS)
    before = list(Role.objects.filter(connection=connection).select_related("django_group"))
    made = Draft(
        connection,
        roles=[RoleDraft(role.pk, role, _group_name(role)) for role in before],
        ended={},
        rules=list(RoleRule.objects.filter(connection=connection).values_list("group", "role")),
        policies=dict(_policies(connection, change)),
        values_before={role.pk: role.value for role in before},
        groups_before={role.pk: _group_name(role) for role in before if role.django_group_id},
    )
    if "roles" in change:
        _draft_roles(made, _objects("roles", change["roles"]))
    if "rules" in change:
        made.rules = list(_read_rules(made, _objects("rules", change["rules"])))
    if change:
        _refuse_protected_rules(made)
    return made


def _group_name(role: Role) -> str:
    return role.django_group.name if role.django_group else ""


def _policies(connection: Connection, change: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, choices in _POLICIES.items():
        value = change.get(name, getattr(connection, name))
        if value not in choices.values:
            raise MappingError(f"{name}: {value!r} is none of {', '.join(choices.values)}.")
        yield name, value


# -- roles -------------------------------------------------------------------------------------


def _draft_roles(made: Draft, sent: Sequence[Mapping[str, Any]]) -> None:
    known = {each.role.value_key: each.role for each in made.roles}
    drafts: list[RoleDraft] = []
    taken_over: dict[int, int] = {}
    for position, item in enumerate(sent):
        _check_role(item)
        # One that is not there any more was taken over when this change was made before.
        keys = map(role_key, _texts("was", item.get("was", [])))
        was = [known[key] for key in keys if key in known]
        role, absorbed = _base(made.connection, known, item, was)
        number = role.pk or -(position + 1)
        _fill(role, item, absorbed)
        name = item.get("django_group", made.groups_before.get(number, ""))
        drafts.append(RoleDraft(number, role, name))
        taken_over |= {each.pk: number for each in absorbed}
    made.roles = drafts
    stay = {each.number for each in drafts}
    if double := stay & taken_over.keys():
        raise MappingError(f"{made.values_before[min(double)]!r} is taken over, and listed, too.")
    made.ended = {key: taken_over.get(key) for key in made.values_before if key not in stay}
    kept = {number: number for number in stay} | made.ended
    moved = [(group, kept[role]) for group, role in made.rules]
    made.rules = [(group, number) for group, number in moved if number is not None]
    _refuse_doubles(drafts)


def _base(
    connection: Connection, known: Mapping[str, Role], item: Mapping[str, Any], was: list[Role]
) -> tuple[Role, list[Role]]:
    """The role that an item is about, and those that it takes over."""
    same = known.get(role_key(item["value"]))
    if same is None and was:
        same = was[0]
    if same is None:
        now = timezone.now()
        return Role(connection=connection, created=now, last_modified=now), []
    return same, [role for role in was if role.pk != same.pk]


def _fill(role: Role, item: Mapping[str, Any], absorbed: list[Role]) -> None:
    called = [role.value, *(name for each in absorbed for name in (each.value, *each.aliases))]
    called += _texts("was", item.get("was", []))
    role.value, role.value_key = item["value"], role_key(item["value"])
    for name in ("display", "description"):
        setattr(role, name, item.get(name, getattr(role, name)))
    for name, field in _SWITCHES.items():
        setattr(role, field, item.get(name, getattr(role, field)))
    role.priority = item.get("priority", role.priority)
    aliases = [*_texts("aliases", item.get("aliases", role.aliases)), *filter(None, called)]
    others = {role_key(alias): alias for alias in aliases if role_key(alias) != role.value_key}
    role.aliases = list(others.values())


def _check_role(item: Mapping[str, Any]) -> None:
    _refuse_unknown("A role", item, _ROLE_KEYS)
    if not isinstance(item.get("value"), str) or not item["value"].strip():
        raise MappingError("Each role needs a value.")
    for name, longest in _TEXTS.items():
        text = item.get(name, "")
        if not isinstance(text, str) or len(text) > longest:
            raise MappingError(f"{name} of {item['value']!r}: give a text of at most {longest}.")
    for name in _SWITCHES:
        if not isinstance(item.get(name, False), bool):
            raise MappingError(f"{name} of {item['value']!r}: give true or false.")
    priority = item.get("priority", 0)
    if type(priority) is not int or not -32768 <= priority <= 32767:
        raise MappingError(f"priority of {item['value']!r}: give a whole number to 32767.")


def _refuse_doubles(drafts: Sequence[RoleDraft]) -> None:
    seen: dict[str, str] = {}
    for each in drafts:
        for key in sorted({each.role.value_key, *map(role_key, each.role.aliases)}):
            if key in seen:
                raise MappingError(f"{key!r} is {seen[key]!r} and {each.role.value!r}.")
            seen[key] = each.role.value
    defaults = [each.role.value for each in drafts if each.role.is_default]
    if len(defaults) > 1:
        raise MappingError(f"Only one role can be the default: {', '.join(defaults)}.")


# -- rules -------------------------------------------------------------------------------------


def _read_rules(made: Draft, sent: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    if sent and any(t.name == "Group" and isinstance(t, OwnObjects) for t in resource_types()):
        raise MappingError(
            "This site keeps the members of groups in its own table, which rules do not know."
        )
    keys = _numbers_by_key(made.roles)
    groups = _groups(made.connection, [_rule_text(item, "group") for item in sent])
    done = set()
    for item in sent:
        _refuse_unknown("A rule", item, {"group", "role"})
        number = keys.get(role_key(_rule_text(item, "role")))
        if number is None:
            raise MappingError(
                f"There is no role {item['role']!r} for the rule of {item['group']!r}."
            )
        pair = groups[item["group"]], number
        if pair not in done:
            done.add(pair)
            yield pair


def _numbers_by_key(drafts: Sequence[RoleDraft]) -> dict[str, int]:
    """The number of each role by all that it is called."""
    return {
        key: each.number
        for each in reversed(drafts)
        for key in (*map(role_key, each.role.aliases), each.role.value_key)
    }


def _rule_text(item: Mapping[str, Any], name: str) -> str:
    text = item.get(name)
    if not isinstance(text, str) or not text:
        raise MappingError(f"Each rule needs a {name}.")
    return text


def _groups(connection: Connection, sent: Sequence[str]) -> dict[str, int]:
    """What groups are called, by id or by displayName, → the key of the row."""
    names = {comparison_key(text) for text in sent}
    rows = Resource.objects.filter(connection=connection, resource_type="Group")
    rows = rows.filter(Q(scim_id__in_set=list(sent)) | Q(name_key__in_set=sorted(names)))
    by_id: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    for key, scim_id, name in rows.values_list("pk", "scim_id", "name_key"):
        by_id[scim_id] = key
        by_name.setdefault(name, []).append(key)
    return {text: _one_group(text, by_id, by_name) for text in sent}


def _one_group(text: str, by_id: Mapping[str, int], by_name: Mapping[str, list[int]]) -> int:
    found = [by_id[text]] if text in by_id else by_name.get(comparison_key(text), [])
    if not found:
        raise MappingError(f"There is no group {text!r}. Push it first, or correct the name.")
    if len(found) > 1:
        raise MappingError(f"There are {len(found)} groups {text!r}. Name the one by its id.")
    return found[0]


def _refuse_protected_rules(made: Draft) -> None:
    roles = {each.number: each.role for each in made.roles}
    for _, number in made.rules:
        if not roles[number].by_rule:
            raise MappingError(
                f"{roles[number].value!r} is protected, and has a rule. Set rules_may_grant, or "
                "leave the rule out."
            )


# -- JSON --------------------------------------------------------------------------------------


def _refuse_unknown(what: str, item: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(item) - known):
        raise MappingError(
            f"{what} has no {', '.join(map(repr, unknown))}. Known: {', '.join(sorted(known))}."
        )


def _objects(name: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MappingError(f"{name}: give a list of objects.")
    return value


def _texts(name: str, value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise MappingError(f"{name}: give a list of texts.")
    return texts
