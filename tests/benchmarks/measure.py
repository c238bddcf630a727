"""Ours and the floors in turns on the same connections, so that noise hits all alike."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import Client as InProcess

from . import recording
from .client import Client, Request
from .operations import Operation
from .population import Site
from .server import worker

OURS, SAME, BARE = "ours", "same work", "bare"
WHO = (OURS, SAME, BARE)
CLIENTS = 4
numbers = itertools.count(0, 1_000)  # each batch has numbers of its own


@dataclass(frozen=True)
class Effort:
    """How often: ``rounds`` of ``batch`` requests each; as many again from four clients."""

    rounds: int = 15
    batch: int = 10
    crowd: int = 80


@dataclass
class Timing:
    """By round: seconds of each request and the worker's computing time in seconds for all of
    them; by crowd: requests per second."""

    rounds: list[list[float]] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(statistics.median(each) for each in self.rounds)

    @property
    def p95(self) -> float:
        ordered = sorted(itertools.chain.from_iterable(self.rounds))
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    @property
    def cpu(self) -> float:
        """Seconds that the worker computes for one request, the database left out."""
        return statistics.median(self.computing) / len(self.rounds[0])

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


@dataclass(frozen=True)
class Result:
    operation: Operation
    statements: int
    timings: dict[str, Timing]

    def ratio(self, floor: str) -> float:
        """Ours over the floor: the median of the rounds' ratios."""
        pairs = zip(self.timings[OURS].rounds, self.timings[floor].rounds, strict=True)
        return statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)

    def cpu_ratio(self, floor: str) -> float:
        """The same of the worker's computing alone, which a busy machine disturbs less."""
        return self.timings[OURS].cpu / self.timings[floor].cpu


def measure(
    operation: Operation, site: Site, clients: Sequence[Client], folder: Path, effort: Effort
) -> Result:
    """Record what ours does once, then let the three run in turns."""
    name = f"{site.size}-{''.join(filter(str.isalnum, operation.name))}"
    recipe = record(operation, site)
    recipe.save(folder, name)
    make: dict[str, Callable[[Site, int], Request]] = {
        OURS: operation.ours,
        SAME: lambda site, n: operation.same(site, n, name),
        BARE: operation.bare,
    }
    timings = {who: Timing() for who in WHO}
    run = _Run(operation, site, clients)
    warming = min(CLIENTS * 2, effort.crowd, effort.rounds * effort.batch)
    for who in WHO:  # every worker once or twice, unmeasured
        run.crowd(make[who], warming)
    for number in range(effort.rounds):
        for who in (*WHO[number % 3 :], *WHO[: number % 3]):
            seconds, computing = run.alone(make[who], effort.batch)
            timings[who].rounds.append(seconds)
            timings[who].computing.append(computing)
    for number in range(max(1, effort.rounds // 3)):
        for who in (*WHO[number % 3 :], *WHO[: number % 3]):
            timings[who].rates.append(run.crowd(make[who], effort.crowd))
    return Result(operation, recipe.statements, timings)


def record(operation: Operation, site: Site) -> Any:
    """The recipe of the operation, recorded in this process once it is warm."""
    batch = [next(numbers) for _ in range(3)]  # what a process asks the server once comes by then
    operation.arrange(site, batch)
    browser = InProcess(SERVER_NAME="127.0.0.1", headers={"authorization": f"Bearer {site.key}"})
    for n in batch:
        request = operation.ours(site, n)
        with recording.recorded() as log:
            answer = browser.generic(
                request.method, request.path, request.body, "application/scim+json"
            )
        _check(operation, answer.status_code, answer.content)
    subject = operation.subject(site, batch[-1])
    return recording.recipe(log, subject, answer.status_code, answer.content)


def _check(operation: Operation, status: int, body: bytes) -> None:
    if not 200 <= status < 300:
        raise RuntimeError(f"{operation.name} was answered {status}: {body[:500]!r}")


class _Run:
    """Batches of requests, arranged before the clock runs."""

    def __init__(self, operation: Operation, site: Site, clients: Sequence[Client]) -> None:
        self.operation, self.site, self.clients = operation, site, clients

    def _ready(self, make: Callable[[Site, int], Request], number: int) -> list[bytes]:
        first = next(numbers)
        batch = range(first, first + number)
        self.operation.arrange(self.site, batch)
        return [self.clients[0].ready(make(self.site, n)) for n in batch]

    def alone(self, make: Callable[[Site, int], Request], number: int) -> tuple[list[float], float]:
        """One request after the other: seconds of each, and of computing for all."""
        client, requests = self.clients[0], self._ready(make, number)
        _, before = worker(client)
        seconds = [self._timed(client, ready) for ready in requests]
        _, after = worker(client)
        return seconds, (after - before) / 1e9

    def _timed(self, client: Client, ready: bytes) -> float:
        start = time.perf_counter()
        answer = client.send(ready)
        elapsed = time.perf_counter() - start
        _check(self.operation, answer.status, answer.body)
        return elapsed

    def crowd(self, make: Callable[[Site, int], Request], number: int) -> float:
        """Four clients at once: requests per second."""
        requests = self._ready(make, number)
        shares = [requests[each :: len(self.clients)] for each in range(len(self.clients))]

        def work(client: Client, share: list[bytes]) -> None:
            for ready in share:
                self._timed(client, ready)

        with ThreadPoolExecutor(len(self.clients)) as pool:
            start = time.perf_counter()
            list(pool.map(work, self.clients, shares))
            return number / (time.perf_counter() - start)
