"""``manage.py scim_indexes``: what there is, built and removed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

NAMES = "scim_opt_name_trigrams"

postgresql = pytest.mark.skipif(database.vendor != "postgresql", reason="PostgreSQL's own")
elsewhere = pytest.mark.skipif(database.vendor == "postgresql", reason="other engines")


def run(*arguments: str) -> dict[str, Any]:
    printed = StringIO()
    call_command("scim_indexes", *arguments, "--json", stdout=printed, stderr=StringIO())
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def states() -> dict[str, str]:
    return {index["name"]: index["state"] for index in run()["indexes"]}


@postgresql
def test_create_builds_what_is_missing_and_drop_removes_it(transactional_db: None) -> None:
    assert set(states().values()) == {"absent"}
    built = run("--create")
    assert {index["state"] for index in built["indexes"]} == {"built"}
    assert all(index["bytes"] > 0 and index["serves"] for index in built["indexes"])
    assert run("--create") == built
    dropped = run("--drop")
    assert {index["state"] for index in dropped["indexes"]} == {"absent"}
    assert run("--drop") == dropped


@postgresql
def test_an_index_whose_building_was_cut_off_is_built_anew(transactional_db: None) -> None:
    run("--create")
    try:
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [NAMES]
            )
        assert states()[NAMES] == "broken"
        run("--create")
        assert states()[NAMES] == "built"
    finally:
        run("--drop")


@postgresql
@pytest.mark.django_db
def test_nothing_is_built_inside_a_transaction() -> None:
    with pytest.raises(CommandError, match="in a transaction"):
        run("--create")


@postgresql
@pytest.mark.django_db
def test_people_read_what_each_index_is_for() -> None:
    printed = StringIO()
    call_command("scim_indexes", stdout=printed)
    assert f"{NAMES}: absent\n" in printed.getvalue()
    assert "co and ew on userName" in printed.getvalue()


@elsewhere
@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [(), ("--create",), ("--drop",)])
def test_another_engine_is_told_plainly_that_there_is_nothing_to_build(
    arguments: tuple[str, ...],
) -> None:
    answer = run(*arguments)
    assert (answer["database"], answer["indexes"]) == (database.vendor, [])
    assert "co and ew read the values of the attribute in one connection" in answer["note"]
    printed = StringIO()
    call_command("scim_indexes", *arguments, stdout=printed)
    assert printed.getvalue().strip() == answer["note"]
