"""Settings: system checks, the base URL, proxies, the cache."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from secrets import token_hex
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.checks import ERROR, WARNING, run_checks
from rest_framework.settings import api_settings

from scim_provider.conf import scim_settings

from .finding import Finding, error, info, ok, warning

_OURS = ("scim_provider.", "scim_settings_ui.")
#: Of a URL.
_CREDENTIALS = re.compile(r"//[^/\s]*@")
#: Caches of one process, or of none.
_OWN_CACHES = ("LocMemCache", "DummyCache")


def check_system() -> Iterator[Finding]:
    """Django's system checks, those for deployment too."""
    try:
        every = run_checks(include_deployment_checks=True)
    except Exception as failure:  # A URLconf or a check of the site's own may raise anything.
        what = f"The system checks end with {type(failure).__name__}: {failure}."
        yield error("checks", what, "Requests end alike.", "See python manage.py check.")
        return
    found = [each for each in every if not each.is_silenced()]
    ours = [each for each in found if str(each.id).startswith(_OURS)]
    broken = [each for each in found if each.level >= ERROR and each not in ours]
    for each in [*broken, *ours]:
        make = error if each.level >= ERROR else warning if each.level >= WARNING else info
        why = "The site says so itself: python manage.py check --deploy."
        yield make("checks", f"{each.id}: {each.msg}", why, str(each.hint or ""))
    others = sorted({str(each.id) for each in found if each not in (*ours, *broken)})
    if others:
        do = "Read them: python manage.py check --deploy."
        yield info("checks", f"Django has remarks on the deployment: {', '.join(others)}.", "", do)
    if not ours and not broken:
        yield ok("checks", "The system checks have nothing against the configuration.")


def check_base_url(url: str) -> Iterator[Finding]:
    """What identity providers demand of a base URL, before anybody asks it."""
    parts = urlsplit(url)
    if not parts.netloc:
        yield info(
            "base URL",
            f"It is taken from each request; only its path, {url}, is known here.",
            "Behind a proxy the host and the scheme may be other ones than the public ones.",
            "Set SCIM_PROVIDER['BASE_URL'], or give --base-url to have it examined.",
        )
        return
    problems = list(_url_problems(parts))
    yield from problems
    if not problems:
        yield ok("base URL", f"{url} is one that every identity provider takes.")


def _url_problems(parts: SplitResult) -> Iterator[Finding]:
    if _is_local(parts.hostname or ""):
        yield warning(
            "base URL",
            f"{parts.hostname} is an address of this machine or network.",
            "An identity provider on the internet cannot reach it.",
            "Set SCIM_PROVIDER['BASE_URL'] to the public URL; for a trial, use a tunnel.",
        )
    elif parts.scheme != "https":
        yield error(
            "base URL",
            "It is not https.",
            "The access key travels readable, and Okta and Entra ID refuse plain HTTP.",
            "Serve the site by TLS and set BASE_URL to https://….",
        )
    if "@" in parts.netloc:
        yield error(
            "base URL",
            "There is a name or a password in it.",
            "It is shown on the settings page and in every answer, and no identity provider "
            "sends it.",
            "Leave it out: the access key is the credential.",
        )
    if "_" in parts.netloc.rpartition("@")[2] + parts.path:
        yield warning(
            "base URL",
            "There is an underscore in it.",
            "Okta refuses such a base URL.",
            "Mount the endpoints at a path without one: hyphens do.",
        )


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith((".local", ".localhost", ".internal")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def check_proxy(url: str) -> Iterator[Finding]:
    """Whether Django learns what the proxy in front of it knows."""
    secure = urlsplit(url).scheme == "https"
    if secure and settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        yield warning(
            "proxy",
            "SECURE_SSL_REDIRECT is on, and SECURE_PROXY_SSL_HEADER is not set.",
            "Behind a proxy that ends TLS every request looks like HTTP and is redirected for "
            "ever. Identity providers follow no redirect.",
            "Set SECURE_PROXY_SSL_HEADER to what your proxy sends, if there is one.",
        )
    elif not scim_settings.base_url and not settings.SECURE_PROXY_SSL_HEADER:
        yield info(
            "proxy",
            "Neither BASE_URL nor SECURE_PROXY_SSL_HEADER is set.",
            "Behind a proxy that ends TLS the settings page shows http:// for a base URL.",
            "Set SCIM_PROVIDER['BASE_URL'].",
        )
    elif scim_settings.base_url:
        yield ok("proxy", "The base URL does not depend on a proxy's headers.")
    else:
        name, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
        header = name.removeprefix("HTTP_").replace("_", "-")
        yield ok("proxy", f"Whether a request came by https is read in the header {header}.")
    if scim_settings.get("THROTTLE_RATE") and api_settings.NUM_PROXIES is None:
        yield info(
            "proxy",
            "REST_FRAMEWORK['NUM_PROXIES'] is not set.",
            "Refused keys are counted by the peer's address: behind a proxy, all together.",
            "Set it to the number of proxies in front of the site.",
        )


def check_cache() -> Iterator[Finding]:
    """The rate limit counts in the default cache."""
    if not scim_settings.get("THROTTLE_RATE"):
        yield ok("cache", "There is no rate limit, so the cache is not needed.")
        return
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    if backend.endswith(_OWN_CACHES):
        yield warning(
            "cache",
            f"The rate limit counts in {backend.rpartition('.')[2]}.",
            "Each process counts for itself: N workers let N times the rate pass.",
            "Use a cache that all workers share: Redis or Memcached.",
        )
        return
    yield _round_trip()


def _round_trip() -> Finding:
    key, value = f"scim_provider:doctor:{token_hex(8)}", token_hex(8)
    try:
        cache.set(key, value, timeout=60)
        kept = cache.get(key) == value
        cache.delete(key)
    except ValueError:  # It may quote a part of the password.
        return _no_cache("The LOCATION of the default cache cannot be read.")
    except Exception as away:  # Every cache has its own for being away.
        said = _CREDENTIALS.sub("//", str(away))
        return _no_cache(f"The default cache does not answer: {said}.")
    return (
        ok("cache", "The default cache keeps what it is given.")
        if kept
        else _no_cache("The default cache forgets at once what it is given.")
    )


def _no_cache(what: str) -> Finding:
    why = "Requests are let pass uncounted: there is no rate limit."
    return warning("cache", what, why, "Look at CACHES and at the server that it names.")
