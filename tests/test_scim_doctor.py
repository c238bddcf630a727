"""``manage.py scim_doctor``: what it finds, and that its trial leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.db import connection as database
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import override_settings
from django.utils import timezone

from example_project.accounts.models import Account
from scim_provider import keys, signals
from scim_provider.doctor import Finding, Severity, examine
from scim_provider.doctor.connection_state import check_connections
from scim_provider.doctor.database import check_clock, check_migrations, check_tables
from scim_provider.doctor.self_test import check_itself
from scim_provider.models import AccessKey, Connection, Resource
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str, code: int = 0) -> dict[str, Any]:
    printed = StringIO()
    ended = 0
    try:
        call_command("scim_doctor", "--json", "--offline", *arguments, stdout=printed)
    except SystemExit as stopped:
        ended = stopped.code
    told: dict[str, Any] = json.loads(printed.getvalue())
    assert ended == code, told
    return told


def found(findings: Iterator[Finding], topic: str) -> list[Finding]:
    return [each for each in findings if each.topic == topic and each.severity > Severity.OK]


def told(report: dict[str, Any], severity: str) -> str:
    lines = [each for each in report["findings"] if each["severity"] == severity]
    return "\n".join(f"{each['topic']}: {each['what']} {each['do']}" for each in lines)


def rows() -> dict[str, int]:
    """How many rows every table has, the site's own too."""
    with database.cursor() as cursor:
        counts = {}
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {database.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


def middleware(get_response: Any) -> Any:
    def login_required(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect("/login/")

    return login_required


@pytest.mark.usefixtures("access_key")
def test_a_site_that_is_well_is_told_so(connection: Connection) -> None:
    connection.last_request_at = timezone.now()
    connection.save()
    report = run()
    assert report["counts"]["error"] == 0, told(report, "error")
    assert "self-test" in {each["topic"] for each in report["findings"]}
    assert set(report["findings"][0]) == {"topic", "severity", "what", "why", "do"}


def test_the_trial_leaves_nothing_behind(
    connection: Connection, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[Any] = []
    signals.users_created.connect(lambda **what: heard.append(what), weak=False)
    before, state = rows(), Connection.objects.values().get()
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        (outcome,) = check_itself(connection)
    assert outcome.severity == Severity.OK, outcome
    assert rows() == before
    assert Connection.objects.values().get() == state
    assert (callbacks, heard, mail.outbox) == ([], [], [])


def test_the_trial_needs_no_connection_that_is_on(django_capture_on_commit_callbacks: Any) -> None:
    before = rows()
    (outcome,) = check_itself(None)
    assert (outcome.severity, rows()) == (Severity.OK, before)


def test_the_trial_tells_which_step_fails_and_why(connection: Connection) -> None:
    def refuse(instance: Account, **kwargs: Any) -> None:
        raise ValueError("This site greets nobody.")

    post_save.connect(refuse, sender=Account)
    before = rows()
    try:
        (outcome,) = check_itself(connection)
    finally:
        post_save.disconnect(refuse, sender=Account)
    assert outcome.severity == Severity.ERROR
    assert "Creating a person is answered with 500" in outcome.what
    assert rows() == before


@override_settings(MIDDLEWARE=["tests.test_scim_doctor.middleware"])
def test_the_trial_goes_through_the_middleware_of_the_site(connection: Connection) -> None:
    (outcome,) = check_itself(connection)
    assert "a redirect to /login/" in outcome.what


def test_keys_and_silence_are_told(connection: Connection) -> None:
    now = timezone.now()
    keys.create_key(connection, expires_at=now + timedelta(days=5))
    silent = ConnectionFactory(last_request_at=now - timedelta(days=9))
    keys.create_key(silent)
    broken = ConnectionFactory(last_request_at=now, last_status=401, last_failure="Mistyped.")
    report = run("--no-self-test", code=1)
    assert f"No access key works any more: {broken}." in told(report, "error")
    warnings = told(report, "warning")
    assert "ends within 30 days: Acme." in warnings
    assert f"No request for 7 days: Acme, {silent}." in warnings
    assert "failed with 401: Mistyped." in warnings
    alone = run("--no-self-test", "--organization=Acme")
    assert str(broken) not in json.dumps(alone)


def test_many_connections_cost_what_few_do(django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        ConnectionFactory()
    with django_assert_max_num_queries(10):
        findings = list(check_connections(None))
    assert "and more" in findings[0].what


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"BASE_URL": "http://site.example.com"}, "error base URL: It is not https"),
        ({"BASE_URL": "https://site.example.com/a_b"}, "warning base URL: There is an underscore"),
        ({"BASE_URL": "https://a:b@site.example.com"}, "error base URL: There is a name or a pass"),
        ({"BASE_URL": "https://10.0.0.7"}, "warning base URL: 10.0.0.7 is an address of this"),
        ({"THROTTLE_RATE": "9/min"}, "warning cache: The rate limit counts in LocMemCache"),
        ({"THROTTLE_RATE": "9/min"}, "info proxy: REST_FRAMEWORK['NUM_PROXIES'] is not set"),
        ({"NO_SUCH": 1}, "error checks: scim_provider.E001"),
        ({}, "info connections: SCIM is turned off"),
    ],
)
def test_what_is_configured_is_judged(settings: dict[str, Any], says: str) -> None:
    with override_settings(SCIM_PROVIDER=settings):
        findings = list(examine(offline=True, self_test=False))
    lines = [f"{each.severity.word} {each.topic}: {each.what}" for each in findings]
    assert [line for line in lines if line.startswith(says)], lines
    assert all(each.do for each in findings if each.severity > Severity.INFO)


