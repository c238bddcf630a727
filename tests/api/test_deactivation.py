"""Whoever is deactivated is out with the next request, and stays out until they log in anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends.cache import SessionStore as CacheSessions
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from scim_provider.lockout import lock_out
from scim_provider.login_sessions import MARK
from scim_provider.mapping.columns import Flag
from scim_provider.middleware import LockoutMiddleware
from scim_provider.models import Connection, Event, EventKind, Lockout, LoginSession, OnDelete
from scim_provider.resources import UserResource
from tests.conftest import ScimClient
from tests.factories import AccountFactory

from .bulk_requests import bulk
from .fixture_answers import user

pytestmark = pytest.mark.django_db

PASSWORD = "a long one, 4 sure"
ENGINES = ("db", "cache", "cached_db", "file", "signed_cookies")
MIDDLEWARE = "scim_provider.middleware.LockoutMiddleware"
ALLOW_ALL = "django.contrib.auth.backends.AllowAllUsersModelBackend"

Change = Callable[..., Any]


@pytest.fixture
def change(scim: ScimClient, django_capture_on_commit_callbacks: Any) -> Change:
    """Send a request as one that is committed."""

    def send(method: str, *arguments: Any, **options: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            answer = getattr(scim, method)(*arguments, **options)
        assert answer.status_code < 400, answer.content
        return answer

    return send


@pytest.fixture(params=[False, True], ids=["as installed", "with the middleware"])
def middleware(request: pytest.FixtureRequest, settings: Any) -> bool:
    without = [one for one in django_settings.MIDDLEWARE if one != MIDDLEWARE]
    settings.MIDDLEWARE = [*without, MIDDLEWARE] if request.param else without
    return bool(request.param)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    return str(request.param)


def active(value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": "active", "value": value}


def logged_in(account: Any) -> Client:
    client = Client()
    client.force_login(account, django_settings.AUTHENTICATION_BACKENDS[0])
    assert is_in(client)
    return client


def thief(client: Client) -> Client:
    """Somebody else with a copy of the session's cookie."""
    other = Client()
    name = django_settings.SESSION_COOKIE_NAME
    other.cookies[name] = client.cookies[name].value
    return other


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def account_of(made: dict[str, Any]) -> Any:
    return get_user_model().objects.get(username=made["userName"])


@pytest.mark.parametrize("backend", ["ModelBackend", "AllowAllUsersModelBackend"])
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["no password", "a password"])
def test_a_session_ends_with_the_next_request_and_for_good(
    engine: str, middleware: bool, backend: str, password: str | None, change: Change, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"django.contrib.auth.backends.{backend}"]
    given = {"password": password} if password else {}
    made = change("post", "/Users", user(**given)).json()
    first, second = logged_in(account_of(made)), logged_in(account_of(made))
    stolen = thief(first)
    #: A cookie that nobody can take away, of somebody whose password stays.
    out_of_reach = engine == "signed_cookies" and bool(password) and not middleware

    change("patch", f"/Users/{made['id']}", active(False))
    may_stay = out_of_reach and backend == "AllowAllUsersModelBackend"
    assert [is_in(thief(first)), is_in(second)] == [may_stay, may_stay]

    change("patch", f"/Users/{made['id']}", active(True))
    assert is_in(stolen) is out_of_reach
    assert is_in(logged_in(account_of(made)))
    if password:
        assert Client().login(username=made["userName"], password=password)


