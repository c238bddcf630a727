"""The results as a table and as JSON, with the aims beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .measure import BARE, OURS, SAME, WHO, Result
from .wholes import Done

TIMES_SAME = 1.5
GROWTH = 1.3
LARGE_GROUP = 1.2
_HEAD = (
    f"{'operation':<30}{'statements':>12}{'median ms':>11}{'p95':>8}{'per s':>8}"
    f"{'× bare':>9}{'aim':>6}{'× same':>9}{'aim':>6}{'cpu ms':>9}{'× bare':>8}{'× same':>8}"
)


def header(size: int) -> str:
    return f"\n{size:,} people\n{_HEAD}\n{'-' * len(_HEAD)}"


def line(result: Result) -> str:
    """One operation; a number that misses its aim has an asterisk."""
    operation, ours = result.operation, result.timings[OURS]
    limit = operation.statements
    statements = f"{result.statements}" + (f"/{limit}" if limit else "")
    starred = "*" if limit and result.statements > limit else " "
    slow = "*" if operation.per_second and ours.rate < operation.per_second else " "
    return (
        f"{operation.name:<30}{statements:>11}{starred}"
        f"{ours.median * 1000:>11.2f}{ours.p95 * 1000:>8.2f}{ours.rate:>7.0f}{slow}"
        f"{_ratio(result.ratio(BARE), operation.times_bare)}"
        f"{_ratio(result.ratio(SAME), TIMES_SAME)}"
        f"{ours.cpu * 1000:>9.2f}{result.cpu_ratio(BARE):>8.2f}{result.cpu_ratio(SAME):>8.2f}"
    )


def _ratio(value: float, aim: float | None) -> str:
    missed = "*" if aim and value > aim else " "
    return f"{value:>8.2f}{missed}{aim or '–':>6}"


def whole_line(done: Done) -> str:
    """One whole job."""
    missed = "*" if done.missed else " "
    return (
        f"{done.whole.name:<38}{done.people:>8,} people in {done.seconds:>7.2f} s"
        f"{done.per_second:>9,.0f}{missed} per s (aim {done.whole.aim_per_second:,.0f})"
    )


def of_groups(results: Sequence[Result]) -> str:
    """What a member costs in a group of everybody over one in a group of ten."""
    medians = {r.operation.name: r.timings[OURS].median for r in results}
    lines = []
    for name, large in medians.items():
        small = medians.get(name.replace("group of N", "group of 10"))
        if name.endswith("group of N") and small:
            missed = "*" if large / small > LARGE_GROUP else " "
            lines.append(f"{name}: {large / small:.2f}{missed} × group of 10 (aim {LARGE_GROUP})")
    return "\n".join(lines)


def growth(results: dict[int, list[Result]]) -> str:
    """Largest over smallest site; those that must not grow say so."""
    small, large = min(results), max(results)
    lines = [f"\nGrowth from {small:,} to {large:,} people (aim {GROWTH} where it says flat)"]
    for before, after in zip(results[small], results[large], strict=True):
        grown, bare = (
            after.timings[who].median / before.timings[who].median for who in (OURS, BARE)
        )
        flat = after.operation.flat
        missed = "*" if flat and grown > GROWTH else " "
        name = after.operation.name
        lines.append(f"{name:<30}{'flat' if flat else '':>6}{grown:>8.2f}{missed}  bare {bare:.2f}")
    return "\n".join(lines)


def as_json(size: int, results: Iterable[Result], wholes: Iterable[Done]) -> dict[str, Any]:
    """Everything that the table says, and what it leaves out; times in milliseconds."""
    return {
        "people": size,
        "operations": [_operation(result) for result in results],
        "wholes": [
            {
                "name": done.whole.name,
                "people": done.people,
                "seconds": round(done.seconds, 3),
                "per_second": round(done.per_second, 1),
                "per_second_aim": round(done.whole.aim_per_second, 1),
            }
            for done in wholes
        ],
    }


def _operation(result: Result) -> dict[str, Any]:
    return {
        "name": result.operation.name,
        "statements": result.statements,
        "statements_aim": result.operation.statements,
        "per_second_aim": result.operation.per_second,
        "times_bare": round(result.ratio(BARE), 3),
        "times_bare_aim": result.operation.times_bare,
        "times_same_work": round(result.ratio(SAME), 3),
        "times_same_work_aim": TIMES_SAME,
        "cpu_times_bare": round(result.cpu_ratio(BARE), 3),
        "cpu_times_same_work": round(result.cpu_ratio(SAME), 3),
        **{who: _timing(result, who) for who in WHO},
    }


def _timing(result: Result, who: str) -> dict[str, float]:
    timing = result.timings[who]
    return {
        "median": round(timing.median * 1000, 3),
        "p95": round(timing.p95 * 1000, 3),
        "cpu": round(timing.cpu * 1000, 3),
        "per_second_with_4_clients": round(timing.rate, 1),
    }
