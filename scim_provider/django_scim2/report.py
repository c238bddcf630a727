"""What a run did, would do, and could not do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Conflicts that are told one by one.
MOST_TOLD = 1000


@dataclass(frozen=True)
class Conflict:
    """Somebody or something that was left out, and why, in words for an admin."""

    type: str
    id: str
    name: str
    reason: str


@dataclass
class Report:
    """How many were carried over, were there already, have no id; and what is in the way."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)

    def refuse(self, kind: str, scim_id: str, name: str, reason: str) -> None:
        self.counts["conflicts"] += 1
        if len(self.conflicts) < MOST_TOLD:
            self.conflicts.append(Conflict(kind, scim_id, name, reason))

    def add(self, other: Report) -> None:
        self.counts += other.counts
        self.conflicts = (self.conflicts + other.conflicts)[:MOST_TOLD]