@pytest.mark.parametrize(
    "operation",
    [
        active(False),
        active("False"),
        {"op": "Replace", "value": {"active": False}},
        {"op": "Add", "path": "active", "value": "false"},
    ],
)
def test_every_dialect_of_patch_ends_it(operation: dict[str, Any], change: Change) -> None:
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    change("patch", f"/Users/{made['id']}", operation)
    assert not is_in(client)
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("how", ["put", "bulk", "delete", "delete the account"])
def test_every_other_way_ends_it(
    how: str, change: Change, scim: ScimClient, django_capture_on_commit_callbacks: Any
) -> None:
    made = change("post", "/Users", user(password=PASSWORD)).json()
    path, client = f"/Users/{made['id']}", logged_in(account_of(made))
    if how == "put":
        change("put", path, user(active=False))
    elif how == "bulk":
        data = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [active(False)],
        }
        with django_capture_on_commit_callbacks(execute=True):
            answer = bulk(scim, {"method": "PATCH", "path": path, "data": data}).json()
        assert answer["Operations"][0]["status"] == "200"
    else:
        on_delete = OnDelete.DEACTIVATE if how == "delete" else OnDelete.DELETE
        Connection.objects.update(on_delete=on_delete)
        change("delete", path)
    assert not is_in(client)
    assert not LoginSession.objects.exists()
    (told,) = Event.objects.filter(kind=EventKind.DEACTIVATED)
    assert (told.name, told.scim_id) == ("ada@example.com", made["id"])


def test_who_returns_after_a_delete_logs_in_anew(change: Change) -> None:
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    change("delete", f"/Users/{made['id']}")
    change("post", "/Users", user())
    assert not is_in(client)
    assert Client().login(username=made["userName"], password=PASSWORD)


def test_whoever_is_created_inactive_cannot_log_in(change: Change) -> None:
    change("post", "/Users", user(password=PASSWORD, active=False))
    assert not Client().login(username="ada@example.com", password=PASSWORD)


def test_who_was_deactivated_by_hand_is_let_in_without_what_was_before(change: Change) -> None:
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    get_user_model().objects.update(is_active=False)
    change("patch", f"/Users/{made['id']}", active(True))
    assert not is_in(client)


def test_others_stay(change: Change) -> None:
    ada = change("post", "/Users", user(password=PASSWORD)).json()
    bo = logged_in(account_of(change("post", "/Users", user("bo", password=PASSWORD)).json()))
    logged_in(account_of(ada))
    change("patch", f"/Users/{ada['id']}", active(False))
    assert is_in(bo)


def test_the_middleware_ends_sessions_that_nobody_noted(
    change: Change, settings: Any, engine: str
) -> None:
    """From before SCIM came to the site, or under a key that changed with the password."""
    settings.AUTHENTICATION_BACKENDS = [ALLOW_ALL]
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    LoginSession.objects.all().delete()
    change("patch", f"/Users/{made['id']}", active(False))
    assert not is_in(thief(client))
    change("patch", f"/Users/{made['id']}", active(True))
    assert not is_in(thief(client))
    again = logged_in(account_of(made))
    assert again.session[MARK] == Lockout.objects.get().mark
    change("patch", f"/Users/{made['id']}", active(False))
    assert not is_in(again)


def test_the_middleware_lets_nobody_in_while_they_are_locked_out(
    change: Change, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [ALLOW_ALL]
    made = change("post", "/Users", user(password=PASSWORD)).json()
    change("patch", f"/Users/{made['id']}", active(False))
    client = Client()
    assert client.login(username=made["userName"], password=PASSWORD)
    assert not is_in(client)


def test_the_middleware_speaks_to_asynchronous_views(change: Change, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [ALLOW_ALL]
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    assert asynchronous_user(client).username == made["userName"]
    LoginSession.objects.all().delete()
    change("patch", f"/Users/{made['id']}", active(False))
    assert asynchronous_user(client).is_anonymous


def asynchronous_user(client: Client) -> Any:
    """``await request.auser()`` in a request of ``client``."""
    request = RequestFactory().get("/")
    request.session = client.session

    def answer(request: Any) -> HttpResponse:
        return HttpResponse()

    AuthenticationMiddleware(answer).process_request(request)
    LockoutMiddleware(answer).process_request(request)
    return async_to_sync(request.auser)()


def test_the_middleware_says_where_it_must_stand() -> None:
    with pytest.raises(ImproperlyConfigured, match="behind"):
        LockoutMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))


@pytest.mark.parametrize(("path", "queries"), [("/healthz", 0), ("/profile/", 1)])
def test_the_middleware_asks_once_and_only_where_the_user_matters(
    path: str, queries: int, change: Change, settings: Any
) -> None:
    client = logged_in(account_of(change("post", "/Users", user()).json()))
    without = [one for one in django_settings.MIDDLEWARE if one != MIDDLEWARE]
    counts = []
    for stack in (without, [*without, MIDDLEWARE]):
        settings.MIDDLEWARE = stack
        with CaptureQueriesContext(connection) as captured:
            assert thief(client).get(path).status_code == 200
        counts.append(len(captured))
    assert counts[1] - counts[0] == queries


