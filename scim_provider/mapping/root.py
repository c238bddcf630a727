"""The root endpoint: resources of all types in one list, one order, one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, Q, When

from scim_provider.models import Resource
from scim_provider.protocol.errors import InvalidPath
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.projection import Projection

from .context import Context
from .document import Document
from .functions import NOTHING
from .query import order_rows
from .resource_type import Page, count_of, page_of
from .writing import StoredResourceType


def query_types(types: Sequence[StoredResourceType], context: Context, query: ListQuery) -> Page:
    """A page over all ``types``; names that a type does not have are "no value" there."""
    condition = NOTHING
    for each in types:
        own = each.queryset(context.connection)
        own = own.filter(each.condition(query, context, lenient=True))
        condition |= Q(pk__in=own.values("pk"))
    found = Resource.objects.filter(condition, connection=context.connection)
    total = count_of(found)
    rows = page_of(
        found.select_related("account").order_by(*_order(types, context, query)), query, total
    )
    return Page(total, query.start_index, _documents(list(rows), types, context, query))


def _order(types: Sequence[StoredResourceType], context: Context, query: ListQuery) -> list[Any]:
    descending = query.sort_order == "descending"
    if not query.sort_by:
        return order_rows(None, descending=descending)
    cases, refusals = [], []
    for each in types:
        try:
            target = each.sort_target(query.sort_by)
        except InvalidPath as error:
            refusals.append(error)
            continue
        expression = each.home(target).order(target, context)
        if expression is not None:
            cases.append(When(resource_type=each.name, then=expression))
    if len(refusals) == len(types) > 0:
        raise refusals[0]
    return order_rows(Case(*cases, default=None) if cases else None, descending=descending)


def _documents(
    rows: list[Resource], types: Sequence[StoredResourceType], context: Context, query: ListQuery
) -> list[Document]:
    documents: dict[int, Document] = {}
    for each in types:
        own = [row for row in rows if row.resource_type == each.name]
        projection = Projection.parse(
            query.attributes, query.excluded_attributes, each.resource_schema
        )
        pairs = zip(own, each.documents(own, context, projection), strict=True)
        documents |= {row.pk: document for row, document in pairs}
    return [documents[row.pk] for row in rows]
