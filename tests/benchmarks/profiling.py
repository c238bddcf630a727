"""Where the time goes: our endpoints in this process under cProfile."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import time
from collections.abc import Sequence
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from .inprocess import environ, respond
from .measure import numbers
from .operations import Operation
from .population import Site

_SHOWN = 45


def profile(operations: Sequence[Operation], site: Site, times: int) -> None:
    """Print the computing time of a request, and the functions that take it.

    The number of calls is the same on a busy machine: what to compare two versions by.
    """
    handler = WSGIHandler()
    for operation in operations:
        respond(handler, *_requests(operation, site, 20))
        seconds = _computing(handler, _requests(operation, site, times))
        profiler = cProfile.Profile()
        profiler.runcall(respond, handler, *_requests(operation, site, times))
        stats = pstats.Stats(profiler)
        calls = stats.total_calls / times  # type: ignore[attr-defined]
        print(
            f"\n{operation.name}, {site.size:,} people: {seconds * 1000:.3f} ms of computing, "
            f"{calls:,.0f} calls of functions"
        )
        stats.sort_stats("tottime").print_stats(_SHOWN)
        stats.sort_stats("cumulative").print_stats(_SHOWN)


def _computing(handler: WSGIHandler, requests: list[dict[str, Any]]) -> float:
    seconds = []
    for request in requests:
        start = time.thread_time()
        respond(handler, request)
        seconds.append(time.thread_time() - start)
    return statistics.median(seconds)


def _requests(operation: Operation, site: Site, number: int) -> list[dict[str, Any]]:
    first = next(numbers)
    batch = range(first, first + number)
    operation.arrange(site, batch)
    return [environ(site, operation.ours(site, n)) for n in batch]
