"""For tests with several writers at a time."""

from __future__ import annotations

import pytest
from django.db import connection as database

#: SQLite keeps its test database in one memory, where threads cannot write side by side.
several_writers = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" in database.settings_dict["ENGINE"], reason="one writer at a time in memory"
    ),
]
