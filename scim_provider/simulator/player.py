"""Playing a script: its phases in order, then the clean up, whatever happened."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .cleanup import Made
from .client import Client, Unreachable
from .conversation import Conversation, Listener, Stop
from .paging import turn_pages
from .people import made_up_people
from .report import Report
from .roles import Roles, choose_roles, declared_roles
from .script import Phase, Script, Step
from .variables import Variables

PREPARE = "Prepare"
CLEAN_UP = "Clean up"

FEWEST_PEOPLE, MOST_PEOPLE = 2, 1000

READ_SCHEMAS = Step(
    say="The simulator itself reads the schemas, to find out about roles",
    method="GET",
    path="/Schemas",
    statuses=(200,),
    level="should",
    advice="Only the role change needs it; --role does without.",
)


@dataclass(frozen=True, slots=True)
class Options:
    """What to play: `role` is the one to change to; without `roles` nobody gets any."""

    people: int = 3
    domain: str = "example.com"
    role: str = ""
    roles: bool = True
    groups: bool = True
    keep: bool = False


class Player:
    """One run of a script against one service."""

    def __init__(
        self, script: Script, client: Client, options: Options, listener: Listener
    ) -> None:
        self._script = script
        self._options = options
        self._listener = listener
        self._conversation = Conversation(script, client, listener)
        self._variables = Variables(_values(client.base_url, options))
        self._switched_off = {} if options.groups else {"groups": "--no-groups was given"}

    @property
    def report(self) -> Report:
        return self._conversation.report

    def play(self) -> Report:
        """The report of the whole run; raises `Unreachable` if nothing answers at all.

        Ctrl-C ends the script and is told by the report; the clean up comes after it.
        """
        try:
            self._find_roles()
            self._play_phases()
        except Stop as stop:
            self.report.stopped = str(stop)
        except KeyboardInterrupt:
            self.report.interrupted = True
        finally:
            self._clean_up()
        return self.report

    def _play_phases(self) -> None:
        phases = [phase for phase in self._script.phases if not self._skips(phase)]
        self._listener.planned(self._requests_planned(phases))
        for phase in phases:
            for step, person in self._steps(phase):
                self._variables["person"] = person
                self._play_step(phase.title, step)
            self._stop_without(phase)

    def _play_step(self, phase: str, step: Step) -> None:
        if step.pages:
            turn_pages(self._conversation, phase, step, self._variables, step.pages)
        else:
            self._conversation.play(phase, step, self._variables)

    def _steps(self, phase: Phase) -> Iterator[tuple[Step, dict[str, Any]]]:
        for step in phase.steps:
            if step.when <= self._variables.features:
                people = self._variables[step.each] if step.each else [self._variables["first"]]
                yield from ((step, person) for person in people)

    def _requests_planned(self, phases: list[Phase]) -> int:
        steps = [step for phase in phases for step, _ in self._steps(phase)]
        removals = sum(step.method == "POST" and step.statuses == (201,) for step in steps)
        kept = self._options.keep
        return len(self.report.results) + len(steps) + (0 if kept else removals)

    def _skips(self, phase: Phase) -> bool:
        missing = phase.when - self._variables.features
        for feature in sorted(missing):
            self.report.skipped[phase.title] = self._switched_off[feature]
        return bool(missing)

    def _stop_without(self, phase: Phase) -> None:
        results = self.report.of_phase(phase.title)
        if phase.needed and any(result.outcome == "failed" for result in results):
            raise Stop(f"The rest was not played: {self._script.title} goes no further without it.")

    def _find_roles(self) -> None:
        self._variables.features = frozenset({"groups"} if self._options.groups else ())
        if not self._options.roles:
            self._switched_off["role"] = "--no-role was given"
            return
        result = self._conversation.play(PREPARE, READ_SCHEMAS, self._variables)
        known = declared_roles(result.answer.document if result.answer else None)
        if roles := choose_roles(known or (), self._options.role):
            self._use(roles)
        elif known is None:
            self._switched_off["role"] = "core User has no attribute role in /Schemas"
        else:
            self._switched_off["role"] = "role lists no canonicalValues: give one with --role"

    def _use(self, roles: Roles) -> None:
        self._variables["role"] = roles.first
        self._variables["roles"] = {"first": roles.first, "second": roles.second}
        self._variables.features |= {"role", "known_roles"} if roles.known else {"role"}

    def _clean_up(self) -> None:
        ledger = self._conversation.ledger
        if self._options.keep:
            self.report.left_behind += [made.name for made in ledger]
            return
        try:
            for made in ledger:
                self._remove(made)
        except (Stop, Unreachable):
            self.report.notes.append("The clean up stopped: the service does not answer.")
        except KeyboardInterrupt:
            self.report.interrupted = True
        self.report.left_behind += [made.name for made in ledger]

    def _remove(self, made: Made) -> None:
        if not made.id:
            self._look_up(made)
        elif self._is_refused(made):
            self.report.notes.append(f"{made.name} was not removed: the service has no DELETE.")

    def _look_up(self, made: Made) -> None:
        step = Step(f"The simulator looks for {made.name}", "GET", made.lookup, (200, 404))
        result = self._conversation.play(CLEAN_UP, step, Variables({}))
        ids = made.ids_in(result.answer.document if result.answer else None)
        if result.outcome == "passed" and not ids:
            self._conversation.ledger.forget(made)
        for id in ids:
            made.id = id
            self._remove(made)

    def _is_refused(self, made: Made) -> bool:
        step = Step(f"The simulator removes {made.name}", "DELETE", made.path, (200, 204, 404))
        result = self._conversation.ask(CLEAN_UP, step, Variables({}))
        refused = result.answer is not None and result.answer.status in (405, 501)
        if refused:
            softer = tuple(replace(problem, level="should") for problem in result.problems)
            result = replace(result, problems=softer)
        self._conversation.record(result)
        return refused


def _values(base_url: str, options: Options) -> dict[str, Any]:
    run = secrets.token_hex(3)
    people = made_up_people(options.people, run, options.domain)
    return {
        "run": run,
        "base": base_url,
        "people": people,
        "rest": people[1:],
        "first": people[0],
        "second": people[1],
        "person": people[0],
        "group": {},
    }
