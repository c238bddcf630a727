"""Many creates in a few statements: the rows and the errors of one POST after the other.

Every body is read and judged in memory, in order, against what was looked up for all of them;
what stands is written table by table. A refusal rolls everything back, and the rest is done
again without the refused: so a body that fails leaves nothing, whatever its homes did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import DatabaseError, OperationalError
from django.utils import timezone

from scim_provider.events import record_refusals
from scim_provider.models import AttributeValue, Membership, Resource, UnknownMember, new_scim_id
from scim_provider.protocol.delta import ValueDelta
from scim_provider.protocol.errors import ScimError

from .beside import save_beside
from .context import Context
from .document import Document, Written
from .index import new_index_rows
from .membership import display_of, meant, refuse_itself, refuse_others, refuse_shared
from .rows import insert_resources, insert_rows
from .telling import tell_created, tell_members
from .transactions import atomically

if TYPE_CHECKING:
    from .writing import StoredResourceType

Outcome = Resource | ScimError


def create_many(
    resource_type: StoredResourceType,
    context: Context,
    bodies: Sequence[Any],
    *,
    scim_ids: Sequence[str] | None = None,
) -> list[Outcome]:
    """For each body, in order: the saved row, or what a POST of it would have raised.

    ``scim_ids`` gives the rows ids that were chosen before. A resource type that overrides how
    one resource is written gets one create after the other.
    """
    ids = list(scim_ids) if scim_ids is not None else [new_scim_id() for _ in bodies]
    outcomes: dict[int, Outcome] = {}
    sent = [Sent(*numbered) for numbered in zip(range(len(bodies)), bodies, ids, strict=True)]
    if not resource_type.batch.suits(resource_type):
        return [_one(resource_type, context, each) for each in sent]
    for each in sent:
        try:
            each.received = resource_type.received(each.body, context)
        except ScimError as error:
            outcomes[each.position] = error
    readable = [each for each in sent if each.position not in outcomes]
    outcomes |= _created(resource_type, context, readable)
    record_refusals(error for error in outcomes.values() if isinstance(error, ScimError))
    return [outcomes[position] for position in range(len(bodies))]


@dataclass
class Sent:
    """One body, the id that its row will have, and the document it holds."""

    position: int
    body: Any
    scim_id: str
    received: Document | None = None


@dataclass
class Entry:
    """One body on its way to be a row."""

    position: int
    document: Document
    row: Resource
    written: Written
    delta: ValueDelta | None
    password: str | None = None


class Refused(Exception):
    """Rolls a batch back: the bodies that it must do without, by position."""

    def __init__(self, errors: Mapping[int, ScimError]) -> None:
        super().__init__(errors)
        self.errors = errors


class Undecided(Exception):
    """A batch cannot tell who is refused: its halves may, and a single body can."""


def _created(
    resource_type: StoredResourceType, context: Context, sent: Sequence[Sent]
) -> dict[int, Outcome]:
    """The outcomes of a batch; where the database refuses it, of its halves."""
    try:
        return _settled(resource_type, context, sent)
    except OperationalError:
        raise
    except (DatabaseError, ScimError, Undecided):
        if len(sent) == 1:
            return {sent[0].position: _one(resource_type, context, sent[0])}
    middle = len(sent) // 2
    before = _created(resource_type, context, sent[:middle])
    return before | _created(resource_type, context, sent[middle:])


def _settled(
    resource_type: StoredResourceType, context: Context, sent: Sequence[Sent]
) -> dict[int, Outcome]:
    refused: dict[int, ScimError] = {}
    while standing := [each for each in sent if each.position not in refused]:
        batch = resource_type.batch(resource_type, context, standing)
        try:
            return {**refused, **atomically(batch.run)}
        except Refused as refusal:
            refused |= refusal.errors
    return {**refused}


def _one(resource_type: StoredResourceType, context: Context, sent: Sent) -> Outcome:
    try:
        return resource_type.insert(context, sent.body, sent.scim_id)
    except ScimError as error:
        return error


class Batch:
    """The creates of one transaction."""

    #: What a batch does in its own way: who overrides one of these gets single creates.
    replaced: ClassVar[tuple[str, ...]] = (
        "create",
        "insert",
        "new_row",
        "store",
        "save",
        "take_members",
    )

    def __init__(
        self, resource_type: StoredResourceType, context: Context, sent: Sequence[Sent]
    ) -> None:
        self.resource_type, self.context, self.sent = resource_type, context, sent
        self.entries: list[Entry] = []
        self.errors: dict[int, ScimError] = {}
        #: Position → the earlier one that it is refused for: for nothing, if that one fails.
        self.causes: dict[int, int] = {}
        self.members: dict[str, int] = {}
        #: What homes found for one row and need not look for again.
        self.choices: dict[Any, Any] = {}

    @classmethod
    def suits(cls, resource_type: StoredResourceType) -> bool:
        """Whether the resource type writes as the one does that named this kind of batch."""
        own = type(resource_type)
        named = next(parent for parent in own.__mro__ if "batch" in vars(parent))
        return all(getattr(own, name) == getattr(named, name) for name in cls.replaced)

    def run(self) -> dict[int, Resource]:
        """The saved rows by position. Raises :class:`Refused`."""
        self.errors, self.causes, self.choices = {}, {}, {}
        self.look_up()
        self.entries = list(self._each(self.sent, self.build))
        self.look_up_taken()
        self.entries = list(self._each(self.entries, self.claim))
        self._stop(whole=not any(entry.password for entry in self.entries))
        self.save()
        self._stop(whole=True)
        self.tell()
        return {entry.position: entry.row for entry in self.entries}

    def _each(self, items: Sequence[Any], step: Callable[[Any], Entry]) -> Iterator[Entry]:
        for item in items:
            try:
                yield step(item)
            except ScimError as error:
                self.errors[item.position] = error

    def _stop(self, *, whole: bool) -> None:
        """Raise :class:`Refused` for what is certain; all is, where nothing else can fail."""
        certain = {
            position: error
            for position, error in self.errors.items()
            if position not in self.causes or (whole and self.causes[position] not in self.errors)
        }
        if certain:
            raise Refused(certain)

    def blame(self, entry: Entry, cause: int, error: ScimError) -> ScimError:
        """``error``, which holds only if the earlier body at ``cause`` does not fail."""
        self.causes[entry.position] = cause
        return error

    # -- steps ---------------------------------------------------------------------------------

    def look_up(self) -> None:
        """What building the rows needs to know."""

    def build(self, sent: Sent) -> Entry:
        """The unsaved row of one body. Raises the :class:`ScimError` that it deserves."""
        kind, context = self.resource_type, self.context
        document = dict(sent.received or {})
        delta = kind.take_members(document)
        row = self.new_row(document)
        row.scim_id = sent.scim_id
        vars(row)["choices"] = self.choices
        kind.settle({}, document, context, whole=True)
        self.guard(row)
        password = self.take_password(document)
        written = kind.place(row, {}, document, context)
        return Entry(sent.position, document, row, written, delta, password)

    def new_row(self, document: Document) -> Resource:
        return self.resource_type.new_row(self.context, document)

    def guard(self, row: Resource) -> None:
        """Raise where SCIM must not touch what the row is about."""

    def take_password(self, document: Document) -> str | None:
        """What the document holds that only an account keeps."""
        return None

    def look_up_taken(self) -> None:
        """What telling the names that are taken needs to know, and the ids of members."""
        rows = Resource.objects.filter(connection=self.context.connection)
        keys = [entry.row.unique_key for entry in self.entries if entry.row.unique_key is not None]
        same = rows.filter(resource_type=self.resource_type.name, unique_key__in_set=keys)
        #: Taken name → the position of the body in this batch that took it, None for a saved row.
        self.keys: dict[str | None, int | None] = {}
        if keys:
            self.keys.update(dict.fromkeys(same.values_list("unique_key", flat=True)))
        wanted = {value for e in self.entries if e.delta for value in e.delta.added}
        self.members = meant(rows, wanted) if wanted else {}
        self.earlier: dict[str, int] = {}

    def claim(self, entry: Entry) -> Entry:
        """Take the name for this body. Raises where it, or a member, cannot be had."""
        key = entry.row.unique_key
        if key is not None and key in self.keys:
            error = self.resource_type.taken(entry.document)
            cause = self.keys[key]
            raise error if cause is None else self.blame(entry, cause, error)
        if entry.delta:
            self._check_members(entry, entry.delta)
        if key is not None:
            self.keys[key] = entry.position
        self.earlier[entry.row.scim_id] = entry.position
        return entry

    def _check_members(self, entry: Entry, delta: ValueDelta) -> None:
        refuse_itself(entry.row, delta.added)
        refuse_shared(delta.added, self.context)
        if self.context.connection.unknown_member != UnknownMember.IGNORE:
            refuse_others(delta.added, self.members.keys() | self.earlier.keys())

    def save(self) -> None:
        """Write what stands, table by table."""
        self.save_rows()

    def tell(self) -> None:
        """Send the signals of what was written."""
        tell_created(self.resource_type, [entry.row for entry in self.entries], self.context)
        asked = [(e.row, replace(e.delta, cleared=False)) for e in self.entries if e.delta]
        tell_members([(row, delta) for row, delta in asked if delta.added], self.context)

    def save_rows(self) -> None:
        insert_resources([entry.row for entry in self.entries])
        insert_rows(AttributeValue, *self._index())
        insert_rows(Membership, *self._memberships())
        save_beside([(entry.row, entry.written) for entry in self.entries])

    def _index(self) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
        schema = self.resource_type.resource_schema
        names = ("connection", "resource", "path", "element", "key", "text")
        owner = self.context.connection.pk
        return names, (
            (owner, entry.row.pk, *row)
            for entry in self.entries
            for row in new_index_rows(entry.written.stored_after, schema)
        )

    def _memberships(self) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
        self.members |= {entry.row.scim_id: entry.row.pk for entry in self.entries}
        now, owner = timezone.now(), self.context.connection.pk
        names = ("connection", "group", "member", "created_at", "display")
        return names, (
            (owner, entry.row.pk, self.members[scim_id], now, display_of(element))
            for entry in self.entries
            if entry.delta
            for scim_id, element in entry.delta.added.items()
            if scim_id in self.members
        )
