"""`manage.py scim_simulate` against a service in memory, good ones and broken ones."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandParser

from scim_provider.management.commands.scim_simulate import Command
from scim_provider.simulator.console import Console
from scim_provider.simulator.script import PROVIDERS

from .conftest import simulate
from .service import KEY, Refused, Service

Serve = Callable[..., Service]

PHASES = {
    "okta": "Role change, Deactivate, Reactivate, Group push, Clean up",
    "entra": "Role change, Deactivate, Reactivate, Groups, Delete, Clean up",
    "onelogin": "Role change, Suspend, Unsuspend, Groups, Delete and return, Clean up",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_good_service_passes_and_is_left_clean(provider: str, service: Service) -> None:
    run = simulate(provider, "--base-url", service.base_url)
    assert (run.code, run.err, service.left) == (0, "", [])
    assert "works with this service" in run.out
    assert "FAIL" not in run.out
    assert "warn" not in run.out


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_whole_life_is_played(provider: str, service: Service) -> None:
    run = simulate(provider, "--base-url", service.base_url, "--json")
    titles = ", ".join(phase["title"] for phase in run.json["phases"])
    assert titles.endswith(PHASES[provider])
    assert run.json["outcome"] == "passed"
    assert run.json["totals"]["passed"] == len(run.json["steps"]) == len(service.requests)


#: provider, fault of the service → the place in the explanation, and a word of the advice.
FAULTS = [
    ("entra", "404 for nothing", "status 200", "empty ListResponse"),
    ("entra", "active as text", '"False" (string)', "never a text"),
    ("entra", "remove empties", "/members", "classic mistake"),
    ("entra", "no delete", "405", "Thirty days"),
    ("entra", "no resources", "/Resources", "as [] when nothing is found"),
    ("entra", "same page", "page 2", "Sort the list"),
    ("okta", "empty create", "without a body", "resource as JSON"),
    ("okta", "total as text", "/totalResults", "JSON number"),
    ("okta", "broken put", "500", "traceback in its log"),
    ("okta", "replace adds", "/members", "exactly this set"),
    ("okta", "any key", "status 401", "hole"),
    ("okta", "ignores filters", "/totalResults", "Check the filter"),
    ("okta", "duplicates", "status 409", "userName that is taken"),
    ("onelogin", "duplicates", "status 409", "userName that is taken"),
    ("onelogin", "broken put", "500", "rendered template"),
]


@pytest.mark.parametrize(("provider", "fault", "place", "advice"), FAULTS)
def test_a_broken_rule_fails_and_is_explained(
    provider: str, fault: str, place: str, advice: str, serve: Serve
) -> None:
    run = simulate(provider, "--base-url", serve(fault).base_url)
    explained = " ".join(run.out.partition("What failed")[2].split())
    assert run.code == 1
    assert "FAIL" in run.out
    assert place in explained
    assert advice in explained


@pytest.mark.parametrize(
    "fault", ["empty create", "broken put", "duplicates", "ignores filters", "active as text"]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failed_run_cleans_up_too(provider: str, fault: str, serve: Serve) -> None:
    service = serve(fault)
    simulate(provider, "--base-url", service.base_url)
    assert service.left == []


def test_the_clean_up_spares_everybody_else(serve: Serve) -> None:
    service = serve("ignores filters", "empty create")
    real = {"id": "real", "userName": "real@example.com", "active": True}
    service.stored["Users"]["real"] = dict(real)
    simulate("okta", "--base-url", service.base_url)
    assert service.stored["Users"] == {"real": real}


def test_okta_gets_by_without_delete(serve: Serve) -> None:
    service = serve("no delete")
    run = simulate("okta", "--base-url", service.base_url, "--no-groups")
    assert run.code == 0
    assert "the service has no DELETE" in run.out
    assert len(service.left) == 3
    assert all(name in run.out.partition("Left in the service:")[2] for name in service.left)


def test_keep_leaves_what_was_made(service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url, "--keep", "--json")
    assert len(service.left) == len(run.json["left_behind"]) == 3
    assert not any(step["phase"] == "Clean up" for step in run.json["steps"])


def test_ctrl_c_cleans_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Console.played

    def interrupt(console: Console, result: Any) -> None:
        played(console, result)
        if result.phase == "Update":
            raise KeyboardInterrupt

    monkeypatch.setattr(Console, "played", interrupt)
    run = simulate("entra", "--base-url", service.base_url)
    assert (run.code, service.left) == (130, [])
    assert "Interrupted" in run.out


def test_ctrl_c_during_a_create_finds_what_was_made(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    getresponse, pending = http.client.HTTPConnection.getresponse, ["once"]

    def interrupt(connection: http.client.HTTPConnection) -> Any:
        answer = getresponse(connection)
        if answer.status == 201 and pending:
            pending.clear()
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", interrupt)
    run = simulate("okta", "--base-url", service.base_url)
    assert (run.code, service.left) == (130, [])


def test_a_service_that_falls_silent_stops_the_run(service: Service) -> None:
    def hang_up(method: str, path: str) -> None:
        if len(service.requests) > 12:
            raise ConnectionAbortedError

    service.before = hang_up
    run = simulate("okta", "--base-url", service.base_url)
    assert run.code == 1
    assert "The service stopped answering." in run.out
    assert "Left in the service: " in run.out


def test_nobody_there_is_exit_2() -> None:
    run = simulate("okta", "--base-url", "http://127.0.0.1:9/scim/v2")
    assert run.code == 2
    assert "Nothing listens at 127.0.0.1:9" in run.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["okta", "--base-url", "scim.example.com"], "write it whole"),
        (["okta", "--base-url", "https://a:b@scim.example.com"], "--authorization"),
        (["okta", "--base-url", "https://scim.example.com/?x"], "from ? or # on"),
        (["okta", "--base-url", "https://scim.example.com:port"], "is not a URL"),
        (["okta", "--base-url", "https://scim.example.com/a b"], "percent-encode"),
        (["okta", "--base-url", "http://127.0.0.1:9", "--people", "1"], "from 2 to 1000"),
        (["okta", "--base-url", "http://127.0.0.1:9", "--timeout", "0"], "more than 0"),
        (["okta", "--base-url", "http://127.0.0.1:9", "--domain", "a b"], "mail domain"),
        (["okta", "--base-url", "http://127.0.0.1:9", "--role", "a", "--no-role"], "not allowed"),
        (["ping", "--base-url", "http://127.0.0.1:9"], "invalid choice"),
        (["okta"], "--base-url"),
    ],
)
def test_wrong_usage_is_exit_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = simulate(*arguments)
    assert run.code == 2
    assert said in run.err + capsys.readouterr().err


def test_a_key_is_needed(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.delenv("SCIM_ACCESS_KEY", raising=False)
    run = simulate("okta", "--base-url", service.base_url, key=None)
    assert run.code == 2
    assert "SCIM_ACCESS_KEY" in run.err


def test_a_key_with_a_line_break_is_not_sent(service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url, key=f"{KEY}\nX-Other: 1")
    assert (run.code, service.requests) == (2, [])
    assert KEY not in run.err


def test_the_key_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setenv("SCIM_ACCESS_KEY", KEY)
    assert simulate("okta", "--base-url", service.base_url, key=None).code == 0


def test_the_authorization_header_can_be_exact(service: Service) -> None:
    header = f"Acme-API-Key {KEY}"
    run = simulate("okta", "--base-url", service.base_url, "--authorization", header, key=None)
    sent = {headers["Authorization"] for _, _, headers, _ in service.requests}
    assert run.code == 0
    assert {value for value in sent if "wrong" not in value} == {header}


def test_a_wrong_key_stops_at_the_connection(service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url, key="mistyped-key")
    assert run.code == 1
    assert "Check the access key" in run.out
    assert "goes no further" in run.out
    assert not any(method == "POST" for method, *_ in service.requests)


@pytest.mark.parametrize("shown", ["--verbose", "--json", "--no-role"])
@pytest.mark.parametrize("basic", [False, True])
def test_the_key_is_never_shown(shown: str, basic: bool, service: Service) -> None:
    def tell(method: str, path: str) -> None:
        headers = service.requests[-1][2]
        raise Refused(404, f"{KEY} came as {headers['Authorization']} from {method} {path}")

    service.before = tell
    encoded = base64.b64encode(f"okta:{KEY}".encode()).decode()
    header = f"Basic {encoded}" if basic else f"Acme-API-Key {KEY}"
    arguments = ("okta", "--base-url", service.base_url, "--authorization", header, shown)
    run = simulate(*arguments, key=None)
    assert run.code == 1
    assert "[access key]" in run.out
    assert KEY not in run.out + run.err
    assert encoded not in run.out + run.err


def test_a_service_cannot_steer_the_terminal(service: Service) -> None:
    def attack(method: str, path: str) -> None:
        raise Refused(404, "\x1b[2J\x9b2J\r\nok")

    service.before = attack
    run = simulate("okta", "--base-url", service.base_url, "--verbose")
    assert run.code == 1
    assert not {"\x1b", "\x9b", "\r"} & set(run.out)


def test_without_a_role_in_the_schemas_the_phase_is_left_out(serve: Serve) -> None:
    service = serve(roles=None)
    run = simulate("onelogin", "--base-url", service.base_url)
    assert run.code == 0
    assert "not played: core User has no attribute role" in run.out
    assert not any("role" in (body or {}) for *_, body in service.requests)


def test_a_role_without_values_asks_for_one(serve: Serve) -> None:
    service = serve(roles=[])
    run = simulate("onelogin", "--base-url", service.base_url)
    assert "give one with --role" in run.out
    assert simulate("onelogin", "--base-url", service.base_url, "--role", "tester").code == 0


def test_the_role_can_be_chosen(service: Service) -> None:
    run = simulate("onelogin", "--base-url", service.base_url, "--role", "admin")
    roles = [body["role"] for *_, body in service.requests if "role" in (body or {})]
    assert run.code == 0
    assert (roles[0], roles[-1]) == ("manager", "admin")


@pytest.mark.parametrize(("option", "word"), [("--no-role", "role"), ("--no-groups", "Group")])
def test_parts_can_be_left_out(option: str, word: str, service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url, option)
    assert run.code == 0
    assert f"not played: {option} was given" in run.out
    assert not any(word in str((path, body)) for _, path, _, body in service.requests)


def test_more_people_than_names(service: Service) -> None:
    run = simulate("onelogin", "--base-url", service.base_url, "--people", "23", "--json")
    logins = {body["userName"] for m, p, _, body in service.requests if m == "POST" and "Us" in p}
    assert run.code == 0
    assert len(logins) == 23 + len(["the one who comes back under a new login"])
    assert all(login.endswith("@example.com") for login in logins)


def test_the_mail_domain_can_be_chosen(service: Service) -> None:
    simulate("okta", "--base-url", service.base_url, "--domain", "trial.test", "--keep")
    assert all(name.endswith("@trial.test") for name in service.left)


def test_each_request_has_the_dialect_of_its_provider(service: Service) -> None:
    simulate("entra", "--base-url", service.base_url)
    operations = [
        operation
        for method, _, _, body in service.requests
        if method == "PATCH"
        for operation in body["Operations"]
    ]
    assert {"op": "Replace", "path": "active", "value": "False"} in operations
    assert any("filter=userName+eq+" in path for _, path, _, _ in service.requests)


def test_a_terminal_gets_colours_and_a_bar(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    run = simulate("okta", "--base-url", service.base_url, terminal=True)
    assert "\x1b[32mok" in run.out
    assert "[####" in run.out


@pytest.mark.parametrize("plainly", ["NO_COLOR", "--no-color"])
def test_no_color_is_honoured(
    plainly: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    option = [plainly] if plainly.startswith("--") else []
    if not option:
        monkeypatch.setenv(plainly, "1")
    run = simulate("okta", "--base-url", service.base_url, *option, terminal=True)
    assert "\x1b[32m" not in run.out


def test_a_file_gets_plain_lines(service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url)
    assert "\x1b" not in run.out
    assert "\r" not in run.out
    assert "  ok   POST   201" in run.out


def test_verbose_shows_the_bodies(service: Service) -> None:
    run = simulate("okta", "--base-url", service.base_url, "--verbose")
    assert "> {" in run.out
    assert '<   "totalResults": 0,' in run.out


def test_the_page_about_the_simulator_names_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    parser = CommandParser()
    Command().add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    assert [option for option in options - {"-h", "--help"} if f"`{option}" not in page] == []
