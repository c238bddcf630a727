"""A run as tables for docs/scale.md: ``python -m tests.benchmarks.markdown FILE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEAD = (
    "| operation | statements | median ms | p95 ms | per s, 4 clients | × bare | × same work "
    "| computing × bare |"
)


def tables(run: dict[str, Any]) -> Iterator[str]:
    """One table for each size; a number that misses its aim is bold."""
    yield f"{run['engine']}, Python {run['python']}, {run['processors']} processors."
    for size in run["sizes"]:
        yield f"\n### {size['people']:,} people\n\n{_HEAD}\n|---|--:|--:|--:|--:|--:|--:|--:|"
        yield from map(_row, size["operations"])
        if size["wholes"]:
            yield "\n| job | people | seconds | per s | aim |\n|---|--:|--:|--:|--:|"
            yield from map(_whole, size["wholes"])


def _row(each: dict[str, Any]) -> str:
    ours = each["ours"]
    cells = [
        each["name"],
        each["statements"],
        f"{ours['median']:.2f}",
        f"{ours['p95']:.2f}",
        f"{ours['per_second_with_4_clients']:.0f}",
        _ratio(each["times_bare"], each["times_bare_aim"]),
        _ratio(each["times_same_work"], each["times_same_work_aim"]),
        f"{each['cpu_times_bare']:.2f}",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _ratio(value: float, aim: float | None) -> str:
    return f"**{value:.2f}**" if aim and value > aim else f"{value:.2f}"


def _whole(each: dict[str, Any]) -> str:
    return (
        f"| {each['name']} | {each['people']:,} | {each['seconds']:.2f} "
        f"| {each['per_second']:,.0f} | {each['per_second_aim']:,.0f} |"
    )


if __name__ == "__main__":
    print("\n".join(tables(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
