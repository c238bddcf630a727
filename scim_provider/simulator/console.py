"""A run on a terminal: a line a request, a progress bar below them, a summary at the end."""

from __future__ import annotations

import json
import textwrap
from typing import Any, Protocol
from urllib.parse import unquote_plus

from .report import OUTCOMES, Outcome, Report, Result, count_outcomes
from .secrecy import Secrets
from .verdict import Problem

BAR_WIDTH = 24
MOST_PATH = 80
MOST_BODY = 4000
ADVICE_WIDTH = 80
ERASE_LINE = "\r\x1b[2K"

WORDS: dict[Outcome, str] = {
    "passed": "ok",
    "warned": "warn",
    "failed": "FAIL",
    "blocked": "skip",
}
COLOURS = {
    "passed": "32",
    "warned": "33",
    "failed": "1;31",
    "blocked": "35",
    "title": "1",
    "faint": "2",
}


class Stream(Protocol):
    def write(self, text: str) -> object: ...
    def flush(self) -> object: ...


class Console:
    """Shows a run on a stream. `bar` and `colour` are for terminals only."""

    def __init__(
        self,
        stream: Stream,
        secrets: Secrets,
        *,
        bar: bool = False,
        colour: bool = False,
        verbose: bool = False,
    ) -> None:
        self._stream = stream
        self._secrets = secrets
        self._has_bar = bar
        self._colour = colour
        self._verbose = verbose
        self._phase = ""
        self._done = 0
        self._planned = 0

    def planned(self, requests: int) -> None:
        self._planned = requests

    def played(self, result: Result) -> None:
        if result.phase != self._phase:
            self._phase = result.phase
            self._line()
            self._painted(self._paint("title", result.phase))
        self._done += 1
        self._painted(self._summary_of(result))
        for problem in result.problems:
            self._line(f"        expected {problem.expected}; came {problem.came}")
        if self._verbose:
            self._bodies(result)
        self._draw_bar()

    def finished(self, report: Report) -> None:
        """The summary: phases, what failed and why, what is left."""
        self._line()
        self._has_bar = False
        self._painted(self._paint("title", "Summary"))
        for title in report.phases():
            self._line(f"  {title:<28} {_counts(report.of_phase(title))}")
        for title, reason in report.skipped.items():
            self._line(f"  {title:<28} not played: {reason}")
        self._explanations("What failed", report, "must")
        self._explanations("Warnings", report, "should")
        self._endings(report)

    def _summary_of(self, result: Result) -> str:
        answer = result.answer
        status = str(answer.status) if answer else "-"
        ms = f"{answer.ms:.0f} ms" if answer else "-"
        word = self._paint(result.outcome, f"{WORDS[result.outcome]:<4}")
        path = self._paint("faint", self._shown_path(result.path))
        why = " (an earlier request failed)" if result.blocked_by else ""
        sentence = printable(result.sentence + why)
        return f"  {word} {result.method:<6} {status:>3} {ms:>8}  {sentence}  {path}"

    def _shown_path(self, path: str) -> str:
        if self._verbose:
            return path
        readable = unquote_plus(path)
        return readable if len(readable) <= MOST_PATH else f"{readable[:MOST_PATH]}…"

    def _bodies(self, result: Result) -> None:
        if result.body is not None:
            self._body("> ", json.dumps(result.body, ensure_ascii=False, indent=2))
        if result.answer and result.answer.text:
            document = result.answer.document
            pretty = json.dumps(document, ensure_ascii=False, indent=2) if document else ""
            self._body("< ", pretty or result.answer.text)

    def _body(self, mark: str, text: str) -> None:
        shown = text if len(text) <= MOST_BODY else f"{text[:MOST_BODY]}…"
        for line in shown.splitlines():
            self._line(f"        {mark}{line}")

    def _explanations(self, title: str, report: Report, level: str) -> None:
        found = [
            (result, problem)
            for result in report.results
            for problem in result.problems
            if problem.level == level
        ]
        if found:
            self._line()
            self._painted(self._paint("failed" if level == "must" else "warned", title))
        for number, (result, problem) in enumerate(found, start=1):
            self._explanation(number, result, problem)

    def _explanation(self, number: int, result: Result, problem: Problem) -> None:
        self._line(f"  {number}. {result.phase}: {result.sentence}")
        self._line(f"     request     {result.method} {result.path}")
        self._line(f"     expected    {problem.expected}")
        self._line(f"     came        {problem.came}")
        if problem.advice:
            first, *others = textwrap.wrap(problem.advice, ADVICE_WIDTH)
            self._line(f"     what to do  {first}")
            for line in others:
                self._line(f"                 {line}")

    def _endings(self, report: Report) -> None:
        self._line()
        for note in report.notes:
            self._line(note)
        if report.left_behind:
            self._line(f"Left in the service: {', '.join(report.left_behind)}.")
        if report.stopped:
            self._line(report.stopped)
        self._painted(self._verdict(report))

    def _verdict(self, report: Report) -> str:
        counts = _counts(report.results)
        if report.interrupted:
            return self._paint("warned", f"Interrupted: {counts}.")
        if report.failed:
            return self._paint("failed", f"{report.provider} would have trouble here: {counts}.")
        return self._paint("passed", f"{report.provider} works with this service: {counts}.")

    def _line(self, text: str = "") -> None:
        self._painted(printable(text))

    def _painted(self, text: str) -> None:
        """A line whose parts are printable already, between colours."""
        erase = ERASE_LINE if self._has_bar else ""
        self._stream.write(f"{erase}{self._secrets.hide(text)}\n")

    def _draw_bar(self) -> None:
        if self._has_bar and self._planned:
            done = min(self._done, self._planned)
            filled = BAR_WIDTH * done // self._planned
            bar = "#" * filled + "." * (BAR_WIDTH - filled)
            self._stream.write(f"{ERASE_LINE}[{bar}] {done}/{self._planned} {self._phase}")
        self._stream.flush()

    def _paint(self, kind: str, text: str) -> str:
        safe = printable(text)
        return f"\x1b[{COLOURS[kind]}m{safe}\x1b[0m" if self._colour else safe


class Quiet:
    """Hears a run and shows nothing."""

    def planned(self, requests: int) -> None:
        pass

    def played(self, result: Result) -> None:
        pass


def json_summary(document: dict[str, Any], secrets: Secrets) -> str:
    """The machine summary as text."""
    return json.dumps(secrets.hide_in(document), ensure_ascii=False, indent=2)


def printable(text: str) -> str:
    """The text without control characters: a service must not steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _counts(results: list[Result]) -> str:
    counts = count_outcomes(results)
    words = {"passed": "passed", "warned": "with a warning", "failed": "failed"}
    words["blocked"] = "not possible"
    return ", ".join(f"{counts[kind]} {words[kind]}" for kind in OUTCOMES if counts[kind])
