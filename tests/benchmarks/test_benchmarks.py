"""The benchmarks run from end to end on a tiny site. How long anything takes is not asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .markdown import tables
from .operations import OPERATIONS
from .recording import Executed, recipe
from .replay import Blank, Recipe, Text, fill
from .wholes import WHOLES

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of a run with one round of one request."""
    file = tmp_path_factory.mktemp("benchmarks") / "report.json"
    options = f"--database sqlite: --sizes 20 --rounds 1 --batch 1 --json {file}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *options.split()],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_every_operation_is_reported_beside_both_floors(report: dict[str, Any]) -> None:
    (site,) = report["sizes"]
    assert [each["name"] for each in site["operations"]] == [o.name for o in OPERATIONS]
    for each in site["operations"]:
        assert all(each[who]["median"] > 0 for who in ("ours", "same work", "bare"))
        assert each["statements"] > 0


def test_every_whole_job_is_reported(report: dict[str, Any]) -> None:
    (site,) = report["sizes"]
    assert [each["name"] for each in site["wholes"]] == [whole.name for whole in WHOLES]


def recorded(*log: Executed, subject: tuple[Any, ...] = ()) -> Recipe:
    return recipe(log, subject, 200, b"{}")


def test_a_recipe_leaves_a_blank_for_each_value_of_its_subject() -> None:
    made = recorded(
        Executed("UPDATE t SET a = %s WHERE id = %s", ["mail ana@x", 17]), subject=(17, "ana@x")
    )
    (step,) = made.steps
    assert step.parameters == [Text(("mail ", 1)), Blank(0)]
    assert fill(step.parameters, [18, "bo@x"]) == ["mail bo@x", 18]


def test_a_recipe_gives_on_what_an_insert_returned() -> None:
    first = Executed("INSERT INTO t VALUES (%s) RETURNING id", ["a"], returned=[(901,)])
    made = recorded(first, Executed("INSERT INTO u VALUES (%s, %s)", [901, 902]))
    assert made.steps[0].returns
    assert fill(made.steps[1].parameters, [5]) == [5, 902]


def test_a_recipe_makes_fresh_ids_where_an_insert_brought_one() -> None:
    scim_id = "0f6c2a52-6f4d-4f0e-9d3c-5a1e0d6b7c88"
    made = recorded(Executed("INSERT INTO t VALUES (%s)", [scim_id]))
    assert made.fresh_ids == 1
    assert made.steps[0].parameters == [Blank(0)]


def test_a_report_becomes_tables_with_a_row_for_each_operation(report: dict[str, Any]) -> None:
    text = "\n".join(tables(report))
    assert "### 20 people" in text
    assert all(f"| {operation.name} |" in text for operation in OPERATIONS)
