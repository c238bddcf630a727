"""What an identity provider sees that asks the public URL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from scim_provider.conf import scim_settings
from scim_provider.protocol.credentials import describe, new_secret
from scim_provider.simulator.client import Answer, BadSetting, Client, Unreachable

from .finding import Finding, error, ok, warning

#: Seconds that the clock of the answer may differ.
_SKEW = 120
_TOPIC = "public URL"
_USERS = "/Users?filter=userName%20eq%20%22scim-doctor%40example.invalid%22&startIndex=1&count=1"
_ACCEPT = {"Accept": "application/scim+json"}
_SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def check_reachability(url: str, *, timeout: float) -> Iterator[Finding]:
    """Ask as an identity provider does, with a key that nobody has: the right answer is 401."""
    try:
        client = Client(url, f"Bearer {new_secret()}", timeout=timeout)
        answer = client.send("GET", _USERS, headers=_ACCEPT)
    except (BadSetting, Unreachable) as problem:
        why = "An identity provider gets no answer either."
        yield error(_TOPIC, str(problem), why, "Mend that first, then run this again.")
        return
    with_key = _judged(answer, url)
    yield with_key or ok(_TOPIC, f"{url} answers, and reads the Authorization header.")
    yield from _clock(answer)
    if with_key is None:
        try:
            yield from _methods(client)
            yield from _discovery(client, url)
        except Unreachable as problem:
            yield error(_TOPIC, str(problem), "The first request was answered.", "Try again.")
    client.close()


def _judged(answer: Answer, url: str) -> Finding | None:
    """What is wrong with the answer to a key that nobody has, or None."""
    if 300 <= answer.status < 400:
        return _redirected(answer, url)
    if answer.status == 401 and _is_ours(answer):
        return _no_header() if answer.error_detail == describe("") else None
    if answer.status == 200 and _is_scim(answer):
        return _let_in()
    return _stranger(answer)


def _is_scim(answer: Answer) -> bool:
    document = answer.document
    return isinstance(document, dict) and isinstance(document.get("schemas"), list)


def _is_ours(answer: Answer) -> bool:
    return _is_scim(answer) and _SCIM_ERROR in answer.document["schemas"]


def _redirected(answer: Answer, url: str) -> Finding:
    target = answer.headers.get("location", "")
    parts, here = urlsplit(target), urlsplit(url)
    why = "Identity providers follow no redirect: a POST would become a GET."
    if (parts.scheme, parts.netloc) == ("https", here.netloc) and here.scheme == "https":
        do = (
            "The site redirects to itself: it takes the request for plain HTTP. Set "
            "SECURE_PROXY_SSL_HEADER to what the proxy sends, such as "
            "('HTTP_X_FORWARDED_PROTO', 'https')."
        )
    elif parts.netloc and parts.netloc != here.netloc:
        do = f"Use the URL that it leads to as base URL ({parts.netloc}), or end the redirect."
    elif parts.scheme == "https":
        do = "Use https in the base URL."
    else:
        do = (
            "Something asks for a login or adds a slash before SCIM is asked: let it pass the "
            "path of the endpoints by."
        )
    return error(_TOPIC, f"It redirects ({answer.status}) to {target[:200]}.", why, do)


def _no_header() -> Finding:
    return error(
        _TOPIC,
        "The site does not get the Authorization header.",
        "Every access key is refused with 401, whatever it is.",
        "Let the web server pass it on. Apache with mod_wsgi: WSGIPassAuthorization On. Apache "
        "with a proxy or FastCGI: CGIPassAuth On. nginx drops it only where told to "
        '(proxy_set_header Authorization ""). API gateways have a list of headers to pass.',
    )


def _let_in() -> Finding:
    return error(
        _TOPIC,
        "A key that nobody has was let in.",
        "Either the address belongs to another service, or something in front answers from a "
        "cache without looking at the key.",
        "Exclude the path from caching; check that the base URL is this site's.",
    )


def _stranger(answer: Answer) -> Finding:
    kind = answer.content_type.partition(";")[0] or "no content type"
    what = f"It answers {answer.status} with {kind}, where 401 with application/scim+json is due."
    advice = {
        401: "Something in front asks for its own password: let it pass the path by.",
        403: "A firewall refuses it: allow the path, filters with quotes in them, and all methods.",
        404: "The endpoints are not at this URL: compare with the URLconf, and with what the proxy "
        "strips or adds.",
        429: "Too many requests came from here, or a limit in front is low: wait, and look there.",
    }
    do = advice.get(answer.status, "Look at the site's log: the error is there.")
    if answer.status in (400, 421):
        do = "Name the host in ALLOWED_HOSTS, and look at what the proxy sends as Host."
    elif answer.status in (502, 503, 504):
        do = "The proxy gets no answer from the site: is it running, and in time?"
    return error(_TOPIC, what, "An identity provider shows this as a failed test.", do)


def _clock(answer: Answer) -> Iterator[Finding]:
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return
    told = told if told.tzinfo else told.replace(tzinfo=UTC)  # "-0000" names no zone
    skew = (told - datetime.now(UTC)).total_seconds()
    if abs(skew) > _SKEW:
        yield warning(
            "clock",
            f"The server's clock is {skew:+.0f} seconds from this machine's.",
            "Keys and cursors end by the clock of whoever answers.",
            "Let both keep time by NTP.",
        )


def _methods(client: Client) -> Iterator[Finding]:
    """Firewalls often know GET and POST alone."""
    refused = []
    for method in ("PUT", "PATCH", "DELETE"):
        headers = _ACCEPT | {"Content-Type": "application/scim+json"}
        answer = client.send(method, "/Users/scim-doctor", headers=headers, body={})
        if answer.status != 401 or not _is_ours(answer):
            refused.append(f"{method} ({answer.status})")
    if refused:
        yield error(
            _TOPIC,
            f"Something in front of the site refuses {', '.join(refused)}.",
            "People could be created and neither changed nor deactivated.",
            "Allow GET, POST, PUT, PATCH and DELETE below the base URL.",
        )


def _discovery(client: Client, url: str) -> Iterator[Finding]:
    """The site's own idea of its URL, as it stands in what it answers."""
    if not scim_settings.public_discovery:
        return
    answer = client.send("GET", "/ServiceProviderConfig", headers={"Authorization": None})
    if answer.status != 200 or not _is_scim(answer):
        yield _stranger(answer)
        return
    meta = answer.document.get("meta")
    told = meta.get("location", "") if isinstance(meta, dict) else ""
    if not str(told).lower().startswith(url.lower()):
        yield error(
            "proxy",
            f"The site takes itself for {str(told).removesuffix('/ServiceProviderConfig')}.",
            "That is the base URL in every answer and on the settings page; the public one is "
            f"{url}.",
            "Set SCIM_PROVIDER['BASE_URL'], or let the proxy send X-Forwarded-Proto and "
            "X-Forwarded-Host and set SECURE_PROXY_SSL_HEADER and USE_X_FORWARDED_HOST.",
        )
    elif "json" not in answer.content_type:
        yield warning(
            _TOPIC,
            f"The content type arrives as {answer.content_type or 'none'}.",
            "Strict clients refuse it.",
            "Let the proxy leave Content-Type alone.",
        )
    else:
        yield ok("proxy", "The site knows its public URL.")
