"""For a site whose router reads from replicas: SCIM reads what it has written, at once.

Identity providers look a person up, create them and read them back within a second; an answer
from a replica that is behind is a 404 for somebody who was just made. The site's own router goes
on deciding where things are written::

    DATABASE_ROUTERS = ["scim_provider.routers.PrimaryRouter", "site.routers.ReplicaRouter"]
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import router
from django.db.models import Model

_on_primary: ContextVar[bool] = ContextVar("scim_on_primary", default=False)


@contextmanager
def primary() -> Iterator[None]:
    """Within it every model is read where it is written, accounts and organizations too."""
    before = _on_primary.set(True)
    try:
        yield
    finally:
        _on_primary.reset(before)


class PrimaryRouter:
    """Reads SCIM's own tables, and in a SCIM request every table, where they are written."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """The database to write to, None to let the next router decide."""
        if _on_primary.get() or model._meta.app_label == "scim_provider":
            written_to: str = router.db_for_write(model, **hints)
            return written_to
        return None


def reads_primary(model: type[Model]) -> bool:
    """Whether a SCIM request reads ``model`` where it is written."""
    with primary():
        read_from, written_to = router.db_for_read(model), router.db_for_write(model)
    return bool(read_from == written_to)
