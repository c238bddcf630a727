"""In which order operations are done (RFC 7644 §3.7.1, §3.7.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .request import BulkOperation


@dataclass(frozen=True)
class Step:
    """Operations that are done together.

    One alone; POSTs to one endpoint, each after those that it refers to; or, where
    ``circular``, POSTs of which each needs all the others.
    """

    operations: tuple[BulkOperation, ...]
    circular: bool = False

    @property
    def is_linked(self) -> bool:
        """Whether some of the operations refer to others of them."""
        created = {operation.creates for operation in self.operations} - {""}
        return any(operation.references & created for operation in self.operations)

    def runs(self) -> Iterator[list[BulkOperation]]:
        """The operations in runs that do not refer to each other within one."""
        run: list[BulkOperation] = []
        created: set[str] = set()
        for operation in self.operations:
            if operation.references & created:
                yield run
                run, created = [], set()
            run.append(operation)
            created |= {operation.creates} - {""}
        yield run


def plan(operations: Sequence[BulkOperation]) -> Iterator[Step]:
    """The operations as sent, but that each comes after the POSTs that it refers to.

    So a reference forward brings its POST forward, and nothing else moves.
    """
    run: list[BulkOperation] = []
    for group in _Components(operations):
        if run and not _joins(run, group):
            yield Step(tuple(run))
            run = []
        if _is_circular(group):
            yield Step(tuple(group), circular=True)
        else:
            run += group
    if run:
        yield Step(tuple(run))


def _is_circular(group: Sequence[BulkOperation]) -> bool:
    return len(group) > 1 or bool(group[0].references & {group[0].creates} - {""})


def _joins(run: Sequence[BulkOperation], group: Sequence[BulkOperation]) -> bool:
    """Whether an operation may be in one step with those of ``run``."""
    first, (operation, *others) = run[0], group
    if others or first.method != "POST" or operation.method != "POST":
        return False
    return operation.endpoint == first.endpoint and not (operation.error or first.error)


class _Components:
    """Tarjan's strongly connected components, without recursion: what is needed comes first.

    Iterating gives the operations in groups, each after all that it refers to; more than one
    in a group refer to each other.
    """

    def __init__(self, operations: Sequence[BulkOperation]) -> None:
        self.operations = operations
        self.posts = {o.creates: o.index for o in operations if o.creates}
        self.number: dict[int, int] = {}
        self.lowest: dict[int, int] = {}
        self.stack: list[int] = []
        self.open: set[int] = set()

    def __iter__(self) -> Iterator[list[BulkOperation]]:
        for operation in self.operations:
            if operation.index not in self.number:
                yield from self._from(operation.index)

    def _from(self, start: int) -> Iterator[list[BulkOperation]]:
        path = [(start, self._enter(start))]
        while path:
            index, needed = path[-1]
            for other in needed:
                if other not in self.number:
                    path.append((other, self._enter(other)))
                    break
                if other in self.open:
                    self._lower(index, self.number[other])
            else:
                path.pop()
                if path:
                    self._lower(path[-1][0], self.lowest[index])
                if self.lowest[index] == self.number[index]:
                    yield self._leave(index)

    def _enter(self, index: int) -> Iterator[int]:
        self.number[index] = self.lowest[index] = len(self.number)
        self.stack.append(index)
        self.open.add(index)
        return iter(self._needed(index))

    def _needed(self, index: int) -> Iterable[int]:
        references = self.operations[index].references
        return sorted(self.posts[name] for name in references if name in self.posts)

    def _lower(self, index: int, number: int) -> None:
        self.lowest[index] = min(self.lowest[index], number)

    def _leave(self, index: int) -> list[BulkOperation]:
        """Everything above ``index`` on the stack: in the order sent."""
        at = self.stack.index(index)
        group = sorted(self.stack[at:])
        del self.stack[at:]
        self.open.difference_update(group)
        return [self.operations[each] for each in group]
