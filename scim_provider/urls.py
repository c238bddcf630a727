"""Every URL under the base URL, and nothing outside: the last pattern answers what is left.

Slashes at the end and doubled ones are all the same, and nothing redirects: a redirect turns a
client's POST into a GET. So both ``path("scim/v2", include(…))`` and ``path("scim/v2/",
include(…))`` do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from django.urls import re_path
from django.urls.resolvers import URLPattern

from .api.bulk import BulkView
from .api.discovery import (
    ResourceTypesView,
    ResourceTypeView,
    SchemasView,
    SchemaView,
    ServiceProviderConfigView,
)
from .api.viewsets import ResourceViewSet, RootViewSet, UnknownEndpointView, UnsupportedView

app_name = "scim"

_View = Callable[..., HttpResponseBase]
_Actions = dict[str, Any]

_ROOT: _Actions = {"get": "list"}
_SEARCH: _Actions = {"post": "search"}
_COLLECTION: _Actions = {"get": "list", "post": "create"}
_RESOURCE: _Actions = {
    "get": "retrieve",
    "put": "update",
    "patch": "partial_update",
    "delete": "destroy",
}

_ENDPOINT = r"(?P<endpoint>[^/]+)"


def _pattern(regex: str, view: _View, name: str) -> URLPattern:
    """Each operation is a transaction of its own: ATOMIC_REQUESTS would put the record of a
    failed request into the one that is rolled back.
    """
    return re_path(regex, transaction.non_atomic_requests(view), name=name)


def _at(path: str, view: _View, name: str) -> URLPattern:
    """``path`` between any number of slashes; bracketed, as Django's checks warn of a first one."""
    return _pattern(rf"^[/]*{path}[/]*\Z", view, name)


urlpatterns = [
    _at("", RootViewSet.as_view(_ROOT), "root"),
    _at(r"\.search", RootViewSet.as_view(_SEARCH), "root-search"),
    _at("ServiceProviderConfig", ServiceProviderConfigView.as_view(), "service-provider-config"),
    _at("ResourceTypes", ResourceTypesView.as_view(), "resource-types"),
    _at("ResourceTypes[/]+(?P<type_name>[^/]+)", ResourceTypeView.as_view(), "resource-type"),
    _at("Schemas", SchemasView.as_view(), "schemas"),
    _at("Schemas[/]+(?P<urn>[^/]+)", SchemaView.as_view(), "schema"),
    _at("Bulk", BulkView.as_view(), "bulk"),
    _at("(?P<endpoint>Me)", UnsupportedView.as_view(), "unsupported"),
    _at("(?P<protocol_version>[vV][0-9.]+)(?:/.*)?", UnknownEndpointView.as_view(), "version"),
    _at(_ENDPOINT, ResourceViewSet.as_view(_COLLECTION), "resources"),
    _at(rf"{_ENDPOINT}[/]+\.search", ResourceViewSet.as_view(_SEARCH), "search"),
    _at(rf"{_ENDPOINT}[/]+(?P<scim_id>[^/]+)", ResourceViewSet.as_view(_RESOURCE), "resource"),
    _pattern("", UnknownEndpointView.as_view(), "unknown"),
]
