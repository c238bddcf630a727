"""Reading a list page by page (RFC 7644 §3.4.2.4), and noticing what gets lost between pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .conversation import Conversation
from .report import Result
from .script import Pages, Step
from .variables import Variables
from .verdict import Problem, find


def turn_pages(
    conversation: Conversation, phase: str, step: Step, variables: Variables, pages: Pages
) -> None:
    """Play the step once a page; raises `Stop`."""
    seen: set[str] = set()
    start = 1
    for number in range(1, pages.most + 1):
        variables["start"], variables["size"] = start, pages.size
        titled = replace(step, say=f"{step.say}, page {number}")
        result = conversation.ask(phase, titled, variables)
        ids, total = _listed(result)
        result = _judge_page(result, ids, seen)
        seen.update(ids)
        start += len(ids)
        is_last = not ids or start > total
        if is_last and not result.problems:
            result = _judge_end(result, seen, _expected_ids(variables))
        conversation.record(result)
        if is_last or result.outcome == "failed":
            return
    conversation.report.notes.append(
        f"{phase}: read {len(seen)} of {total} entries; an identity provider reads all of them."
    )


def _listed(result: Result) -> tuple[list[str], int]:
    document = result.answer.document if result.answer else None
    resources, total = find(document, "/Resources"), find(document, "/totalResults")
    ids = [str(find(item, "/id")) for item in (resources if isinstance(resources, list) else [])]
    return ids, total if isinstance(total, int) else 0


def _expected_ids(variables: Variables) -> list[str]:
    return [person["id"] for person in variables["people"] if "id" in person]


def _judge_page(result: Result, ids: list[str], seen: set[str]) -> Result:
    twice = sorted(seen.intersection(ids))
    if not twice:
        return result
    return _with_problem(
        result,
        "entries that no earlier page had",
        f"again {', '.join(twice[:3])}",
        "Sort the list by something that does not change between requests, such as the id.",
    )


def _judge_end(result: Result, seen: set[str], wanted: Iterable[str]) -> Result:
    if "/Users" not in result.path or not (lost := [id for id in wanted if id not in seen]):
        return result
    return _with_problem(
        result,
        "everyone that was created in one of the pages",
        f"{len(lost)} missing, such as {lost[0]}",
        "The pages together must hold every user, inactive ones too: check the order, "
        "totalResults, and what the list leaves out.",
    )


def _with_problem(result: Result, expected: str, came: str, advice: str) -> Result:
    return replace(result, problems=(*result.problems, Problem("must", expected, came, advice)))
