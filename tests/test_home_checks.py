"""Mistakes in ``homes`` and resource types are told before the first request, with a hint."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Index, Q
from django.test import override_settings

from scim_provider import checks
from scim_provider.mapping.homes import Absent
from scim_provider.resources import (
    Attribute,
    Choice,
    Column,
    Flag,
    GroupResource,
    ResourceType,
    Rows,
    Schema,
    SingleValue,
    Store,
    UserResource,
)

OWN = Schema(
    "urn:example:own",
    "Own",
    (
        Attribute("text"),
        Attribute("other"),
        Attribute("exact", case_exact=True),
        Attribute("truth", "boolean"),
        Attribute("number", "integer"),
        Attribute("unique", uniqueness="server"),
        Attribute("several", multi_valued=True),
        Attribute("computed", mutability="readOnly"),
        Attribute("badge", "complex", sub_attributes=(Attribute("value"), Attribute("kind"))),
    ),
)


def users(*, base: type = UserResource, **homes: Any) -> type:
    """A resource type with homes for attributes of :data:`OWN`; ``core_x`` is the core's ``x``."""
    placed = {
        name.removeprefix("core_") if name.startswith("core_") else f"{OWN.id}:{name}": home
        for name, home in homes.items()
    }
    members = {"extensions": (OWN,), "homes": base.homes | placed}
    return type("Own", (base,), members)


def found(*types: Any) -> dict[str, str]:
    """The checks that fire, each with its hint."""
    with override_settings(SCIM_PROVIDER={"RESOURCE_TYPES": list(types)}):
        messages = [
            *checks.check_homes(),
            *checks.check_resource_types(),
            *checks.check_user_model(),
        ]
    assert all(message.hint and message.obj for message in messages)
    return {
        str(message.id).removeprefix("scim_provider."): str(message.hint) for message in messages
    }


class Elsewhere(GroupResource):
    endpoint = "/Users"


class Bulk(GroupResource):
    endpoint = "/bulk"


class Nowhere(ResourceType):
    name, endpoint = "Thing", "/Things"
    schema = Schema("urn:example:thing", "Thing", (Attribute("label", required=True),))
    model = UserResource.model
    default_home = Absent()


@pytest.mark.parametrize(
    ("wrong", "right", "number", "hint"),
    [
        (
            users(text=Column("account__location__name")),
            users(text=Choice("account__location")),
            "E020",
            "Choice('account__location', by='name')",
        ),
        (
            users(text=Column("account__is_staff")),
            users(truth=Column("account__is_organization_admin")),
            "E021",
            "another column",
        ),
        (
            users(truth=Column("account__mobile")),
            users(truth=Flag("account__mobile", true="yes", false="no")),
            "E021",
            "attribute type",
        ),
        (
            users(text=Flag("account__mobile", true="yes", false="no")),
            users(text=Column("account__mobile")),
            "E021",
            "Use Column",
        ),
        (users(several=Column("account__mobile")), users(several=Store()), "E021", "SingleValue"),
        (
            users(badge=Column("account__mobile")),
            users(**{"badge.value": Column("account__mobile")}),
            "E021",
            "badge.value",
        ),
        (users(text=SingleValue("account__mobile", type="work")), users(), "E021", "Use Column"),
        (
            users(core_ims=Rows("account__chats", value="text")),
            users(core_ims=SingleValue("account__mobile", type="irc")),
            "E011",
            "related_name",
        ),
        (
            users(core_ims=Rows("account__logentry", value="change_message", kind="object_id")),
            users(core_ims=Store()),
            "E011",
            "The columns are",
        ),
        (
            users(core_ims=Rows("account__logentry", value="action_flag", primary="object_repr")),
            users(),
            "E021",
            "another column",
        ),
        (users(number=Choice("account__location")), users(), "E021", "Use Column"),
        (Nowhere, GroupResource, "E023", "Store()"),
        (
            users(text=Column("account__mobile"), other=Column("account__mobile")),
            users(text=Column("account__mobile"), computed=Column("account__mobile")),
            "E025",
            "readOnly",
        ),
        (
            users(badge=Store(), **{"badge.value": Store()}),
            users(badge=Store()),
            "E025",
            "Leave one of them out",
        ),
        (users(core_username=Store()), users(), "E025", "Leave one of them out"),
        (users(number=Column("account__id")), users(computed=Store()), "E027", "readOnly"),
        (
            users(unique=Column("account__mobile")),
            users(unique=Column("account__username")),
            "W028",
            "an index",
        ),
        (
            users(exact=Choice("account__location")),
            users(exact=Column("account__mobile")),
            "W029",
            "case_exact",
        ),
    ],
)
def test_a_mistake_is_told_and_what_is_right_is_not(
    wrong: type, right: type, number: str, hint: str
) -> None:
    told = found(wrong)
    assert hint in told.pop(number)
    assert told.keys() <= {"E022"}  # the site's log wants more columns than one
    assert found(right) == {}


@pytest.mark.parametrize(
    "types", [(UserResource, Elsewhere), (GroupResource, users(base=GroupResource)), (Bulk,)]
)
def test_names_and_endpoints_are_nobody_elses(types: tuple[type, ...]) -> None:
    assert found(*types).keys() == {"E024"}
    assert found(UserResource, GroupResource) == {}


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        (Index(fields=["mobile"], name="all"), True),
        (Index(fields=["mobile", "email"], name="first"), True),
        (Index(fields=["email", "mobile"], name="second"), False),
        (Index(fields=["mobile"], name="some", condition=Q(is_active=True)), False),
    ],
)
def test_an_index_of_some_rows_serves_no_look_up(
    index: Index, serves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model()._meta, "indexes", [index])
    messages = found(users(unique=Column("account__mobile")))
    assert ("W028" not in "".join(messages)) == serves
