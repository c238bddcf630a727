"""Every check of scim2-tester against a running site.

python -m tests.conformance.tester BASE_URL KEY
"""

from __future__ import annotations

import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

KEPT = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
#: The suite creates and deletes resources of these types; /Roles can only be read.
RESOURCE_TYPES = ["User", "Group"]


def outcome(result: CheckResult) -> str:
    """kept, skipped or broken."""
    if result.status in KEPT:
        return "kept"
    return "skipped" if result.status is Status.SKIPPED else "broken"


def line(result: CheckResult) -> str:
    """One check as a line of the report."""
    reason = " ".join(str(result.reason or "").split())
    return f"{result.resource_type or '-'} {result.title}: {reason[:1000]}"


def main(base_url: str, key: str) -> int:
    """Run all checks; 0 where each was made and kept."""
    with Client(base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        results = check_server(SyncSCIMClient(http), resource_types=RESOURCE_TYPES)
    outcomes = Counter(map(outcome, results))
    for result in results:
        if outcome(result) != "kept":
            print(f"{outcome(result).upper()} [{result.status.name}] {line(result)}")
    print("scim2-tester:", ", ".join(f"{number} {name}" for name, number in outcomes.items()))
    return int(not outcomes["kept"] or bool(outcomes["broken"] or outcomes["skipped"]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
