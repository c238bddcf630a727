"""Made-up people. Each run has its own tag, so that nobody real is ever matched."""

from __future__ import annotations

import uuid
from typing import Any

NAMES = (
    ("Ana", "García", "ana.garcia"),
    ("Ben", "Okafor", "ben.okafor"),
    ("Chloé", "Martin", "chloe.martin"),
    ("Dmitri", "Petrov", "dmitri.petrov"),
    ("Eva", "Lindqvist", "eva.lindqvist"),
    ("Farid", "Haddad", "farid.haddad"),
    ("Grace", "O'Neill", "grace.oneill"),
    ("Haruto", "Sato", "haruto.sato"),
    ("Ines", "Ferreira", "ines.ferreira"),
    ("Jonas", "Weiß", "jonas.weiss"),
)


def made_up_people(count: int, run: str, domain: str) -> list[dict[str, Any]]:
    """`count` people as variables: given, family, name, login, guid, number, active."""
    return [_person(number, run, domain) for number in range(1, count + 1)]


def _person(number: int, run: str, domain: str) -> dict[str, Any]:
    given, family, mailbox = NAMES[(number - 1) % len(NAMES)]
    if number > len(NAMES):
        family, mailbox = f"{family} {number}", f"{mailbox}{number}"
    return {
        "number": number,
        "given": given,
        "family": family,
        "name": f"{given} {family}",
        "login": f"{mailbox}.{run}@{domain}",
        "guid": str(uuid.uuid4()),
        "active": True,
    }
