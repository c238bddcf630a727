"""Many change groups and people while a role mapping is applied: everybody has what they ought."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from scim_provider.models import Connection, RoleAssignment
from scim_provider.role_mapping import apply, preview
from tests.api.test_groups import group, people
from tests.conftest import ScimClient

from .writers import several_writers

pytestmark = several_writers

WRITERS, ROUNDS = 4, 12


def test_rules_and_clients_and_a_new_mapping_at_once(
    scim: ScimClient, connection: Connection
) -> None:
    ids = people(scim, 12, prefix="p")
    made = [scim.post("/Groups", group(f"G{n}")).json()["id"] for n in range(4)]
    rules = [{"group": f"G{n}", "role": "analyst"} for n in range(3)]
    roles = [{"value": "analyst"}, {"value": "support"}, {"value": "admin", "default": True}]
    apply(connection, {"roles": roles, "rules": rules})
    mappings: list[dict[str, Any]] = [
        {"rules": rules[:1], "missing_role": "default"},
        {"rules": [*rules, {"group": "G1", "role": "support"}], "missing_role": "none"},
    ]

    def client(seed: int) -> set[int]:
        chosen = random.Random(seed)
        try:
            return {_one_change(scim, chosen, ids, made) for _ in range(ROUNDS)}
        finally:
            connections.close_all()

    def admin() -> set[int]:
        try:
            for change in mappings * 3:
                apply(connection, change)
        finally:
            connections.close_all()
        return set()

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        waiting = [pool.submit(client, seed) for seed in range(WRITERS)] + [pool.submit(admin)]
        statuses = set().union(*(each.result() for each in waiting))
    assert statuses <= {200, 204}
    assert preview(connection, {}).as_dict()["people"] == 0
    assert RoleAssignment.objects.filter(provenance="rule").exists()


def _one_change(scim: ScimClient, chosen: random.Random, ids: list[str], groups: list[str]) -> int:
    who = chosen.choice(ids)
    if chosen.random() < 0.25:
        role = chosen.choice(["analyst", "support", "admin", ""])
        operation = {"op": "replace", "path": "role", "value": role}
        return int(scim.patch(f"/Users/{who}", operation).status_code)
    path = f"/Groups/{chosen.choice(groups)}"
    if chosen.random() < 0.2:  # groups in groups, also in circles
        others = [each for each in groups if each not in path]
        who = chosen.choice(others)
    kind = chosen.choice(["add", "add", "remove", "replace"])
    operation = {"op": kind, "path": "members", "value": [{"value": who}]}
    return int(scim.patch(path, operation).status_code)
