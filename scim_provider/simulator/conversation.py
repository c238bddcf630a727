"""One exchange after another: a step is filled in, sent, judged, and what it says is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from .cleanup import Ledger
from .client import Answer, Client, Unreachable
from .report import Report, Result
from .script import Expectation, Script, Step
from .variables import UnknownVariable, Variables
from .verdict import MISSING, Problem, describe_answer, find, judge

SILENCES_TO_STOP = 2


class Stop(Exception):
    """Nothing after this can succeed; the text says why."""


class Listener(Protocol):
    """Hears of a run while it goes on."""

    def planned(self, requests: int) -> None:
        """About how many requests there will be."""

    def played(self, result: Result) -> None:
        """One request was answered, or could not be sent."""


class Conversation:
    """The exchanges of one run; every result goes to the report and to the listener."""

    def __init__(self, script: Script, client: Client, listener: Listener) -> None:
        self._script = script
        self._client = client
        self._listener = listener
        self._answered = False
        self._silences = 0
        self.ledger = Ledger()
        self.report = Report(script.title, client.base_url)

    def play(self, phase: str, step: Step, variables: Variables) -> Result:
        """Send a step and record its result; raises `Stop`, and `Unreachable` at the very first."""
        result = self.ask(phase, step, variables)
        if result.answer and result.answer.status in step.statuses:
            result = _save(result, result.answer, step, variables)
        self.record(result)
        return result

    def ask(self, phase: str, step: Step, variables: Variables) -> Result:
        """The result of a step, not recorded yet."""
        before: list[tuple[str, Any]] = []
        result = self._ask(phase, step, variables, before)
        if result.answer is None or result.answer.status not in step.statuses:
            # What the service did not take is not so in the directory either: otherwise later
            # steps would fail for the same reason.
            for name, value in reversed(before):
                variables[name] = value
        return result

    def _ask(
        self, phase: str, step: Step, variables: Variables, before: list[tuple[str, Any]]
    ) -> Result:
        result = Result(phase, step.say, step.method, step.path)
        try:
            result = replace(result, sentence=variables.text(step.say))
            for name, value in step.assign.items():
                rendered = variables.render(value)
                if name in variables:
                    before.append((name, variables[name]))
                variables[name] = rendered
            path, body = variables.text(step.path), variables.render(step.body)
            headers = {name: variables.text(value) for name, value in step.headers.items()}
            expectations = tuple(_filled_in(one, variables) for one in step.expectations)
        except UnknownVariable as unknown:
            return replace(result, blocked_by=unknown.name)
        result = replace(result, path=path, body=body)
        try:
            answer = self._send(step.method, path, headers, body)
        except Unreachable as error:
            return self._silent(result, error)
        problems = judge(replace(step, expectations=expectations), answer)
        return replace(result, answer=answer, problems=tuple(problems))

    def record(self, result: Result) -> None:
        """Put a result in the report and tell the listener; raises `Stop` after silences."""
        self.report.results.append(result)
        self._listener.played(result)
        if self._silences >= SILENCES_TO_STOP:
            raise Stop("The service stopped answering.")

    def _send(self, method: str, path: str, headers: dict[str, str], body: Any) -> Answer:
        every = {**self._script.headers, **headers}
        if body is not None:
            every.setdefault("Content-Type", self._script.content_type)
        made = self.ledger.expect(method, path, body)
        answer = self._client.send(method, path, headers=every, body=body)
        self._answered, self._silences = True, 0
        if made:
            self.ledger.settle(made, answer)
        self.ledger.follow(answer.document)
        if method == "DELETE" and answer.status in (200, 204, 404):
            self.ledger.removed(path)
        return answer

    def _silent(self, result: Result, error: Unreachable) -> Result:
        if not self._answered:
            raise error
        self._silences += 1
        advice = "Look for a crashed or blocked worker, and for a time limit in a proxy."
        return replace(result, problems=(Problem("must", "an answer", str(error), advice),))


def _filled_in(expectation: Expectation, variables: Variables) -> Expectation:
    return replace(expectation, operand=variables.render(expectation.operand))


def _save(result: Result, answer: Answer, step: Step, variables: Variables) -> Result:
    problems = list(result.problems)
    for name, pointer in step.save.items():
        value = find(answer.document, pointer)
        if value is not MISSING and value not in (None, ""):
            variables[name] = value
        elif not problems:
            advice = "Later requests need this value: the answer must have it."
            expected = f"{pointer} in the answer"
            problems.append(Problem("must", expected, describe_answer(answer), advice))
    return replace(result, problems=tuple(problems))