def test_what_the_site_silenced_is_silent(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = False
    assert "scim_settings_ui.W006" in told(run("--no-self-test"), "warning")
    settings.SILENCED_SYSTEM_CHECKS = ["scim_settings_ui.W006", "security.W012"]
    report = run("--no-self-test")
    assert "W006" not in told(report, "warning")
    assert "security.W012" not in told(report, "info")


def test_a_site_that_is_broken_is_told_so(settings: Any) -> None:
    settings.ROOT_URLCONF = "no.urls"
    errors = told(run(code=1), "error")
    assert "checks: The system checks end with ModuleNotFoundError: No module named 'no'" in errors
    assert "self-test: It cannot begin" in errors


def test_a_database_that_is_not_configured_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(*args: Any) -> None:
        raise ImproperlyConfigured("Please supply the ENGINE value")

    monkeypatch.setattr("scim_provider.doctor.database.MigrationExecutor", unconfigured)
    assert "Please supply the ENGINE value" in told(run(code=1), "error")


@pytest.mark.parametrize("url", ["site.example.com", "/scim/v2", "http://[", "ftp://x.example.com"])
def test_what_is_no_url_is_not_examined(url: str) -> None:
    with pytest.raises(CommandError, match="is no URL such as"):
        call_command("scim_doctor", "--offline", f"--base-url={url}")


def test_the_header_that_tells_of_https_is_named(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    findings = examine(offline=True, self_test=False)
    (proxy,) = [each.what for each in findings if each.topic == "proxy"]
    assert proxy == "Whether a request came by https is read in the header X-FORWARDED-PROTO."


@pytest.mark.parametrize(
    "failure",
    [
        ValueError("Port could not be cast to integer value as 's3'"),
        ConnectionError("cannot reach redis://admin:s3cret@cache.example.com:6379"),
    ],
)
def test_no_password_of_the_cache_is_told(
    failure: Exception, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise failure

    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    settings.SCIM_PROVIDER = {"THROTTLE_RATE": "9/min"}
    monkeypatch.setattr(f"{backend}.set", away)
    warnings = told(run("--no-self-test"), "warning")
    assert "cache: The" in warnings
    assert "s3" not in warnings


@override_settings(SECURE_SSL_REDIRECT=True, SCIM_PROVIDER={"BASE_URL": "https://site.example.com"})
def test_a_loop_of_redirects_is_foreseen() -> None:
    (finding,) = found(examine(offline=True, self_test=False), "proxy")
    assert "SECURE_PROXY_SSL_HEADER" in finding.do


@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ("django.core.cache.backends.dummy.DummyCache", "counts in DummyCache"),
        ("django.core.cache.backends.filebased.FileBasedCache", "keeps what it is given"),
    ],
)
def test_the_cache_of_the_rate_limit_is_tried(backend: str, says: str, tmp_path: Any) -> None:
    caches = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    with override_settings(CACHES=caches, SCIM_PROVIDER={"THROTTLE_RATE": "9/min"}):
        findings = list(examine(offline=True, self_test=False))
    assert says in next(each.what for each in findings if each.topic == "cache")


def test_the_tables_are_as_they_were_made() -> None:
    (finding,) = check_tables()
    assert finding.severity == Severity.OK, finding
    assert next(check_clock()).severity == Severity.OK
    assert next(check_migrations()).severity == Severity.OK


def test_what_is_missing_of_a_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    introspection = connections["default"].introspection
    real = introspection.get_constraints

    def without(cursor: Any, table: str) -> dict[str, Any]:
        there = real(cursor, table)
        gone = ("scim_resource_id", "scim_res_ext")
        digest = [name for name, each in there.items() if each["columns"] == ["digest"]]
        return {name: each for name, each in there.items() if name not in (*gone, *digest)}

    monkeypatch.setattr(introspection, "get_constraints", without)
    findings = {each.what: each.severity for each in check_tables()}
    table, key = Resource._meta.db_table, AccessKey._meta.db_table
    assert findings == {
        f"The constraint scim_resource_id of {table} is missing.": Severity.ERROR,
        f"The index scim_res_ext of {table} is missing.": Severity.WARNING,
        f"{key}.digest is not unique.": Severity.ERROR,
    }


def test_a_column_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    introspection = connections["default"].introspection
    real = introspection.get_table_description
    monkeypatch.setattr(
        introspection,
        "get_table_description",
        lambda *args: [each for each in real(*args) if each.name != "last_client"],
    )
    (finding,) = check_tables()
    table = Connection._meta.db_table
    assert finding.what == f"The column last_client of {table} is missing."
    assert finding.severity == Severity.ERROR


def test_tables_that_are_missing_are_named_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    introspection = connections["default"].introspection
    tables = [name for name in introspection.table_names() if name != AccessKey._meta.db_table]
    monkeypatch.setattr(introspection, "table_names", lambda *args, **kwargs: tables)
    (finding,) = check_tables()
    assert finding.what == f"The table {AccessKey._meta.db_table} is missing."

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("permission denied\nLINE 1: SELECT 'a value'")

    monkeypatch.setattr(introspection, "get_constraints", refuse)
    told = [each.what for each in examine(offline=True, self_test=False)]
    assert "It refuses to tell: permission denied." in told
    assert "a value" not in "".join(told)


@pytest.mark.skipif(database.vendor == "sqlite", reason="SQLite compares bytes by default")
def test_a_changed_collation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    introspection = connections["default"].introspection
    real = introspection.get_table_description

    def changed(cursor: Any, table: str) -> Any:
        described = real(cursor, table)
        return [e._replace(collation="other") if e.name == "name_key" else e for e in described]

    monkeypatch.setattr(introspection, "get_table_description", changed)
    findings = [each.what for each in check_tables()]
    assert any("name_key are not in the collation" in what for what in findings)


def test_migrations_that_are_not_applied_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = "django.db.migrations.executor.MigrationExecutor.migration_plan"
    last = apps.get_app_config("scim_provider").module.__name__ + ".0003_any_site"

    class Last:
        app_label = "scim_provider"

        def __str__(self) -> str:
            return last

    monkeypatch.setattr(plan, lambda *args, **kwargs: [(Last(), False)])
    findings = list(examine(offline=True))
    assert found(iter(findings), "migrations")[0].what == f"Not applied: {last}."
    assert "self-test" not in {each.topic for each in findings}


def test_exit_codes_are_for_scripts(connection: Connection) -> None:
    keys.create_key(connection, expires_at=timezone.now() + timedelta(days=5))
    connection.last_request_at = timezone.now()
    connection.save()
    assert run("--no-self-test")["counts"]["warning"] > 0
    run("--no-self-test", "--strict", code=1)
    with pytest.raises(CommandError, match="no organization named 'Nobody'") as refused:
        call_command("scim_doctor", "--offline", "--organization=Nobody")
    assert refused.value.returncode == 2


def test_people_get_lines_instead_of_json() -> None:
    printed = StringIO()
    call_command("scim_doctor", "--offline", "--no-self-test", "--quiet", stdout=printed)
    text = printed.getvalue()
    assert "info     connections  SCIM is turned off." in text
    assert "Do:  Turn SCIM on" in text
    assert "ok       " not in text
    assert text.rstrip().endswith("well")
