"""Every check of scim2-tester against a running site.

python -m tests.conformance.tester BASE_URL KEY
"""

from __future__ import annotations

import re
import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

KEPT = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
#: What the suite gets wrong itself, as pattern of "title: reason", and why.
FALSE_ALARMS: dict[str, str] = {}


def outcome(result: CheckResult) -> str:
    """kept, skipped, excused or broken."""
    if result.status in KEPT:
        return "kept"
    if any(re.search(pattern, line(result)) for pattern in FALSE_ALARMS):
        return "excused"
    return "skipped" if result.status is Status.SKIPPED else "broken"


def line(result: CheckResult) -> str:
    """One check as a line of the report."""
    reason = " ".join(str(result.reason or "").split())
    return f"{result.resource_type or '-'} {result.title}: {reason[:2500]}"


def main(base_url: str, key: str) -> int:
    """Run all checks; 0 where each was made and kept."""
    with Client(base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        results = check_server(SyncSCIMClient(http))
    outcomes = Counter(map(outcome, results))
    for result in results:
        if outcome(result) != "kept":
            print(f"{outcome(result).upper()} [{result.status.name}] {line(result)}")
    print("scim2-tester:", ", ".join(f"{number} {name}" for name, number in outcomes.items()))
    return int(not outcomes["kept"] or bool(outcomes["broken"] or outcomes["skipped"]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
