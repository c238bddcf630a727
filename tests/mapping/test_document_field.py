"""Documents as they are kept: the same on every engine, through serializers and migrations."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core import serializers
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from scim_provider.layouts import body_of, document_text, layout_of, read_text
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


@pytest.mark.parametrize(
    "document",
    [DOCUMENT, {}, {"a": {"b": {"c": '\n\t"d":{'}}}, {"a": {}}],
    ids=str,
)
def test_a_text_is_the_document_and_says_how_it_is_laid_out(document: dict[str, Any]) -> None:
    text = document_text(document)
    assert read_text(json.loads(text)) == document
    if (name := layout_of(text)) and document:
        members = {f"\n{json.dumps(name, ensure_ascii=False)}:" for name in document}
        starts = re.findall(r'\n"(?:[^"\\]|\\.)*":', body_of(text))
        assert (set(starts), len(starts)) == (members, len(members))
    others = [{**document, "more": 1}, {k: v for k, v in document.items() if k != "a"}]
    assert all(name != layout_of(document_text(each)) for each in others if each != document)


def test_the_same_attributes_have_the_same_layout_whatever_they_say() -> None:
    one, other = {"a": "x", "b": {"c": 1}}, {"a": ["y\n"], "b": {"c": "\u2028"}}
    assert layout_of(document_text(one)) == layout_of(document_text(other)) != ""
    assert layout_of(document_text({"a": "x", "b": {"c": {"d": 1}}})) != layout_of(
        document_text(one)
    )


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