def test_logging_out_forgets_the_session(change: Change) -> None:
    client = logged_in(account_of(change("post", "/Users", user()).json()))
    assert LoginSession.objects.count() == 1
    client.post("/logout/")
    assert not LoginSession.objects.exists()


def test_log_ins_of_others_leave_no_note() -> None:
    logged_in(AccountFactory())
    assert not LoginSession.objects.exists()


def test_notes_of_sessions_that_are_gone_are_forgotten(change: Change) -> None:
    account = account_of(change("post", "/Users", user()).json())
    long_ago = timezone.now() - timedelta(days=365)
    LoginSession.objects.create(account=account, session_key="gone", started_at=long_ago)
    kept = logged_in(account)
    LoginSession.objects.exclude(session_key="gone").update(started_at=long_ago)
    logged_in(account)
    keys = set(LoginSession.objects.values_list("session_key", flat=True))
    assert "gone" not in keys
    assert kept.session.session_key in keys


def test_a_cache_that_is_away_costs_nobody_their_lockout(
    change: Change, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be ended is ended before the account is let in again."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    with monkeypatch.context() as away:
        away.setattr(CacheSessions, "delete", unavailable)
        change("patch", f"/Users/{made['id']}", active(False))
        assert not is_in(client)
    change("patch", f"/Users/{made['id']}", active(True))
    assert not is_in(client)


def unavailable(*arguments: Any) -> None:
    raise ConnectionError("the cache is away")


def test_a_hundred_thousand_sessions_are_not_looked_at(
    change: Change,
) -> None:
    """As many statements with sessions of others as without, and none reads a session."""
    counts = []
    for others in (0, 50):
        made = change("post", "/Users", user(f"ada{others}", password=PASSWORD)).json()
        for _ in range(others):
            logged_in(AccountFactory())
        logged_in(account_of(made))
        with CaptureQueriesContext(connection) as captured:
            change("patch", f"/Users/{made['id']}", active(False))
        counts.append(len(captured))
        assert not [q for q in captured if "session_data" in q["sql"]]
    assert counts[0] == counts[1]


def test_a_site_that_ends_passwords_says_so_as_printed(change: Change, settings: Any) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "deactivation.md").read_text("utf-8")
    printed = text.split("## Passwords", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    namespace: dict[str, Any] = {"UserResource": UserResource}
    exec(printed, namespace)
    settings.SCIM_PROVIDER = django_settings.SCIM_PROVIDER | {
        "RESOURCE_TYPES": [namespace["Users"]]
    }
    made = change("post", "/Users", user(password=PASSWORD)).json()
    for value in (False, True):
        change("patch", f"/Users/{made['id']}", active(value))
    assert not Client().login(username=made["userName"], password=PASSWORD)


def test_many_accounts_are_locked_out_in_the_statements_of_one() -> None:
    counts = []
    for number in (1, 40):
        accounts = [AccountFactory() for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            lock_out(accounts)
        counts.append(len(captured))
        assert Lockout.objects.filter(account__in=accounts).count() == number
    assert counts[0] == counts[1]


class OnLeave(UserResource):
    """A site that keeps who may enter in a column of its own."""

    homes = UserResource.homes | {"active": Flag("account__mobile", true="here", false="left")}


def test_sessions_end_where_a_site_keeps_active_elsewhere(change: Change, settings: Any) -> None:
    settings.SCIM_PROVIDER = django_settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [OnLeave]}
    made = change("post", "/Users", user(password=PASSWORD)).json()
    client = logged_in(account_of(made))
    change("patch", f"/Users/{made['id']}", active(False))
    account = account_of(made)
    assert (account.mobile, account.is_active) == ("left", True)
    assert not is_in(client)
    assert Event.objects.get(kind=EventKind.DEACTIVATED).scim_id == made["id"]
