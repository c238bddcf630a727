"""A whole run: database, people, server, operations, report."""

from __future__ import annotations

import json
import os
import platform
from argparse import Namespace
from pathlib import Path
from typing import Any

from . import population, profiling, report, tables
from .client import Client, Request
from .inprocess import answer
from .measure import CLIENTS, Effort, Result, measure
from .operations import OPERATIONS, Operation
from .server import Server, database, describe_engine
from .wholes import WHOLES, Done, perform


def run(options: Namespace, folder: Path) -> None:
    """Print the table; write the JSON where that was asked for."""
    operations = _chosen(options.operations or options.profile)
    with database(keep=bool(options.keep)):
        own, key = population.open_site()
        tables.create()
        if options.profile:
            site = _grown(own, key, options.sizes[0])
            profiling.profile(operations, site, options.times)
            return
        _measure(options, folder, operations, own, key)


def _measure(
    options: Namespace, folder: Path, operations: list[Operation], own: Any, key: str
) -> None:
    about = _about(options)
    print(json.dumps(about))
    results: dict[int, list[Result]] = {}
    sizes = []
    for size in options.sizes:
        site = _grown(own, key, size)
        server = Server(folder)
        print(report.header(size), flush=True)
        with server.running():
            clients = server.clients(key, CLIENTS)
            results[size] = _operations(operations, site, clients, folder, options)
            wholes = [] if options.operations else _wholes(site, clients[0])
        sizes.append(report.as_json(size, results[size], wholes))
    if len(results) > 1:
        print(report.growth(results))
    if options.json:
        options.json.write_text(json.dumps(about | {"sizes": sizes}, indent=1))


def _operations(
    operations: list[Operation],
    site: population.Site,
    clients: list[Client],
    folder: Path,
    options: Namespace,
) -> list[Result]:
    # No more at once than there are people to add to a group.
    effort = Effort(options.rounds, options.batch, min(options.batch * 8, len(site.extras)))
    results = []
    for operation in operations:
        results.append(measure(operation, site, clients, folder, effort))
        print(report.line(results[-1]), flush=True)
    print(report.of_groups(results))
    return results


def _wholes(site: population.Site, client: Client) -> list[Done]:
    done = []
    for whole in WHOLES:
        done.append(perform(whole, site, client))
        print(report.whole_line(done[-1]), flush=True)
    return done


def _chosen(names: str) -> list[Operation]:
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    chosen = [o for o in OPERATIONS if not wanted or any(w in o.name.lower() for w in wanted)]
    if not chosen:
        known = "\n  ".join(operation.name for operation in OPERATIONS)
        raise SystemExit(f"No operation is named {names!r}. There are:\n  {known}")
    return chosen


def _grown(own: Any, key: str, size: int) -> population.Site:
    population.grow(own, size)
    site = population.site(own, key, size)
    tables.fill(*(answer(site, Request("GET", path)) for path in _examples(site)))
    tables.analyze()
    return site


def _examples(site: population.Site) -> tuple[str, str]:
    return f"/scim/v2/Users/{site.people[0].scim_id}", f"/scim/v2/Groups/{site.groups[0].scim_id}"


def _about(options: Namespace) -> dict[str, Any]:
    return {
        "engine": describe_engine(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "orjson": not options.without_orjson,
    }
