"""Documents that are JSON already, for those who look into them."""

from __future__ import annotations

import json

import pytest

from scim_provider.protocol.encoded import EncodedDocuments, ids_of

DOCUMENTS = [{"id": "a", "title": "Łucja"}, {"id": "b"}, {"id": "c", "x": [1]}]


@pytest.fixture
def encoded() -> EncodedDocuments:
    texts = [json.dumps(each, ensure_ascii=False) for each in DOCUMENTS]
    return EncodedDocuments(texts, [each["id"] for each in DOCUMENTS])


def test_they_are_read_like_any_others(encoded: EncodedDocuments) -> None:
    assert list(encoded) == DOCUMENTS
    assert encoded[-1] == DOCUMENTS[-1]
    assert list(encoded[1:]) == DOCUMENTS[1:]
    assert encoded[1:].ids == ["b", "c"]


def test_they_are_an_array_in_utf_8(encoded: EncodedDocuments) -> None:
    assert json.loads(encoded.as_bytes.decode()) == DOCUMENTS


def test_ids_are_told_without_reading(encoded: EncodedDocuments) -> None:
    assert ids_of(encoded) == ids_of(DOCUMENTS) == ["a", "b", "c"]
