"""Documents that are JSON already: what makes the answer hands them through."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, overload

Document = dict[str, Any]


class EncodedDocuments(Sequence[Document]):
    """Documents by their JSON ``texts``; each is read where somebody looks into it."""

    def __init__(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        self._texts = texts
        #: The ``id`` of each.
        self.ids = ids

    @property
    def as_bytes(self) -> bytes:
        """All of them, as a JSON array in UTF-8."""
        return b"[%b]" % b",".join(map(str.encode, self._texts))

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> Document: ...

    @overload
    def __getitem__(self, place: slice) -> EncodedDocuments: ...

    def __getitem__(self, place: int | slice) -> Document | EncodedDocuments:
        if isinstance(place, slice):
            return EncodedDocuments(self._texts[place], self.ids[place])
        document: Document = json.loads(self._texts[place])
        return document


def ids_of(documents: Sequence[Document]) -> Sequence[str]:
    """The ``id`` of each document."""
    if isinstance(documents, EncodedDocuments):
        return documents.ids
    return [document["id"] for document in documents]
