"""What an examination found: how bad, what, why it matters, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """From nothing to do, to what keeps an identity provider out."""

    OK = 0
    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One sentence of a report; ``why`` and ``do`` are "" where all is well."""

    topic: str
    severity: Severity
    what: str
    why: str = ""
    do: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "topic": self.topic,
            "severity": self.severity.word,
            "what": self.what,
            "why": self.why,
            "do": self.do,
        }


def first_line(problem: Exception) -> str:
    """What a database says, without the statement and the values that follow."""
    return str(problem).partition("\n")[0].rstrip(" .")


def ok(topic: str, what: str) -> Finding:
    return Finding(topic, Severity.OK, what)


def info(topic: str, what: str, why: str = "", do: str = "") -> Finding:
    return Finding(topic, Severity.INFO, what, why, do)


def warning(topic: str, what: str, why: str, do: str) -> Finding:
    return Finding(topic, Severity.WARNING, what, why, do)


def error(topic: str, what: str, why: str, do: str) -> Finding:
    return Finding(topic, Severity.ERROR, what, why, do)
