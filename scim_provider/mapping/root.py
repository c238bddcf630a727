"""The root endpoint: resources of all types in one list, one order, one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, CharField, Field, Q, TextField, Value, When

from scim_provider.models import Resource
from scim_provider.protocol.errors import InvalidPath
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Target

from .context import Context
from .cursors import CursorSigner
from .document import Document
from .functions import NOTHING
from .keyset import Order
from .paging import Page, QuerySetRows, page_of
from .writing import StoredResourceType


def query_types(types: Sequence[StoredResourceType], context: Context, query: ListQuery) -> Page:
    """A page over all ``types``; names that a type does not have are "no value" there."""
    condition = NOTHING
    for each in types:
        each.list_new(context)
        condition |= _own(each, context, query)
    rows = Resource.objects.filter(connection=context.connection).select_related("account")
    for each in types:
        rows = each.annotated(rows)
    order = _order(types, context, query)
    signer = CursorSigner(context.connection, "/", query)
    page = page_of(QuerySetRows(rows, condition, order), query, signer)
    documents = _documents(page.rows, types, context, query)
    return Page(page.total, page.start_index, documents, page.next_cursor)


def _own(each: StoredResourceType, context: Context, query: ListQuery) -> Q:
    """The rows of one type that match; without a filter no sub-query need find them."""
    if not query.filter and type(each).queryset is StoredResourceType.queryset:
        return Q(resource_type=each.name)
    rows = each.queryset(context.connection)
    return Q(pk__in=rows.filter(each.condition(query, context, lenient=True)).values("pk"))


def _order(types: Sequence[StoredResourceType], context: Context, query: ListQuery) -> Order:
    descending = query.sort_order == "descending"
    if not query.sort_by:
        return Order(None, descending)
    cases, fields, refusals = [], [], []
    for each in types:
        try:
            target = each.sort_target(query.sort_by)
        except InvalidPath as error:
            refusals.append(error)
            continue
        expression = _key(each, target, context)
        if expression is not None:
            fields.append(_held_in(expression))
            cases.append(When(resource_type=each.name, then=expression))
    if len(refusals) == len(types) > 0:
        raise refusals[0]
    if not cases:
        return Order(None, descending)
    alike = len({type(field) for field in fields}) == 1
    field = fields[0] if alike else CharField()
    return Order(Case(*cases, default=None, output_field=field), descending)


def _key(each: StoredResourceType, target: Target, context: Context) -> Any:
    home = each.home(target)
    shared = home.shared_key(target)
    return home.order(target, context) if shared is None else Value(shared)


def _held_in(expression: Any) -> Field[Any, Any]:
    """The kind of column that the sort keys are from; those of the index are always texts."""
    field = Resource.objects.annotate(key=expression).query.annotations["key"].output_field
    return CharField() if isinstance(field, CharField | TextField) else field


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
