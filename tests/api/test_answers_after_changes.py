"""An answer to a change says what a GET right afterwards says; what stays keeps its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db import models
from django.db.models.signals import post_save

from example_project.accounts.scim import KLAXON, Organizations
from scim_provider.mapping import fitting
from scim_provider.models import Connection, Event
from scim_provider.resources import Attribute, Column, Schema, UserResource
from tests.conftest import ScimClient
from tests.factories import AccountFactory

from .fixture_answers import user
from .test_deactivation import logged_in
from .test_groups import group

pytestmark = pytest.mark.django_db

MOBILE = "urn:example:params:scim:schemas:extension:mobile:2.0:User"
PHONE = f"{KLAXON.id}:notificationPhoneNumber"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def people_of(settings: Any, kind: type) -> None:
    others = ["scim_provider.resources.GroupResource", "scim_provider.resources.RoleResource"]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [kind, *others]}


# -- whose access stays as it is ---------------------------------------------------------------


@pytest.mark.parametrize(
    "operation", [{"op": "remove", "path": "active"}, replace("active", None)], ids=str
)
def test_who_stays_active_stays_logged_in(scim: ScimClient, operation: dict[str, Any]) -> None:
    made = scim.post("/Users", user("ada", active=True)).json()
    account = get_user_model().objects.get(username="ada")
    client, password = logged_in(account), account.password
    for change in (operation, replace("active", True)):
        assert scim.patch(f"/Users/{made['id']}", change).status_code == 200
        account.refresh_from_db()
        assert account.is_active
        assert account.password == password
    assert "_auth_user_id" in client.session
    assert not Event.objects.filter(kind__startswith="person.").exists()


@pytest.mark.parametrize("sent", [{}, {"active": True}], ids=str)
def test_who_is_linked_stays_logged_in(
    scim: ScimClient, connection: Connection, sent: dict[str, Any]
) -> None:
    connection.existing_account = "link"
    connection.save()
    account = AccountFactory(organization=connection.owner, username="ada")
    account.set_unusable_password()
    account.save()
    password = account.password
    assert scim.post("/Users", user("ada", **sent)).status_code == 201
    account.refresh_from_db()
    assert account.password == password


def test_who_is_switched_off_and_on_has_another_password_each_time(scim: ScimClient) -> None:
    made = scim.post("/Users", user("ada", active=True)).json()
    passwords = set()
    for value in (True, False, True):
        scim.patch(f"/Users/{made['id']}", replace("active", value))
        passwords.add(get_user_model().objects.get(username="ada").password)
    assert len(passwords) == 3


def test_receivers_of_saves_see_no_password_that_nobody_has_changed(scim: ScimClient) -> None:
    made = scim.post("/Users", user("ada", active=True)).json()
    before, saved = get_user_model().objects.get(username="ada").password, []

    def receiver(update_fields: Any, **kwargs: Any) -> None:
        saved.append(set(update_fields))

    post_save.connect(receiver, sender=get_user_model())
    try:
        scim.patch(f"/Users/{made['id']}", replace("active", False))
    finally:
        post_save.disconnect(receiver, sender=get_user_model())
    assert saved == [{"is_active"}]
    assert get_user_model().objects.get(username="ada").password != before


# -- what hooks of the site see ----------------------------------------------------------------


def test_admit_sees_the_account_of_a_person_who_returns_as_it_is_now(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def admit(self: Any, account: Any, owner: Any) -> None:
        account.refresh_from_db()
        seen.append((account.is_active, account.first_name))

    monkeypatch.setattr(Organizations, "admit", admit)
    body = user("ada", name={"givenName": "Ada"})
    made = scim.post("/Users", body).json()
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    again = scim.post("/Users", user("ada", name={"givenName": "Augusta"}))
    assert again.status_code == 201
    assert seen == [(True, "Ada"), (True, "Augusta")]
    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["person.deactivated", "person.reactivated"]


def test_a_hook_for_roles_that_writes_the_account_is_seen_in_the_answer(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def roles_changed(self: Any, accounts: Any, owner: Any) -> None:
        keys = [account.pk for account in accounts]
        get_user_model().objects.filter(pk__in=keys).update(first_name="Dr. Ada")

    monkeypatch.setattr(Organizations, "roles_changed", roles_changed, raising=False)
    made = scim.post("/Users", user("ada", name={"givenName": "Ada"})).json()
    path = f"/Users/{made['id']}"
    answer = scim.patch(path, replace("role", "admin"))
    assert answer.status_code == 200, answer.content
    assert answer.json() == scim.get(path).json()


class Counting(UserResource):
    """A site that has a hand in what is saved, behind the instance."""

    def save_account(self, account: Any, fields: frozenset[str], context: Any) -> Any:
        saved = super().save_account(account, fields, context)
        model = get_user_model()
        model.objects.filter(pk=saved.pk).update(last_name=saved.last_name.upper())
        return saved


def test_what_a_site_saves_by_itself_is_answered(scim: ScimClient, settings: Any) -> None:
    people_of(settings, Counting)
    made = scim.post("/Users", user("ada", name={"familyName": "Byron"})).json()
    path = f"/Users/{made['id']}"
    answer = scim.patch(path, replace("name.familyName", "King"))
    assert answer.json()["name"]["familyName"] == "KING"
    assert answer.json() == scim.get(path).json()


@pytest.mark.parametrize("query", ["attributes=title", f"excludedAttributes={PHONE}"])
def test_an_answer_of_some_attributes_has_the_schemas_of_a_read(
    scim: ScimClient, query: str
) -> None:
    made = scim.post("/Users", user("ada", **{KLAXON.id: {"notificationPhoneNumber": "1"}})).json()
    path = f"/Users/{made['id']}?{query}"
    assert scim.patch(path, replace("title", "Dr.")).json() == scim.get(path).json()


class Lower(models.CharField):
    """A field of a site's own that makes lower case of what it writes."""

    def get_prep_value(self, value: Any) -> Any:
        return str(value).lower() if value else value


