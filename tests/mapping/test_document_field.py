"""Documents as they are kept: the same on every engine, through serializers and migrations."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from scim_provider.models import Connection, Resource
from tests.factories import ConnectionFactory

DOCUMENT: dict[str, Any] = {
    "a": 'q"uo\\te\n',
    "b": [1, 2.5, 2**70, None, True],
    "ü☃😀": {"x": {}},
    "": "",
}


def stored(connection: Connection, name: str, document: dict[str, Any]) -> Resource:
    now = timezone.now()
    return Resource.objects.create(
        connection=connection,
        resource_type="Other",
        name=name,
        document=document,
        created=now,
        last_modified=now,
    )


def read(row: Resource) -> Any:
    return Resource.objects.values_list("document", flat=True).get(pk=row.pk)


@pytest.mark.django_db
def test_documents_come_back_as_they_were() -> None:
    connection = ConnectionFactory(owner=None)
    one, other = stored(connection, "one", DOCUMENT), stored(connection, "other", {})
    assert (read(one), read(other)) == (DOCUMENT, {})
    one.document, other.document = {}, DOCUMENT
    Resource.objects.bulk_update([one, other], ["document"])
    assert (read(one), read(other)) == ({}, DOCUMENT)
    Resource.objects.filter(pk=one.pk).update(document={"k": "v"})
    assert read(one) == {"k": "v"}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["json", "jsonl", "xml"])
def test_documents_are_dumped_and_loaded(kind: str) -> None:
    row = stored(ConnectionFactory(owner=None), "one", DOCUMENT)
    text = serializers.serialize(kind, [row])
    Resource.objects.update(document={})
    for each in serializers.deserialize(kind, text):
        each.save()
    assert read(row) == DOCUMENT


@pytest.mark.django_db(transaction=True)
def test_the_migration_keeps_documents_forwards_and_backwards() -> None:
    row = stored(ConnectionFactory(owner=None), "one", DOCUMENT)
    before = [("scim_provider", "0004_kept_protection")]
    executor = MigrationExecutor(database)
    try:
        executor.migrate(before)
        apps = executor.loader.project_state(before).apps
        old: Any = apps.get_model("scim_provider", "Resource")
        assert old.objects.get(pk=row.pk).document == DOCUMENT
        if database.vendor == "postgresql":  # a real jsonb: SQL looks into it
            assert old.objects.filter(document__b__0=1).count() == 1
    finally:
        executor = MigrationExecutor(database)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert read(row) == DOCUMENT
