from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Token as IssuedToken
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from rest_framework.authtoken.models import Token

from scim_provider.models import Event, EventKind, LoginSession
from tests.sites.tenant import Tenant

PASSWORD = "correct horse battery"


def log_in(email: str) -> Any:
    fields = {"login": email, "password": PASSWORD}
    return Client().post(reverse("account_login"), fields)


def person(tenant: Tenant) -> tuple[str, str]:
    email = "dana@site.example"
    made = tenant.create(
        "/Users", userName=email, password=PASSWORD, emails=[{"value": email, "primary": True}]
    )
    return made["id"], email


def test_a_provisioned_person_logs_in_until_deactivated(tenant: Tenant) -> None:
    scim_id, email = person(tenant)
    assert "inactive" not in log_in(email).headers["Location"]
    tenant.patch(f"/Users/{scim_id}", active=False)
    assert log_in(email).headers["Location"] == reverse("account_inactive")


def test_the_page_sends_strangers_to_the_log_in_of_allauth(tenant: Tenant) -> None:
    page = Client().get(reverse("scim_settings:security"))
    assert page.headers["Location"].startswith(reverse("account_login"))


def tokens_of(account: Any) -> dict[str, str]:
    """A live token of each kind: the API it opens, and the header that opens it."""
    soon = timezone.now() + timedelta(hours=1)
    application = Application.objects.create(
        client_id="app",
        client_secret="secret",
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris="https://app.example/",
    )
    issued = {"user": account, "application": application}
    access = AccessToken.objects.create(token="access", expires=soon, scope="read", **issued)
    RefreshToken.objects.create(token="refresh", access_token=access, **issued)
    Grant.objects.create(code="code", expires=soon, redirect_uri="https://app.example/", **issued)
    IssuedToken.objects.create(type=IssuedToken.Type.ACCESS_TOKEN, user=account, hash="hash")
    return {
        "authtoken": f"Token {Token.objects.create(user=account).key}",
        "knox": f"Token {AuthToken.objects.create(user=account)[1]}",
        "oauth": "Bearer access",
    }


def opened(tokens: dict[str, str]) -> set[str]:
    """The APIs that the tokens open."""
    asked = {
        name: Client().get(f"/api/{name}", headers={"Authorization": header}).status_code
        for name, header in tokens.items()
    }
    assert set(asked.values()) <= {200, 401}, asked
    return {name for name, status in asked.items() if status == 200}


def refreshed() -> int:
    fields = {"grant_type": "refresh_token", "refresh_token": "refresh"}
    credentials = {"client_id": "app", "client_secret": "secret"}
    return Client().post("/o/token/", fields | credentials).status_code


def test_tokens_are_dead_with_the_next_request_and_for_good(tenant: Tenant) -> None:
    scim_id, _ = person(tenant)
    account = tenant.account(scim_id)
    tokens = tokens_of(account)
    other = tenant.account(tenant.create("/Users", userName="bo@site.example")["id"])
    kept = {"knox": f"Token {AuthToken.objects.create(user=other)[1]}"}
    assert opened(tokens) == tokens.keys()
    for active in (False, True):
        tenant.patch(f"/Users/{scim_id}", active=active)
        assert opened(tokens) == set()
        assert refreshed() == 400
    for model in (Token, AuthToken, AccessToken, RefreshToken, Grant, IssuedToken):
        assert not model.objects.filter(user=account).exists(), model
    assert opened(kept) == {"knox"}
    ended = Event.objects.get(kind=EventKind.DEACTIVATED).data["tokens"]
    assert ended["knox.AuthToken"] == ended["authtoken.Token"] == 1
    assert ended["oauth2_provider.RefreshToken"] == 1


def test_tokens_of_an_account_that_was_switched_off_by_hand_do_not_come_back(
    tenant: Tenant,
) -> None:
    scim_id, _ = person(tenant)
    account = tenant.account(scim_id)
    token = {"authtoken": f"Token {Token.objects.create(user=account).key}"}
    type(account).objects.update(is_active=False)
    tenant.patch(f"/Users/{scim_id}", active=True)
    assert opened(token) == set()


def test_sessions_that_allauth_notes_end_too(tenant: Tenant) -> None:
    scim_id, email = person(tenant)
    browser = Client()
    browser.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    page = reverse("account_email")
    assert browser.get(page).status_code == 200
    assert UserSession.objects.count() == 1
    LoginSession.objects.all().delete()
    for active in (False, True):
        tenant.patch(f"/Users/{scim_id}", active=active)
        assert browser.get(page).status_code == 302
    assert not UserSession.objects.exists()
