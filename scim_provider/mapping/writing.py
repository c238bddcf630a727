"""How resources are written: one transaction an operation, the row locked, sets for members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.db import IntegrityError
from django.utils import timezone

from scim_provider.models import MissingMembers, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.delta import ValueDelta, fold
from scim_provider.protocol.document import merge_put, read_document
from scim_provider.protocol.errors import PreconditionFailed, ScimError, Uniqueness
from scim_provider.protocol.messages import Precondition
from scim_provider.protocol.patch import Operation, apply, parse_patch
from scim_provider.protocol.projection import Projection
from scim_provider.signals import OTHERS, Lifecycle

from .batch import Batch, create_many
from .beside import save_beside
from .context import Context
from .document import Document, Placed, Written, rewrite, write_changes
from .index import insert_indexed, sync_index
from .lock import locked, row_lock
from .membership import apply_delta
from .one_statement import as_one_statement, send_what_waits
from .reader import is_ours
from .resource_type import Representation, ResourceType
from .saving import delete, update
from .statistics import note_inserted
from .telling import tell_created, tell_deleted, tell_members, tell_updated
from .transactions import atomically, database, is_dangling

T = TypeVar("T")

#: What a site may override to have a hand in how a change is saved.
_SAVING = (
    *("store", "place", "save", "save_account", "create_account"),
    *("access_changed", "standing", "is_active", "shut_out", "let_in", "deactivate"),
)
_SAVED = ("name", "name_key", "unique_key", "external_id", "document", "last_modified", "version")


class StoredResourceType(ResourceType):
    """A resource type whose rows are :class:`~scim_provider.models.Resource`."""

    model = Resource
    methods = frozenset({"create", "replace", "patch", "delete"})
    #: The attribute kept in the ``name`` column; 409 says it by name.
    naming_attribute: ClassVar[str]
    #: The multi-valued attribute kept as memberships, "" for none.
    members_attribute: ClassVar[str] = ""
    #: How many creates at once are done set-wise.
    batch: ClassVar[type[Batch]] = Batch
    #: The signals that tell of its resources.
    lifecycle: ClassVar[Lifecycle] = OTHERS

    def queryset(self, connection: Any) -> Any:
        return super().queryset(connection).filter(resource_type=self.name)

    def list_new(self, context: Context) -> None:
        """Make resources of what the site made by itself: nothing, where that is not its model."""

    # -- operations ----------------------------------------------------------------------------

    def create(self, context: Context, body: Any, projection: Projection) -> Representation:
        """POST (RFC 7644 §3.3). Raises :class:`Uniqueness` where the name is taken."""
        row = self.insert(context, body)
        document = self.document(row, context)
        self.fill([(row, document)], context, projection)
        self.complete_new(row, document, context, projection)
        return replace(self.without_body(row, context), document=projection.apply(document))

    def create_many(
        self, context: Context, bodies: Sequence[Any], *, scim_ids: Sequence[str] | None = None
    ) -> list[Representation | ScimError]:
        """Many POSTs at the cost of a few: without a body each, or what refuses it."""
        if type(self).create is not StoredResourceType.create:
            return super().create_many(context, bodies, scim_ids=scim_ids)
        return [
            made if isinstance(made, ScimError) else self.without_body(made, context)
            for made in create_many(self, context, bodies, scim_ids=scim_ids)
        ]

    def insert(self, context: Context, body: Any, scim_id: str = "") -> Resource:
        """The row of a create; ``scim_id`` gives it an id that was chosen before."""
        received = self.received(body, context)
        delta = self.take_members(received)

        def operation() -> Resource:
            document = dict(received)
            row = self.new_row(context, document)
            row.scim_id = scim_id or row.scim_id
            self.settle({}, document, context, whole=True)
            tell_created(self, [row], context)
            self.store(row, {}, document, context)
            if delta and self.change_members(row, delta, context):
                tell_members([(row, replace(delta, cleared=False))], context)
            return row

        made = self._write(operation, received)
        note_inserted(1)
        return made

    def complete_new(
        self, row: Resource, document: Document, context: Context, projection: Projection
    ) -> None:
        """:meth:`complete` for a row that was created in this request."""
        self.complete([(row, document)], context, projection)

    def replace(
        self,
        context: Context,
        scim_id: str,
        body: Any,
        projection: Projection,
        precondition: Precondition,
    ) -> Representation:
        """PUT (RFC 7644 §3.5.1)."""
        received = self.received(body, context)
        delta = self.take_members(received)
        if delta is None and self._clears_members(body, context):
            delta = ValueDelta(cleared=True, added={}, removed=frozenset())

        def operation() -> Representation:
            row, before = self._read_locked(context, scim_id, precondition)
            after = merge_put(before, received, self.resource_schema)
            self._change(row, before, after, delta, context, whole=True)
            return self.written(row, context, projection)

        return self._write(operation, received)

    def patch(
        self,
        context: Context,
        scim_id: str,
        body: Any,
        projection: Projection,
        precondition: Precondition,
    ) -> Representation:
        """PATCH (RFC 7644 §3.5.2). A resource with members is not answered unless asked for."""
        strict = context.connection.strict
        operations = parse_patch(body, self.resource_schema, strict=strict, scim_id=scim_id)
        of_members = [o for o in operations if o.target.name == self.members_attribute]
        others = [o for o in operations if o.target.name != self.members_attribute]
        folded = fold(of_members) if of_members else None
        after: Document = {}

        def operation() -> Representation:
            row, before = self._read_locked(context, scim_id, precondition)
            delta = (
                self._read_delta(row, of_members, context)
                if of_members and folded is None
                else folded
            )
            after.clear()
            after.update(apply(before, others, self.resource_schema))
            self._change(row, before, dict(after), delta, context, whole=False)
            if self.members_attribute and projection.is_default:
                return self.without_body(row, context)
            return self.written(row, context, projection)

        return self._write(operation, after)

    def delete(self, context: Context, scim_id: str, precondition: Precondition) -> None:
        """DELETE (RFC 7644 §3.6): the id answers 404 from now on, the name is free."""

        def operation() -> None:
            row = self._locked(context, scim_id, precondition)
            self.remove(row, context)
            self.tell_removed(row, context)

        atomically(operation)

    # -- hooks ---------------------------------------------------------------------------------

    def stored(self, row: Resource) -> Document:
        document: Document = row.document
        return document

    def new_row(self, context: Context, document: Document) -> Resource:
        """An unsaved row for a create of ``document``."""
        now = timezone.now()
        return Resource(
            connection=context.connection, resource_type=self.name, created=now, last_modified=now
        )

    def received(self, body: Any, context: Context) -> Document:
        """The body of a POST or PUT as a document; what clients may not set is left out."""
        strict = context.connection.strict
        return read_document(body, self.resource_schema, strict=strict).document

    def settle(self, before: Document, after: Document, context: Context, *, whole: bool) -> None:
        """Make attributes of ``after`` agree that are views of one thing.

        ``whole`` is True for POST and PUT: what is missing was not mentioned.
        """

    def store(self, row: Resource, before: Document, after: Document, context: Context) -> None:
        """Write the difference between two documents to the row and save it."""
        written = self.place(row, before, after, context)
        if row.pk is None:
            self.save(row, written, context)
        else:
            with self.writing_at_once():
                self.save(row, written, context)
                sync_index(row, written.stored_before, written.stored_after, self.resource_schema)
        if written.beside:
            send_what_waits(database())
            save_beside([(row, written)])

    def writing_at_once(self) -> AbstractContextManager[None]:
        """Where nobody reads between the writes of a change what they write, they are one."""
        alone = self.saves_as_ours and not organizations().shares_accounts
        return as_one_statement(database()) if alone else nullcontext()

    @cached_property
    def saves_as_ours(self) -> bool:
        """Whether no site has a hand in how a change is saved."""
        kind: Any = type(self)
        return all(is_ours(getattr(kind, name)) for name in _SAVING if hasattr(kind, name))

    def place(self, row: Resource, before: Document, after: Document, context: Context) -> Written:
        """Write the difference between two documents to the row; nothing is saved yet."""
        return write_changes(row, before, after, self.homes_of(row))

    def homes_of(self, row: Resource) -> Sequence[Placed]:
        """Where the attributes of this row live."""
        return self.placed

    def save(self, row: Resource, written: Written, context: Context) -> None:
        """INSERT the row with its index, or UPDATE the row alone."""
        if row.pk is None:
            insert_indexed(row, written.stored_after, self.resource_schema)
        else:
            update(row, (*_SAVED, "written") if self.owners else _SAVED)

    def remove(self, row: Resource, context: Context) -> None:
        """Delete the row and what hangs on it."""
        delete(row)

    def tell_removed(self, row: Resource, context: Context) -> None:
        """Send the signals of a row that :meth:`remove` took away."""
        tell_deleted(self, row, context)

    def lock(self, context: Context, scim_id: str) -> Resource | None:
        """The row with what reading it needs, locked until the transaction ends."""
        if self.reads_values:
            return row_lock(self).row(context, scim_id)
        rows = locked(self.related(self.queryset(context.connection)), self)
        found: Resource | None = rows.filter(scim_id=scim_id).first()
        return found

    # -- the parts -----------------------------------------------------------------------------

    def _locked(self, context: Context, scim_id: str, precondition: Precondition) -> Resource:
        row = self.lock(context, scim_id)
        if row is None:
            raise self.not_found(scim_id)
        if not precondition.allows(self.version(row)):
            raise PreconditionFailed()
        return row

    def _read_locked(
        self, context: Context, scim_id: str, precondition: Precondition
    ) -> tuple[Resource, Document]:
        row = self._locked(context, scim_id, precondition)
        document = self.document(row, context)
        self.fill([(row, document)], context)
        return row, document

    def _change(
        self,
        row: Resource,
        before: Document,
        after: Document,
        delta: ValueDelta | None,
        context: Context,
        *,
        whole: bool,
    ) -> None:
        moved = False
        if delta and self.members_attribute:
            moved = self.change_members(row, delta, context)
        if delta and moved:
            tell_members([(row, delta)], context)
        self.settle(before, after, context, whole=whole)
        rewrite(before, after, self.rewriting)
        if not moved and after == before:
            return
        row.version += 1
        row.last_modified = max(timezone.now(), row.last_modified)
        tell_updated(self, row, before, after, context)
        self.store(row, before, after, context)

    def take_members(self, document: Document) -> ValueDelta | None:
        """The members of a document as a replacement; None where it does not mention any."""
        if self.members_attribute not in document:
            return None
        elements = document.pop(self.members_attribute)
        added = {element["value"]: element for element in elements}
        return ValueDelta(cleared=True, added=added, removed=frozenset())

    def _clears_members(self, body: dict[str, Any], context: Context) -> bool:
        """Whether a PUT without members empties the group: it says so, or the policy does."""
        if context.connection.missing_members == MissingMembers.CLEAR:
            return True
        return self.members_attribute.lower() in map(str.lower, body)

    def _read_delta(
        self, row: Resource, operations: Sequence[Operation], context: Context
    ) -> ValueDelta:
        """The slow way, for operations that can only be understood with the members at hand."""
        name = self.members_attribute
        members = self.members(row, context)
        before = {name: members} if members else {}
        after = apply(before, operations, self.resource_schema)
        old, new = ({e["value"]: e for e in d.get(name, [])} for d in (before, after))
        added = {value: element for value, element in new.items() if value not in old}
        return ValueDelta(cleared=False, added=added, removed=frozenset(old.keys() - new.keys()))

    def change_members(self, row: Resource, delta: ValueDelta, context: Context) -> bool:
        """Change the members of a locked row; True when that changed anything."""
        return apply_delta(row, delta, context)

    def members(self, row: Resource, context: Context) -> list[Document]:
        """The elements of :attr:`members_attribute`."""
        return []

    def written(self, row: Resource, context: Context, projection: Projection) -> Representation:
        """The resource as it is answered within the transaction that changed its row."""
        if not self.reads_values:
            return self.representation(row, context, projection)
        return self.read_one(context, row.scim_id, projection, using=row._state.db)

    def _write(self, operation: Callable[[], T], document: Document) -> T:
        try:
            return atomically(operation)
        except IntegrityError as error:
            if is_dangling(error):
                raise
            raise self.taken(document) from None

    def taken(self, document: Document) -> Uniqueness:
        """What refuses a document whose name another row has."""
        name = document.get(self.naming_attribute)
        return Uniqueness(
            f"{self.naming_attribute} {name!r} is taken. Use another one, or update the "
            f"{self.name} that has it."
        )
