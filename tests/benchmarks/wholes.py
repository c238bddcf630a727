"""Whole jobs: a Bulk request of a thousand people, a read of everybody through cursors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from example_project.accounts.models import Account

from .client import Client, Request
from .operations import SCIM, new_people
from .population import Site

_BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_CREATED, _READ = 1_000, 20_000


@dataclass(frozen=True)
class Whole:
    """``run`` does the job once and says how many people it was about."""

    name: str
    aim_per_second: float
    run: Callable[[Site, Client], int]
    tidy: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class Done:
    whole: Whole
    people: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.people / self.seconds

    @property
    def missed(self) -> bool:
        return self.per_second < self.whole.aim_per_second


def perform(whole: Whole, site: Site, client: Client, times: int = 3) -> Done:
    """The best of some runs."""
    runs = []
    for _ in range(times):
        start = time.perf_counter()
        people = whole.run(site, client)
        runs.append((time.perf_counter() - start, people))
        whole.tidy()
    seconds, people = min(runs)
    return Done(whole, people, seconds)


def _get(client: Client, path: str) -> Any:
    answer = client.send(client.ready(Request("GET", f"{SCIM}{path}")))
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered {answer.status}: {answer.body[:300]!r}")
    return json.loads(answer.body)


def _read(count: int) -> Callable[[Site, Client], int]:
    """Read everybody, or twenty thousand of them, through cursors."""

    def run(site: Site, client: Client) -> int:
        cursor, seen = "", 0
        while seen < _READ:
            page = _get(client, f"/Users?cursor={cursor}&count={count}")
            seen += len(page["Resources"])
            cursor = page.get("nextCursor")
            if not cursor:
                break
        return seen

    return run


def _bulk(site: Site, client: Client) -> int:
    """Create people with one request."""
    people = new_people(min(_CREATED, site.size))
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": body}
        for number, body in enumerate(people)
    ]
    body = json.dumps({"schemas": [_BULK], "Operations": operations}).encode()
    answer = client.send(client.ready(Request("POST", f"{SCIM}/Bulk", body)))
    results = json.loads(answer.body).get("Operations", ())
    made = [result["status"] for result in results].count("201")
    if made < len(people):
        raise RuntimeError(f"Bulk made {made} of {len(people)}: {answer.body[:500]!r}")
    return made


def _remove() -> None:
    """Take those away again whom Bulk made."""
    Account.objects.filter(username__contains=".9", username__regex=r"\.9\d{11}@").delete()


WHOLES = (
    Whole("Bulk of 1,000 users", _CREATED / 3, _bulk, _remove),
    Whole("20,000 users, cursor pages of 100", _READ / 3, _read(100)),
    Whole("20,000 users, cursor pages of 1,000", _READ / 3, _read(1_000)),
)
