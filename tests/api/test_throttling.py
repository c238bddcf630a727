"""One client's requests in a period: no limit unless the site sets one."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from rest_framework.settings import api_settings

from scim_provider import keys
from scim_provider.api import throttling
from scim_provider.checks import check_throttle_rate
from scim_provider.conf import scim_settings
from tests.api.fixture_answers import assert_error
from tests.conftest import ScimClient

NOON = 1_800_000_000 - 1_800_000_000 % 86400 + 43200


class Clock:
    """The time of day that the throttles see."""

    def __init__(self) -> None:
        self.now = float(NOON)

    def time(self) -> float:
        return self.now


class Forgetful:
    """A cache whose counter is there when it is added, and gone when it is raised."""

    def add(self, key: str, value: int, timeout: int) -> bool:
        return False

    def incr(self, key: str) -> int:
        raise ValueError(key)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttling, "time", clock)
    return clock


@pytest.fixture
def three_a_minute(settings: Any, clock: Clock, request: pytest.FixtureRequest) -> Clock:
    """A rate, and a cache of the test's own."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": request.node.nodeid,
        }
    }
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"THROTTLE_RATE": "3/min"}
    cache.clear()
    return clock


def test_without_a_rate_nothing_is_counted(
    scim: ScimClient, anonymous_scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "cache", None)
    assert scim.get("/Users").status_code == 200
    assert anonymous_scim.get("/Users").status_code == 401


def test_one_too_many_is_429_and_says_when_to_return(
    three_a_minute: Clock, scim: ScimClient
) -> None:
    three_a_minute.now += 12.5
    assert [scim.get("/Users").status_code for _ in range(3)] == [200] * 3
    refused = scim.get("/Users")
    assert "48 seconds" in assert_error(refused, 429)
    assert refused.headers["Retry-After"] == "48"


def test_a_refused_request_changes_nothing(three_a_minute: Clock, scim: ScimClient) -> None:
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}
    for _ in range(3):
        scim.get("/Users")
    assert scim.post("/Users", body).status_code == 429
    three_a_minute.now += 60
    assert scim.get("/Users").json()["totalResults"] == 0


def test_the_next_period_begins_at_nought(three_a_minute: Clock, scim: ScimClient) -> None:
    assert [scim.get("/Users").status_code for _ in range(4)][-1] == 429
    three_a_minute.now += 60
    assert scim.get("/Users").status_code == 200


def test_all_keys_of_a_connection_count_together_and_no_other_connection(
    three_a_minute: Clock, scim: ScimClient, connection: Any, other_scim: ScimClient
) -> None:
    second = ScimClient(keys.create_key(connection).secret)
    assert [each.get("/Users").status_code for each in (scim, second, scim)] == [200] * 3
    assert second.get("/Groups").status_code == 429
    assert other_scim.get("/Users").status_code == 200


def test_public_discovery_is_nobodys_request(
    three_a_minute: Clock, anonymous_scim: ScimClient
) -> None:
    answers = [anonymous_scim.get("/ServiceProviderConfig") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("key", ["", "SCIM-API-Key scim_wrong"])
def test_wrong_keys_from_one_address_are_slowed_down(
    three_a_minute: Clock, db: None, key: str
) -> None:
    stranger = ScimClient(key)
    assert [stranger.get("/Users").status_code for _ in range(3)] == [401] * 3
    refused = stranger.get("/Users")
    assert_error(refused, 429)
    assert refused.headers["Retry-After"] == "60"


def test_a_right_key_passes_from_an_address_that_sent_wrong_ones(
    three_a_minute: Clock, scim: ScimClient, anonymous_scim: ScimClient
) -> None:
    assert [anonymous_scim.get("/Users").status_code for _ in range(4)][-1] == 429
    assert scim.get("/Users").status_code == 200


def test_nobody_escapes_by_naming_other_addresses(
    three_a_minute: Clock, anonymous_scim: ScimClient
) -> None:
    answers = [
        anonymous_scim.get("/Users", headers={"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(4)
    ]
    assert answers[-1].status_code == 429


def test_behind_proxies_the_address_is_the_one_that_the_last_of_them_saw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def whom(forwarded: str) -> str | None:
        request: Any = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
        return throttling.RefusedKeyThrottle().whom(request)

    assert whom("1.1.1.1") == whom("2.2.2.2")
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
    assert whom("9.9.9.9, 1.1.1.1") == whom("8.8.8.8, 1.1.1.1")
    assert whom("1.1.1.1") != whom("2.2.2.2")


def test_a_counter_that_ended_while_it_was_read_starts_again(
    three_a_minute: Clock, monkeypatch: pytest.MonkeyPatch, scim: ScimClient
) -> None:
    monkeypatch.setattr(throttling, "cache", Forgetful())
    assert scim.get("/Users").status_code == 200


@pytest.mark.parametrize(
    ("rate", "meaning"),
    [("5/s", (5, 1)), ("600/min", (600, 60)), ("10000/h", (10000, 3600)), ("1/d", (1, 86400))],
)
def test_a_rate_is_a_number_in_a_period(settings: Any, rate: str, meaning: Any) -> None:
    settings.SCIM_PROVIDER = {"THROTTLE_RATE": rate}
    assert scim_settings.throttle_rate == meaning
    assert check_throttle_rate() == []


@pytest.mark.parametrize("rate", ["600", "600/month", "0/min", "-1/s", "x/min", "6/min ", 600])
def test_what_is_no_rate_is_an_error_before_the_first_request(settings: Any, rate: Any) -> None:
    settings.SCIM_PROVIDER = {"THROTTLE_RATE": rate}
    (error,) = check_throttle_rate()
    assert error.id == "scim_provider.E012"
    assert "600/min" in error.msg


class Away:
    """A cache that does not answer."""

    def add(self, key: str, value: int, timeout: int) -> bool:
        raise ConnectionError(key)


def test_a_cache_that_is_away_stops_nobody(
    scim: ScimClient,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"THROTTLE_RATE": "1/min"}
    monkeypatch.setattr(throttling, "cache", Away())
    assert [scim.get("/Users").status_code for _ in range(3)] == [200, 200, 200]
    assert "could not be counted" in caplog.text
