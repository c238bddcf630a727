"""The mixin for the site's own user admin: who is managed by SCIM, and what is locked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from example_project.accounts.admin import AccountAdmin
from example_project.accounts.models import Account
from scim_provider.models import Connection
from scim_provider.ownership import locked_fields
from tests.conftest import ScimClient
from tests.factories import PASSWORD, AccountFactory, SuperuserFactory

pytestmark = pytest.mark.django_db

LIST = "admin:accounts_account_changelist"
PAGE = "admin:accounts_account_change"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(SuperuserFactory(username="root"))
    return client


@pytest.fixture
def ana(scim: ScimClient) -> Account:
    """Comes by SCIM."""
    name = {"givenName": "Ana", "familyName": "Lima"}
    body = {"userName": "ana@example.com", "name": name, "emails": [{"value": "ana@example.com"}]}
    scim.post("/Users", body)
    return Account.objects.get(username="ana@example.com")


@pytest.fixture
def bo() -> Account:
    """Was made by hand."""
    return AccountFactory(username="bo@example.com", first_name="Bo")


def posted(page: Any, **changes: Any) -> dict[str, Any]:
    """What a browser sends back of a form, with some of it changed."""
    form = page.context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields if name in form.initial}
    joined = form.initial.get("date_joined")
    if joined:
        values |= {"date_joined_0": joined.date(), "date_joined_1": joined.time().isoformat()}
    return {k: v for k, v in (values | changes).items() if v not in (None, [], False)}


def names(page: Any) -> list[str]:
    return sorted(account.username for account in page.context["cl"].result_list)


def test_the_list_says_who_is_managed_and_by_whom(
    staff: Client, ana: Account, bo: Account, connection: Connection
) -> None:
    page = staff.get(reverse(LIST))
    rows = page.content.decode().split("<tr>")
    managed = {
        name: 'field-managed_by_scim">Acme<' in row
        for row in rows
        for name in (ana.username, bo.username)
        if f">{name}<" in row
    }
    assert managed == {ana.username: True, bo.username: False}
    assert names(staff.get(reverse(LIST), {"scim": "yes"})) == [ana.username]
    assert names(staff.get(reverse(LIST), {"scim": "no"})) == [bo.username, "root"]
    connection.enabled = False
    connection.save()
    assert names(staff.get(reverse(LIST), {"scim": "yes"})) == []


def test_what_the_identity_provider_keeps_up_to_date_is_not_edited_by_hand(
    staff: Client, ana: Account
) -> None:
    url = reverse(PAGE, args=[ana.pk])
    page = staff.get(url)
    fields = page.context["adminform"].form.fields
    assert not locked_fields() & fields.keys()
    assert {"username", "first_name", "last_name", "email", "is_active"} <= locked_fields()
    assert "Acme" in page.content.decode().split("field-managed_by_scim", 1)[1][:700]
    changes = {"username": "eve", "email": "eve@example.com", "first_name": "Eve", "is_staff": "on"}
    answer = staff.post(url, posted(page, **changes))
    assert answer.status_code == 302, answer.context["errors"]
    ana.refresh_from_db()
    assert (ana.username, ana.first_name, ana.is_staff) == ("ana@example.com", "Ana", True)


def test_other_accounts_and_new_ones_are_edited_as_ever(staff: Client, bo: Account) -> None:
    url = reverse(PAGE, args=[bo.pk])
    page = staff.get(url)
    assert "managed_by_scim" not in page.content.decode()
    answer = staff.post(url, posted(page, first_name="Bob"))
    assert answer.status_code == 302, answer.context["errors"]
    bo.refresh_from_db()
    assert bo.first_name == "Bob"
    new = {"username": "new", "password1": PASSWORD, "password2": PASSWORD}
    new |= {"usable_password": "true"}
    assert staff.post(reverse("admin:accounts_account_add"), new).status_code == 302
    assert Account.objects.filter(username="new").exists()


def test_a_site_may_leave_some_fields_to_its_staff(
    staff: Client, ana: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountAdmin, "scim_editable_fields", ("is_active",))
    url = reverse(PAGE, args=[ana.pk])
    page = staff.get(url)
    assert "is_active" in page.context["adminform"].form.fields
    answer = staff.post(url, posted(page, is_active=None))
    assert answer.status_code == 302, answer.context["errors"]
    ana.refresh_from_db()
    assert not ana.is_active


def test_a_list_that_is_edited_leaves_them_alone_too(
    staff: Client, ana: Account, bo: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountAdmin, "list_editable", ("email",))
    page = staff.get(reverse(LIST), {"q": "@example.com"})
    formset = page.context["cl"].formset
    data = {f"form-{key}_FORMS": len(formset.forms) for key in ("TOTAL", "INITIAL")}
    for number, form in enumerate(formset.forms):
        data |= {f"form-{number}-id": form.instance.pk, f"form-{number}-email": "eve@example.com"}
    answer = staff.post(f"{reverse(LIST)}?q=%40example.com", data | {"_save": "Save"})
    assert answer.status_code == 302
    emails = dict(Account.objects.values_list("username", "email"))
    assert emails["ana@example.com"] == "ana@example.com"
    assert emails["bo@example.com"] == "eve@example.com"


def test_the_list_costs_the_same_at_any_size(
    staff: Client, ana: Account, scim: ScimClient, django_assert_max_num_queries: Any
) -> None:
    with CaptureQueriesContext(connections["default"]) as few:
        staff.get(reverse(LIST))
    most = len(few)
    for number in range(6):
        scim.post("/Users", {"userName": f"more{number}@example.com"})
    with django_assert_max_num_queries(most):
        page = staff.get(reverse(LIST))
    assert len(page.context["cl"].result_list) == 8


def test_staff_see_what_the_site_lets_them(client: Client, ana: Account) -> None:
    user = AccountFactory(is_staff=True)
    client.force_login(user)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(reverse(PAGE, args=[ana.pk])).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_account"))
    page = client.get(reverse(PAGE, args=[ana.pk]))
    assert page.status_code == 200
    assert "Acme" in page.content.decode()
    assert client.post(reverse(PAGE, args=[ana.pk]), {}).status_code == 403


def test_the_mixin_is_checked_by_django_like_any_admin() -> None:
    assert AccountAdmin(Account, admin.site).check() == []
