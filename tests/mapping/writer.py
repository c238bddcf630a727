"""A writing process of its own: ``python -m tests.mapping.writer KEY JOB``, on DATABASE_URL.

``JOB`` is JSON: ``name`` of the writer, ``group``, ``people`` to add, ``rounds``; ``deferred``
takes away what the settings do for SQLite; ``stop`` makes it wait for ever with half a PUT done.
Prints the statuses of its requests as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import django
from django.conf import settings


def work(key: str, job: dict[str, Any]) -> list[int]:
    """The statuses: in each round a new person, made a member, renamed."""
    from tests.conftest import ScimClient  # needs the apps

    scim = ScimClient(key)
    if job.get("stop"):
        stop_half_way()
        members = [{"value": scim_id} for scim_id in job["people"]]
        body = {"schemas": [job["schema"]], "displayName": "Sales", "members": members}
        return [scim.put(f"/Groups/{job['group']}", body).status_code]
    statuses = []
    for number in range(job["rounds"]):
        made = scim.post("/Users", {"userName": f"{job['name']}-{number}"})
        add = {"op": "add", "path": "members", "value": [{"value": made.json().get("id")}]}
        title = {"op": "replace", "path": "title", "value": f"Number {number}"}
        answers = [
            made,
            scim.patch(f"/Groups/{job['group']}", add),
            scim.patch(f"/Users/{made.json().get('id')}", title),
        ]
        statuses += [answer.status_code for answer in answers]
    return statuses


def stop_half_way() -> None:
    """Those who leave the group are gone, those who come are not in yet."""
    from scim_provider.mapping.member_sql import MemberSql  # needs the apps

    def wait(self: MemberSql, group: int, displays: Any) -> int:
        print("half way", flush=True)
        time.sleep(600)
        return 0

    MemberSql.insert_by_key = wait  # type: ignore[method-assign]


if __name__ == "__main__":
    what = json.loads(sys.argv[2])
    if what.get("deferred"):
        settings.DATABASES["default"]["OPTIONS"] = {"timeout": 5}
    django.setup()
    print(json.dumps(work(sys.argv[1], what)))
