"""The operations of a Bulk request, done one after the other (RFC 7644 §3.7.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from scim_provider.protocol.errors import Conflict, InvalidValue, ScimError

from .plan import Step, plan
from .references import reference_in, replace_references, without_references
from .request import BulkOperation, BulkRequest

logger = logging.getLogger("scim_provider")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Success:
    """What an operation did: to which resource, and the version it has now."""

    status: int
    scim_id: str
    location: str
    version: str = ""


Outcome = Success | ScimError


class Service(Protocol):
    """Who does the operations, each in a transaction of its own."""

    def new_id(self) -> str:
        """An id for what is yet to be created."""

    def create_many(
        self, endpoint: str, bodies: Sequence[Any], ids: Sequence[str] | None
    ) -> list[Success | ScimError]:
        """What each POST would be answered with; ``ids`` are what they are to be called.

        Raises where none can be tried.
        """

    def perform(
        self, method: str, endpoint: str, scim_id: str, data: Any, version: str | None
    ) -> Success:
        """Do one operation. Raises whatever is in its way; nothing has changed then."""

    def atomically(self, operation: Callable[[], T]) -> T:
        """``operation`` as one transaction, perhaps tried more than once."""

    def error(self, exc: Exception) -> ScimError:
        """What to answer for ``exc``; a bug is reported."""


def execute(request: BulkRequest, service: Service) -> list[dict[str, Any]]:
    """The results of the operations in the order sent: of all, or up to the last error allowed."""
    return _Execution(request, service).results()


class _Undo(Exception):
    """Too much has been done: only the first ``count`` operations may be done together."""

    def __init__(self, count: int = 0) -> None:
        self.count = count


class _Execution:
    def __init__(self, request: BulkRequest, service: Service) -> None:
        self.request, self.service = request, service
        self.outcomes: dict[int, Outcome] = {}
        #: bulkId → id of what has been created.
        self.ids: dict[str, str] = {}
        self.posted = {o.creates for o in request.operations if o.creates}
        self.errors_left = request.fail_on_errors

    def results(self) -> list[dict[str, Any]]:
        for step in plan(self.request.operations):
            self._do(step)
        sent = self.request.operations
        return [self._result(sent[index], self.outcomes[index]) for index in sorted(self.outcomes)]

    def _do(self, step: Step) -> None:
        if self.errors_left == 0:
            return
        if step.circular:
            self._record(step.operations, self._circle(step.operations))
        elif not (step.is_linked and self._do_linked(step.operations)):
            for run in step.runs():
                self._do_run(run)

    def _do_run(self, waiting: Sequence[BulkOperation]) -> None:
        while waiting and self.errors_left != 0:
            first, *others = waiting
            outcomes = self._run(waiting) if others else [self._single(first)]
            self._record(waiting, outcomes)
            waiting = waiting[len(outcomes) :]

    def _record(self, operations: Sequence[BulkOperation], outcomes: Sequence[Outcome]) -> None:
        """Note what was done. After the last error allowed there are none but failures."""
        for operation, outcome in zip(operations, self._allowed(outcomes), strict=False):
            self.outcomes[operation.index] = outcome
            if isinstance(outcome, Success):
                self.ids |= {operation.creates: outcome.scim_id} if operation.creates else {}
            elif self.errors_left is not None:
                self.errors_left -= 1

    def _allowed(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes up to the last error that the client allows."""
        errors = [n for n, outcome in enumerate(outcomes, 1) if isinstance(outcome, ScimError)]
        left = self.errors_left
        return outcomes[: errors[left - 1]] if left and len(errors) >= left else outcomes

    # -- one -----------------------------------------------------------------------------------

    def _single(self, operation: BulkOperation) -> Outcome:
        try:
            return self._perform(operation)
        except Exception as exc:
            return self.service.error(exc)

    def _perform(self, operation: BulkOperation) -> Success:
        if operation.error is not None:
            raise operation.error
        self.require(operation.references)
        return self.service.perform(
            operation.method,
            operation.endpoint,
            self._id(operation.scim_id),
            replace_references(operation.data, self.ids),
            operation.version,
        )

    def _id(self, scim_id: str) -> str:
        """The id in a path; one that a failed POST should have had stays a reference."""
        bulk_id = reference_in(scim_id)
        return scim_id if bulk_id is None else self.ids.get(bulk_id, scim_id)

    def require(self, references: Iterable[str]) -> None:
        """Raise what a reference deserves that has no id: 409 for a failed POST, 400 for none."""
        for bulk_id in sorted(references):
            if bulk_id in self.ids:
                continue
            if bulk_id in self.posted:
                raise _not_created(bulk_id)
            raise InvalidValue(
                f"bulkId:{bulk_id[:80]} refers to nothing: no POST in the request has that bulkId."
            )

    # -- POSTs at once -------------------------------------------------------------------------

    def _run(self, operations: Sequence[BulkOperation]) -> list[Outcome]:
        """At once; where that was too many, again up to the last error allowed."""
        try:
            return self.service.atomically(lambda: self._create_allowed(operations))
        except _Undo as undo:
            return self._run(operations[: undo.count])
        except Exception:
            logger.warning("POSTs of a Bulk request are done one at a time", exc_info=True)
        return self._one_by_one(operations)

    def _one_by_one(self, operations: Sequence[BulkOperation]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        errors = 0
        for operation in operations:
            outcomes.append(self._single(operation))
            errors += isinstance(outcomes[-1], ScimError)
            if errors == self.errors_left:
                break
        return outcomes

    def _create_allowed(self, operations: Sequence[BulkOperation]) -> list[Outcome]:
        outcomes = self._create(operations, {})
        allowed = len(self._allowed(outcomes))
        if allowed < len(outcomes):
            raise _Undo(allowed)
        return outcomes

    def _do_linked(self, operations: Sequence[BulkOperation]) -> bool:
        """At once under ids chosen before, where nothing fails that another one refers to.

        False, and nothing done, where something does: what is right has to be found run by run.
        """
        ids = {operation.creates: self.service.new_id() for operation in operations}
        try:
            outcomes = self.service.atomically(lambda: self._create_linked(operations, ids))
        except Exception as exc:
            if not isinstance(exc, _Undo):
                logger.warning("POSTs of a Bulk request are done run by run", exc_info=True)
            return False
        self._record(operations, outcomes)
        return True

    def _create_linked(
        self, operations: Sequence[BulkOperation], ids: Mapping[str, str]
    ) -> list[Outcome]:
        outcomes = self._create(operations, ids)
        other = {
            operation.creates
            for operation, outcome in zip(operations, outcomes, strict=True)
            if isinstance(outcome, ScimError) or outcome.scim_id != ids[operation.creates]
        }
        if other and (
            self.errors_left is not None
            or any(operation.references & other for operation in operations)
        ):
            raise _Undo
        return outcomes

    def _create(self, operations: Sequence[BulkOperation], ids: Mapping[str, str]) -> list[Outcome]:
        """The outcomes of POSTs; ``ids`` are chosen for those among them, or empty."""
        known = {**self.ids, **ids}
        bodies = [self._body(operation, known) for operation in operations]
        whole = [n for n, body in enumerate(bodies) if not isinstance(body, ScimError)]
        chosen = [ids[operations[n].creates] for n in whole] if ids else None
        endpoint = operations[0].endpoint
        outcomes = dict(
            zip(whole, self._created(endpoint, [bodies[n] for n in whole], chosen), strict=True)
        )
        return [outcomes.get(n, body) for n, body in enumerate(bodies)]

    def _created(
        self, endpoint: str, bodies: Sequence[Any], ids: Sequence[str] | None
    ) -> list[Outcome]:
        try:
            return self.service.create_many(endpoint, bodies, ids) if bodies else []
        except ScimError as error:
            return [error] * len(bodies)

    def _body(self, operation: BulkOperation, known: Mapping[str, str]) -> Any:
        try:
            self.require(operation.references - known.keys())
        except ScimError as error:
            return error
        return replace_references(operation.data, known)

    # -- POSTs that need each other ------------------------------------------------------------

    def _circle(self, operations: Sequence[BulkOperation]) -> list[Outcome]:
        """All or none (RFC 7644 §3.7.1): of a part of them, each would lack what it names."""
        circle = _Circle(operations, self)
        try:
            return [*self.service.atomically(circle.create)]
        except Exception as exc:
            error = self.service.error(exc)
        conflict = _not_created(circle.at.bulk_id)
        return [error if operation is circle.at else conflict for operation in operations]

    # -- results -------------------------------------------------------------------------------

    def _result(self, operation: BulkOperation, outcome: Outcome) -> dict[str, Any]:
        """One of ``Operations`` of the BulkResponse; ``status`` is a string (RFC 7644 §3.7.3)."""
        result: dict[str, Any] = {"method": operation.method[:20]} if operation.method else {}
        if operation.bulk_id:
            result["bulkId"] = operation.bulk_id
        if isinstance(outcome, Success):
            result["location"] = outcome.location
            if outcome.version:
                result["version"] = outcome.version
        elif operation.method != "POST":
            result["location"] = self._location(operation)
        result["status"] = str(outcome.status)
        if isinstance(outcome, ScimError):
            result["response"] = outcome.as_document()
        return result

    def _location(self, operation: BulkOperation) -> str:
        """Where the operation was to take place."""
        base = f"{self.request.base_url}{operation.endpoint}"
        return f"{base}/{self._id(operation.scim_id)}" if operation.scim_id else base


class _Circle:
    """POSTs that need each other: created without what is still to come, which a PUT then adds.

    ``at`` is the operation that is being done.
    """

    def __init__(self, operations: Sequence[BulkOperation], execution: _Execution) -> None:
        self.operations, self.execution = operations, execution
        self.service, self.at = execution.service, operations[0]

    def create(self) -> list[Success]:
        """May be called again after it has been undone."""
        ids = dict(self.execution.ids)
        to_come = {operation.bulk_id for operation in self.operations}
        created, lacking = {}, []
        for operation in self.operations:
            if operation.references & to_come:
                lacking.append(operation)
            created[operation] = self._post(operation, ids, to_come)
            ids[operation.bulk_id] = created[operation].scim_id
            to_come.discard(operation.bulk_id)
        for operation in lacking:
            created[operation] = self._put(operation, ids)
        return list(created.values())

    def _post(self, operation: BulkOperation, ids: Mapping[str, str], to_come: set[str]) -> Success:
        self.at = operation
        self.execution.require(operation.references - to_come - ids.keys())
        body = replace_references(without_references(operation.data, to_come), ids)
        return self.service.perform("POST", operation.endpoint, "", body, None)

    def _put(self, operation: BulkOperation, ids: Mapping[str, str]) -> Success:
        self.at = operation
        body = replace_references(operation.data, ids)
        scim_id = ids[operation.bulk_id]
        changed = self.service.perform("PUT", operation.endpoint, scim_id, body, None)
        return replace(changed, status=201)


def _not_created(bulk_id: str) -> Conflict:
    return Conflict(f"bulkId:{bulk_id[:80]} has not been created, and this refers to it.")
