"""What happened in a run: results, and their summary as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from .client import Answer
from .verdict import Problem

Outcome = Literal["passed", "warned", "failed", "blocked"]

OUTCOMES: tuple[Outcome, ...] = ("passed", "warned", "failed", "blocked")


@dataclass(frozen=True, slots=True)
class Result:
    """One request that was sent, or could not be: then `answer` is None."""

    phase: str
    sentence: str
    method: str
    path: str
    answer: Answer | None = None
    body: Any = None
    problems: tuple[Problem, ...] = ()
    blocked_by: str = ""

    @property
    def outcome(self) -> Outcome:
        if self.blocked_by:
            return "blocked"
        if any(problem.level == "must" for problem in self.problems):
            return "failed"
        return "warned" if self.problems else "passed"


@dataclass(slots=True)
class Report:
    """All of a run. `skipped` maps the title of a phase to why it was not played."""

    provider: str
    base_url: str
    results: list[Result] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    stopped: str = ""
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.stopped) or any(
            result.outcome in ("failed", "blocked") for result in self.results
        )

    @property
    def outcome(self) -> str:
        if self.interrupted:
            return "interrupted"
        return "failed" if self.failed else "passed"

    def phases(self) -> list[str]:
        """The titles of the phases that were played, in order."""
        return list(dict.fromkeys(result.phase for result in self.results))

    def of_phase(self, title: str) -> list[Result]:
        return [result for result in self.results if result.phase == title]

    def to_json(self) -> dict[str, Any]:
        """The machine summary: everything but bodies."""
        return {
            "provider": self.provider,
            "base_url": self.base_url,
            "outcome": self.outcome,
            "stopped": self.stopped,
            "totals": count_outcomes(self.results),
            "phases": [
                {"title": title, **count_outcomes(self.of_phase(title))} for title in self.phases()
            ],
            "skipped": self.skipped,
            "notes": self.notes,
            "left_behind": self.left_behind,
            "steps": [_step_json(result) for result in self.results],
        }


def count_outcomes(results: Iterable[Result]) -> dict[str, int]:
    """How many results have each outcome, zeros included."""
    outcomes = [result.outcome for result in results]
    return {outcome: outcomes.count(outcome) for outcome in OUTCOMES}


def _step_json(result: Result) -> dict[str, Any]:
    answer = result.answer
    return {
        "phase": result.phase,
        "sentence": result.sentence,
        "method": result.method,
        "path": result.path,
        "status": answer.status if answer else None,
        "ms": round(answer.ms, 1) if answer else None,
        "outcome": result.outcome,
        "blocked_by": result.blocked_by,
        "problems": [
            {
                "level": problem.level,
                "expected": problem.expected,
                "came": problem.came,
                "advice": problem.advice,
            }
            for problem in result.problems
        ],
    }
