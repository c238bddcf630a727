"""Where the service provider is mounted, and its base URL: one for all, or one per organization.

A mount may take arguments, ``path("scim/<slug:organization>/v2", include(…))``, and organizations
may have hosts of their own; :class:`~scim_provider.organizations.Organizations` says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import NoReverseMatch, get_resolver, get_script_prefix, get_urlconf, reverse
from django.utils.regex_helper import normalize
from django.utils.translation import get_language

from .conf import scim_settings
from .organizations import organizations

APP = "scim"
#: What the patterns of ``scim_provider.urls`` capture; all else belongs to the mount.
VIEW_KWARGS = frozenset({"endpoint", "scim_id", "type_name", "urn", "protocol_version"})


class Mount(NamedTuple):
    """One ``include("scim_provider.urls")``: its URL without the arguments, and their names."""

    namespace: str
    path: str
    names: tuple[str, ...]


def mounts() -> tuple[Mount, ...]:
    """Where the service provider is mounted, those with arguments first."""
    return _mounts(*_depends_on())


@lru_cache(maxsize=64)
def _mounts(*depends_on: str | None) -> tuple[Mount, ...]:
    resolver = get_resolver(get_urlconf())
    found = [
        Mount(namespace, *_normal(resolver.namespace_dict[namespace][0]))
        for namespace in dict.fromkeys(resolver.app_dict.get(APP, ()))
    ]
    return tuple(sorted(found, key=lambda mount: not mount.names))


def _normal(prefix: str) -> tuple[str, tuple[str, ...]]:
    path, names = normalize(prefix)[0]
    return path % dict.fromkeys(names, ""), tuple(names)


def mount_kwargs(match: Any) -> dict[str, Any]:
    """What the mount's part of a URL captured."""
    other = VIEW_KWARGS | match.extra_kwargs.keys()
    return {name: value for name, value in match.kwargs.items() if name not in other}


def view_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a URL's arguments that our views take."""
    return {name: value for name, value in kwargs.items() if name in VIEW_KWARGS}


def base_url(request: HttpRequest | None = None, owner: Model | None = None) -> str:
    """What the admin of ``owner`` types into the identity provider; no slash at the end.

    A request under a mount is answered with the URLs of that mount, whoever asks. Elsewhere the
    organization's own URL comes before one for all. ``SCIM_PROVIDER["BASE_URL"]`` decides where
    the site is; without it the request does; without both the answer is only the path. Raises
    ``NoReverseMatch`` where nothing is mounted.
    """
    path = asked_mount(request) if request is not None else None
    if request is None or path is None:
        return own_url(request, owner)
    return _absolute(path, request, request.get_host() if is_at_own_host(request) else "")


def own_url(request: HttpRequest | None, owner: Model | None) -> str:
    """The base URL of ``owner``, whatever the URL of ``request``."""
    return _absolute(_mount(_settled(_url_kwargs(owner))), request, _host(owner))


def asked_mount(request: HttpRequest) -> str | None:
    """The path of the mount that ``request`` is under."""
    match: Any = request.resolver_match
    if match is None or APP not in match.app_names:
        return None
    return _reversed(f"{match.namespace}:root", _settled(mount_kwargs(match)), *_depends_on())


def is_at_own_url(request: HttpRequest, owner: Model | None) -> bool:
    """Whether the URL and the host of ``request``, as far as they name one, name ``owner``."""
    match: Any = request.resolver_match
    if match is not None and (asked := mount_kwargs(match)):
        own = _url_kwargs(owner)
        if any(str(value) != str(own.get(name, "")) for name, value in asked.items()):
            return False
    return not is_at_own_host(request) or _hostname(request) == _host(owner)


def is_at_own_host(request: HttpRequest) -> bool:
    """Whether the host of ``request`` is one that organizations have to themselves."""
    site = organizations()
    return bool(site.domain) and site.is_own_host(_hostname(request))


def _url_kwargs(owner: Model | None) -> Mapping[str, Any]:
    return {} if owner is None else organizations().url_kwargs(owner)


def _host(owner: Model | None) -> str:
    return "" if owner is None else organizations().host(owner).lower()


def _hostname(request: HttpRequest) -> str:
    return split_domain_port(request.get_host())[0]


def _absolute(mount: str, request: HttpRequest | None, host: str) -> str:
    """The mount at the site's root, whose host gives way to ``host``; the port stays."""
    root = _root(mount, request)
    if not host or not root:
        return root + mount
    parts = urlsplit(root)
    port = f":{parts.port}" if parts.port and ":" not in host else ""
    return parts._replace(netloc=f"{host}{port}").geturl() + mount


def _root(mount: str, request: HttpRequest | None) -> str:
    """The URL of the site: what may be configured is that of a mount."""
    configured = scim_settings.base_url
    if not configured:
        return "" if request is None else f"{request.scheme}://{request.get_host()}"
    named = (path for path in _paths(mount) if urlsplit(configured).path.endswith(path))
    return _without_script(configured.removesuffix(next(named, "")))


def _without_script(root: str) -> str:
    """``root`` less the path where the server mounts the site, which is in the mount's path too.

    Only in a request: outside of one nobody knows that path, and only ``BASE_URL`` has it.
    """
    script = get_script_prefix().rstrip("/")
    return root.removesuffix(script) if urlsplit(root).path == script else root


def _paths(mount: str) -> Iterator[str]:
    """``mount``, and the mounts that are the same for all."""
    yield mount
    for one in mounts():
        if not one.names:
            yield _reversed(f"{one.namespace}:root", (), *_depends_on())


_Kwargs = tuple[tuple[str, Any], ...]


def _settled(kwargs: Mapping[str, Any]) -> _Kwargs:
    return tuple(sorted(kwargs.items()))


def _mount(kwargs: _Kwargs) -> str:
    """The mount that takes ``kwargs``, else the one for all."""
    names = {name for name, _ in kwargs}
    for mount in mounts():
        if names.issuperset(mount.names):
            given = tuple((name, value) for name, value in kwargs if name in mount.names)
            return _reversed(f"{mount.namespace}:root", given, *_depends_on())
    raise NoReverseMatch(
        "The SCIM endpoints are not mounted at a URL for this organization. "
        "See url_kwargs of the class in SCIM_PROVIDER['ORGANIZATIONS']."
    )


def _depends_on() -> tuple[str | None, ...]:
    return settings.ROOT_URLCONF, get_urlconf(), get_script_prefix(), get_language()


@lru_cache(maxsize=1024)
def _reversed(name: str, kwargs: _Kwargs, *depends_on: str | None) -> str:
    """The path of a mount, which takes long to find out and hardly ever changes."""
    return reverse(name, kwargs=dict(kwargs)).rstrip("/")
