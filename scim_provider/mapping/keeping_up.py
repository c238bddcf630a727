"""Members who come and go on the site while SCIM lists them: seen when a client looks.

Nothing watches the site's models. A look-up that finds nobody asks whether a member has the name;
a list that is read from its start takes in who came, and lets go who left. The search for those
looks at every member, so a large organization is searched the less often the longer it takes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from scim_provider.models import Connection, ExistingPeople, Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.filter import And, Comparison, Filter, Or, ValuePath, parse_filter
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.path import AttributePath

from .accounts import account_field
from .context import Context
from .existing import BATCH, Members, knows_members, list_members, note_end
from .leaving import let_go
from .look_alikes import spellings
from .transactions import database

if TYPE_CHECKING:
    from .resource_type import ResourceType

logger = logging.getLogger("scim_provider")

#: A search shorter than this, in seconds, is repeated with every list.
QUICK = 0.1
#: A longer one takes at most one part in so many of the time.
REST = 100
#: Names of one filter that members are looked up by.
_MOST_NAMES = 8


def lists_members(context: Context) -> bool:
    """Whether the connection lists the members of its organization, and the site tells them."""
    return context.connection.existing_people == ExistingPeople.LIST and knows_members(context)


def catch_up(resource_type: ResourceType, context: Context) -> bool:
    """Take in who came and let go who left, up to a batch of each; whether anybody did."""
    connection = context.connection
    due = connection.members_due_at
    if due is not None and due > timezone.now():
        return False
    began = time.monotonic()
    members = Members(context)
    try:
        missing = [key for (key,) in members.missing[:BATCH]]
        strangers = [key for (key,) in members.strangers(resource_type.name)[:BATCH]]
        spent = time.monotonic() - began
        came = bool(missing) and _take_in(resource_type, context, Q(pk__in=missing))
        left = bool(strangers) and _let_go(resource_type, context, Q(account__in=strangers))
        if len(missing) < BATCH:
            note_end(connection)
        if not (came or left):
            _rest(connection, spent)
    except DatabaseError:  # as where the database takes no changes for a while
        logger.exception("The members of an organization could not be listed")
        return False
    return came or left


def _take_in(resource_type: ResourceType, context: Context, named: Q) -> bool:
    """Whether anybody is named, who may have been listed by somebody else just now."""
    return list_members(resource_type, context, only=named).seen > 0


def _let_go(resource_type: ResourceType, context: Context, chosen: Q) -> bool:
    using = database()
    people = resource_type.queryset(context.connection).using(using).filter(chosen)
    return let_go(context, list(people)) > 0


def _rest(connection: Connection, seconds: float) -> None:
    """Put off the next search, where one takes long."""
    if seconds > QUICK:
        due = timezone.now() + timedelta(seconds=seconds * REST)
        Connection.objects.filter(pk=connection.pk).update(members_due_at=due)


def take_in_named(resource_type: ResourceType, context: Context, query: ListQuery) -> bool:
    """Take in the members whom the query asks for by name; whether there were any."""
    named = _named(resource_type, query)
    if not named:
        return False
    try:
        return _take_in(resource_type, context, named)
    except DatabaseError:
        logger.exception("A member of an organization could not be listed")
        return False


def let_go_shown(resource_type: ResourceType, context: Context, scim_ids: Sequence[Any]) -> bool:
    """Let go those of the resources with these ids who left; whether anybody had."""
    members = Members(context).all.order_by().filter(pk=OuterRef("account"))
    shown = Q(scim_id__in=scim_ids, account__isnull=False) & ~Q(Exists(members))
    try:
        return _let_go(resource_type, context, shown)
    except DatabaseError:
        logger.exception("Members who left an organization could not be taken out")
        return False


def is_start(query: ListQuery) -> bool:
    """Whether the query reads a list from its start."""
    return query.start_index == 1 and not query.cursor


def asks_by_name(resource_type: ResourceType, query: ListQuery) -> bool:
    """Whether the query looks people up by what an index of the site's accounts finds."""
    return bool(_named(resource_type, query))


def _named(resource_type: ResourceType, query: ListQuery) -> Q | None:
    """The accounts that the filter asks for, None where it asks in another way."""
    if not query.filter:
        return None
    names: set[str] = set()
    addresses: set[str] = set()
    for path, text in list(_looked_up(parse_filter(query.filter)))[:_MOST_NAMES]:
        names |= set(spellings(text)) if path == "username" else set()
        addresses |= {text, text.lower()} if path in ("emails", "emails.value") else set()
    found = Q()
    if names:
        found |= Q(**{f"{get_user_model().USERNAME_FIELD}__in": sorted(names)})
    if addresses and (field := _indexed_address(resource_type)):
        found |= Q(**{f"{field}__in": sorted(addresses)})
    return found or None


def _looked_up(tree: Filter[AttributePath], within: str = "") -> Iterator[tuple[str, str]]:
    """``(path, text)`` of what is compared for equality, paths in lower case."""
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from _looked_up(term, within)
        case ValuePath(path, inner):
            yield from _looked_up(inner, f"{path.name.lower()}.")
        case Comparison(path, "eq", str(text)):
            sub = f".{path.sub}" if path.sub else ""
            yield f"{within}{path.name}{sub}".lower(), text


def _indexed_address(resource_type: ResourceType) -> str | None:
    """The account's column of e-mail addresses, where an index finds what is in it."""
    attribute = AttributePath("emails").resolve(resource_type.resource_schema)
    fields = resource_type.home(attribute).account_fields if attribute else frozenset()
    for name in fields:
        field: Any = account_field(name)
        if field.unique or field.db_index:
            return name
    return None


def has_left(context: Context, row: Resource) -> bool:
    """Whether the account of a row is of no member any more, on a connection that lists them."""
    account: Any = row.account
    if not lists_members(context) or not organizations().has_left(account, context.owner):
        return False
    return not Members(context).all.filter(pk=account.pk).exists()