class OwnField(UserResource):
    extensions = (*UserResource.extensions, Schema(MOBILE, "Mobile", (Attribute("mobile"),)))
    homes = UserResource.homes | {f"{MOBILE}:mobile": Column("account__mobile")}


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example's ``mobile`` as a field of a site's own."""
    monkeypatch.setattr(get_user_model()._meta.get_field("mobile"), "__class__", Lower)
    fitting.field_at.cache_clear()
    yield
    fitting.field_at.cache_clear()


def test_a_field_that_writes_otherwise_is_answered_as_written(
    lower: None, scim: ScimClient, settings: Any
) -> None:
    people_of(settings, OwnField)
    made = scim.post("/Users", user("ada", **{MOBILE: {"mobile": "X"}})).json()
    path = f"/Users/{made['id']}"
    answer = scim.patch(path, replace(f"{MOBILE}:mobile", "ABC"))
    assert answer.json()[MOBILE] == {"mobile": "abc"}
    assert answer.json() == scim.get(path).json()


class Numbers(UserResource):
    attributes = (Attribute("big", "integer"), Attribute("some", "integer", multi_valued=True))
    extensions = (*UserResource.extensions, Schema(MOBILE, "Numbers", attributes))


def test_integers_of_any_size_are_answered_as_sent(scim: ScimClient, settings: Any) -> None:
    people_of(settings, Numbers)
    numbers = {"big": 2**80 + 1, "some": [-(2**70) - 1, 2**64, 3]}
    made = scim.post("/Users", user("ada", **{MOBILE: numbers})).json()
    path = f"/Users/{made['id']}"
    assert made[MOBILE] == numbers
    assert scim.get(path).json()[MOBILE] == numbers
    assert scim.get("/Users").json()["Resources"][0][MOBILE] == numbers
    assert scim.patch(path, replace("title", "Dr.")).json() == scim.get(path).json()


@pytest.mark.skipif(database.vendor != "mysql", reason="the others know no such limit")
def test_managers_are_referred_to_though_the_groups_of_all_people_are_cut(
    scim: ScimClient,
) -> None:
    head = scim.post("/Users", user("head")).json()
    managed = user("ada", **{ENTERPRISE: {"manager": {"value": head["id"]}}})
    ada = scim.post("/Users", managed).json()
    for name in ("g1", "g2", "g3"):
        scim.post("/Groups", group(name, ada["id"]))
    with database.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.group_concat_max_len")
        ((usual,),) = cursor.fetchall()
        try:
            cursor.execute("SET SESSION group_concat_max_len = 4")
            one = scim.get(f"/Users/{ada['id']}").json()
            everybody = scim.get("/Users").json()["Resources"]
        finally:
            cursor.execute("SET SESSION group_concat_max_len = %s", [usual])
    assert one in everybody
    assert "$ref" in one[ENTERPRISE]["manager"]
