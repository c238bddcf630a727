"""What a database does to answer a statement: the tables it reads whole, the rows it looks at."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection as database

from scim_provider.models import AttributeValue, Membership, Resource

#: SQLite counts no rows. It runs about so many instructions of its machine for each.
STEPS_PER_ROW = 25
#: What a statement costs there before it looks at any row.
STEPS_AT_LEAST = 400


@dataclass(frozen=True)
class Plan:
    """``scanned``: tables read from end to end. ``rows``: how many were looked at."""

    scanned: frozenset[str]
    rows: int
    text: str


def large_tables() -> frozenset[str]:
    """The tables that grow with the people of a site."""
    models = (get_user_model(), Resource, AttributeValue, Membership)
    return frozenset(model._meta.db_table for model in models)


def plan_of(sql: str) -> Plan:
    """Run a SELECT, its values in it, and tell how the database went about it."""
    return _PLANS[database.vendor](sql)


def joined(sql: str) -> int:
    """How many tables of one SELECT the database brings into an order: the most of any."""
    if database.vendor == "postgresql":
        ((answer,),) = _fetch(f"EXPLAIN (FORMAT JSON) {sql}")
        tree = json.loads(answer) if isinstance(answer, str) else answer
        kinds = [str(node.get("Node Type")) for node in _nodes(tree)]
        return sum("Join" in kind or kind == "Nested Loop" for kind in kinds)
    if database.vendor == "mysql":
        selects = [row[0] for row in _fetch(f"EXPLAIN {sql}")]
    else:
        rows = _fetch(f"EXPLAIN QUERY PLAN {sql}")
        selects = [row[1] for row in rows if row[-1].startswith(("SCAN ", "SEARCH "))]
    return max(Counter(selects).values())


def _fetch(sql: str) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(inner, dict | list):
            yield from _nodes(inner)


def _postgresql(sql: str) -> Plan:
    ((answer,),) = _fetch(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
    tree = json.loads(answer) if isinstance(answer, str) else answer
    nodes = [node for node in _nodes(tree) if "Node Type" in node]
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    looked_at = sum(
        node["Actual Loops"]
        * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        for node in nodes
        if "Scan" in node["Node Type"]
    )
    return Plan(frozenset(scanned), int(looked_at), json.dumps(tree, indent=1))


def _mysql(sql: str) -> Plan:
    ((answer,),) = _fetch(f"ANALYZE FORMAT=JSON {sql}")
    tree = json.loads(answer)
    nodes = [node for node in _nodes(tree) if "table_name" in node]
    names = _aliases(sql)
    scanned = {
        names.get(node["table_name"], node["table_name"])
        for node in nodes
        if node["access_type"] in ("ALL", "index")
    }
    tables = [node for node in nodes if not node["table_name"].startswith("<")]  # <derived2>
    looked_at = sum((node.get("r_loops") or 0) * (node.get("r_rows") or 0) for node in tables)
    return Plan(frozenset(scanned), int(looked_at), json.dumps(tree, indent=1))


def _sqlite(sql: str) -> Plan:
    lines = [row[-1] for row in _fetch(f"EXPLAIN QUERY PLAN {sql}")]
    names = _aliases(sql)
    found = [line.split()[1] for line in lines if line.startswith("SCAN ")]
    scanned = frozenset(names.get(name, name) for name in found)
    rows = max(0, _steps(sql) - STEPS_AT_LEAST) // STEPS_PER_ROW
    return Plan(scanned, rows, "\n".join(lines))


def _steps(sql: str, every: int = 10) -> int:
    """How many instructions SQLite's machine runs for a statement."""
    database.ensure_connection()
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += every
        return 0

    database.connection.set_progress_handler(count, every)
    try:
        _fetch(sql)
    finally:
        database.connection.set_progress_handler(None, 0)
    return counted


def _aliases(sql: str) -> dict[str, str]:
    """Alias → table, of a statement of Django's."""
    pairs = re.findall(r"[\"`](\w+)[\"`] (?:AS )?[\"`]?([A-Z]+\d+|\w+_m)\b[\"`]?", sql)
    return {alias: table for table, alias in pairs}


_PLANS = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
