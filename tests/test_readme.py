"""README.md is the first thing that a newcomer runs, so it is held to what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL
)
LINKS = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", README)
SET_UP = (
    "python3 -m venv .venv",
    ".venv/bin/python -m pip install -q --upgrade pip",
    ".venv/bin/pip install -q -e . --group {group}",
)


@pytest.mark.parametrize(
    ("block", "group", "last"),
    [
        (0, "example", ".venv/bin/python manage.py demo"),
        (1, "test", ".venv/bin/python -m pytest -q -n auto"),
    ],
)
def test_the_first_commands_are_one_line_that_sets_itself_up(
    block: int, group: str, last: str
) -> None:
    language, command = BLOCKS[block]
    assert language == "sh"
    assert command.strip().split(" && ") == [step.format(group=group) for step in SET_UP] + [last]


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link.partition("#")[0]).exists()


def test_the_example_of_own_models_runs() -> None:
    source = next(text for _, text in BLOCKS if "class StaffUsers" in text)
    names: dict[str, object] = {}
    exec(compile(source, "README.md", "exec"), names)  # the README is ours
    assert "StaffUsers" in names


def test_the_other_python_blocks_are_python() -> None:
    blocks = [text for language, text in BLOCKS if language == "python"]
    assert len(blocks) >= 3
    for text in blocks:
        compile(text, "README.md", "exec")
