"""Accounts are saved by statements that are written once, unless anybody would notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from django.db.models.functions import Lower
from django.db.models.signals import post_save, pre_save

from example_project.accounts.models import Account, Organization
from scim_provider.mapping.saving import save_changed, save_new
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture
def told() -> Iterator[list[tuple[str, Any]]]:
    """What the site hears of its accounts: the signal, and what was to be updated."""
    heard: list[tuple[str, Any]] = []

    def before(**told: Any) -> None:
        heard.append(("before", told["update_fields"]))

    def after(**told: Any) -> None:
        heard.append(("created" if told["created"] else "changed", told["update_fields"]))

    pre_save.connect(before, sender=get_user_model())
    post_save.connect(after, sender=get_user_model())
    yield heard
    pre_save.disconnect(before, sender=get_user_model())
    post_save.disconnect(after, sender=get_user_model())


def saved(**values: Any) -> Any:
    account = Account(username="ada", **values)
    save_new(account)
    return account


def test_a_site_that_listens_hears_of_each_save(
    scim: ScimClient, told: list[tuple[str, Any]]
) -> None:
    made = scim.post("/Users", {"schemas": [USER], "userName": "ada"}).json()
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    names = frozenset({"is_active"})  # and not the unusable password, which nobody has changed
    assert told == [("before", None), ("created", None), ("before", names), ("changed", names)]


def test_what_is_saved_is_what_save_would_have_saved() -> None:
    account = saved(first_name="Ada", mobile="+1")
    assert not account._state.adding
    again = Account.objects.get(pk=account.pk)
    assert [getattr(again, f.attname) for f in Account._meta.concrete_fields] == [
        getattr(account, f.attname) for f in Account._meta.concrete_fields
    ]


def test_only_the_named_columns_are_changed() -> None:
    account = saved()
    account.first_name, account.last_name = "Ada", "Silva"
    save_changed(account, ["first_name"])
    account.refresh_from_db()
    assert (account.first_name, account.last_name) == ("Ada", "")


def test_an_expression_is_computed_by_the_database() -> None:
    account = saved(first_name="ADA")
    account.first_name, account.last_name = Lower(F("first_name")), "Silva"
    save_changed(account, ["first_name", "last_name"])
    account.refresh_from_db()
    assert (account.first_name, account.last_name) == ("ada", "Silva")


def test_an_organization_that_is_not_saved_is_refused_as_by_save() -> None:
    with pytest.raises(ValueError, match="unsaved related object"):
        saved(organization=Organization(name="Nobody"))


def test_an_organization_that_was_saved_meanwhile_is_taken() -> None:
    organization = Organization(name="Late", slug="late")
    account = Account(username="ada", organization=organization)
    organization.save()
    save_new(account)
    assert Account.objects.get(pk=account.pk).organization == organization


def test_validators_hear_of_a_password_that_the_site_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(
        "django.contrib.auth.base_user.password_validation.password_changed",
        lambda password, user: heard.append((password, user)),
    )
    account = Account(username="ada")
    account.set_password("correct horse battery staple")
    save_new(account)
    assert heard == [("correct horse battery staple", account)]
