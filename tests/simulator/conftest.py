from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from scim_provider.management.commands.scim_simulate import Command

from .service import KEY, Service, running


@dataclass(frozen=True)
class Run:
    """How the command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def simulate(*arguments: str, key: str | None = KEY, terminal: bool = False) -> Run:
    """``manage.py scim_simulate`` with these arguments, in this process."""
    out = Terminal() if terminal else StringIO()
    err = StringIO()
    keyed = ["--access-key", key] if key else []
    code: Any = 0
    try:
        Command(stdout=out, stderr=err).run_from_argv(
            ["manage.py", "scim_simulate", *arguments, *keyed]
        )
    except SystemExit as exit:
        code = exit.code or 0
    return Run(code, out.getvalue(), err.getvalue())


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Start services that break the named rules."""
    with ExitStack() as stack:
        yield lambda *faults, **options: stack.enter_context(running(Service(*faults, **options)))


@pytest.fixture
def service(serve: Callable[..., Service]) -> Service:
    """A service that breaks no rule."""
    return serve()
