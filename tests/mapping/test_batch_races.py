"""Batches of the same people at the same time: each person comes to be once.

SQLite keeps its test database in one memory, where threads cannot write side by side.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from scim_provider.models import AttributeValue, Connection, Resource
from scim_provider.protocol.errors import ScimError, Uniqueness

from .creates import USER, context_of, kind, together
from .writers import several_writers

pytestmark = several_writers

WRITERS = 6


@pytest.mark.parametrize("shuffled", [False, True])
def test_of_racing_batches_each_person_has_one_winner(
    connection: Connection, shuffled: bool
) -> None:
    names = [f"person{number}" for number in range(30)]

    def write(number: int) -> list[Any]:
        mine = random.Random(number).sample(names, len(names)) if shuffled else names
        bodies = [{"schemas": [USER], "userName": name, "title": "Clerk"} for name in mine]
        try:
            return together(kind(), context_of(Connection.objects.get()), bodies)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = [each for result in pool.map(write, range(WRITERS)) for each in result]
    refused = [each for each in outcomes if isinstance(each, ScimError)]
    assert {type(each) for each in refused} == {Uniqueness}
    made = [each.name for each in outcomes if isinstance(each, Resource)]
    assert sorted(made) == sorted(names)
    assert Resource.objects.count() == get_user_model().objects.count() == len(names)
    assert AttributeValue.objects.filter(path="title").count() == len(names)
