"""What the site's columns were given with ``validators=[…]`` holds for what SCIM writes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.test import override_settings

from example_project.accounts.scim import StaffUsers
from scim_provider.models import Resource
from scim_provider.resources import UserName
from tests.conftest import ScimClient

from .bulk_requests import results
from .fixture_answers import assert_error, user

pytestmark = pytest.mark.django_db

Give = Callable[..., None]

#: What identity providers send that Django's own validator refuses.
SENT = [
    "ada_gmail.com#EXT#@contoso.onmicrosoft.com",  # Entra's guests
    "o'brien@example.com",
    "Ada Lovelace",
    "CONTOSO\\ada",
    "ada/admin@example.com",
    "ada&bo!@example.com",
]
at_acme = RegexValidator(r"@acme\.com\Z", "Use an address of acme.com.", code="not_acme")


def no_root(name: str) -> None:
    if name == "root@acme.com":
        raise ValidationError("%(name)s is kept for us.", params={"name": name})


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Give a column of the site's accounts validators, beside those it has."""

    def given(name: str, *validators: Any) -> None:
        field = get_user_model()._meta.get_field(name)
        monkeypatch.setattr(field, "_validators", [*field._validators, *validators])
        monkeypatch.setattr(field, "validators", [*field.validators, *validators])

    return given


@pytest.mark.parametrize("name", SENT)
def test_django_s_own_validator_holds_back_no_identity_provider(
    name: str, scim: ScimClient
) -> None:
    with pytest.raises(ValidationError):
        UnicodeUsernameValidator()(name)
    assert scim.post("/Users", user(name)).json()["userName"] == name
    assert get_user_model().objects.get().username == name


def test_a_login_name_is_held_against_the_site_s_validators(scim: ScimClient, give: Give) -> None:
    give("username", at_acme, no_root)
    detail = assert_error(scim.post("/Users", user("ada@example.com")), 400, "invalidValue")
    assert detail == "userName: Use an address of acme.com."
    detail = assert_error(scim.post("/Users", user("root@acme.com")), 400, "invalidValue")
    assert detail == "userName: root@acme.com is kept for us."
    assert not Resource.objects.exists()
    assert not get_user_model().objects.exists()

    ada = scim.post("/Users", user("o'ada #1@acme.com")).json()
    path = f"/Users/{ada['id']}"
    renamed = {"op": "replace", "path": "userName", "value": "ada@example.com"}
    assert_error(scim.patch(path, renamed), 400, "invalidValue")
    assert_error(scim.put(path, user("ada@example.com")), 400, "invalidValue")
    assert scim.get(path).json() == ada


def test_the_column_s_own_words_are_used(
    scim: ScimClient, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give("username", at_acme)
    field = get_user_model()._meta.get_field("username")
    words = {**field.error_messages, "not_acme": "Only people of Acme log in here."}
    monkeypatch.setattr(field, "error_messages", words)
    detail = assert_error(scim.post("/Users", user("ada@example.com")), 400, "invalidValue")
    assert detail == "userName: Only people of Acme log in here."


def test_in_bulk_the_others_are_made(scim: ScimClient, give: Give) -> None:
    give("username", at_acme)
    names = ["ada@acme.com", "bo@example.com", "cy@acme.com"]
    creates = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)} for name in names
    ]
    assert [each["status"] for each in results(scim, *creates)] == ["201", "400", "201"]


def test_who_had_such_a_name_before_is_still_kept_up_to_date(scim: ScimClient, give: Give) -> None:
    path = f"/Users/{scim.post('/Users', user('ada@example.com')).json()['id']}"
    give("username", at_acme)
    assert scim.put(path, user("ada@example.com", title="Countess")).status_code == 200
    off = {"op": "replace", "path": "active", "value": False}
    assert scim.patch(path, off).json()["active"] is False


def test_so_is_an_address_that_is_copied(scim: ScimClient, give: Give) -> None:
    give("email", at_acme)
    sent = user("ada", emails=[{"value": "ada@example.com"}])
    detail = assert_error(scim.post("/Users", sent), 400, "invalidValue")
    assert detail == "emails: Use an address of acme.com."
    assert scim.post("/Users", user("ada", emails=[])).status_code == 201
    sent = user("bo", emails=[{"value": "bo@acme.com", "primary": True}, {"value": "b@b.example"}])
    assert scim.post("/Users", sent).status_code == 201


@pytest.mark.parametrize(
    ("validators", "answers"),
    [([], [201, 201]), ([UnicodeUsernameValidator()], [201, 400])],
)
def test_the_home_says_what_else_a_name_is_held_against(
    validators: list[Any],
    answers: list[int],
    scim: ScimClient,
    give: Give,
    settings: Any,
) -> None:
    class Users(StaffUsers):
        homes = StaffUsers.homes | {"userName": UserName(validators=validators)}

    give("username", at_acme)
    types = [Users if "User" in str(each) else each for each in _types(settings)]
    with override_settings(SCIM_PROVIDER={**settings.SCIM_PROVIDER, "RESOURCE_TYPES": types}):
        names = ["ada@example.com", "o'brien@example.com"]
        assert [scim.post("/Users", user(name)).status_code for name in names] == answers


def _types(settings: Any) -> list[Any]:
    return list(settings.SCIM_PROVIDER["RESOURCE_TYPES"])
