"""What an identity provider would see at the public URL, told apart by ``scim_doctor``."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import override_settings

from scim_provider.doctor import Finding, Severity
from scim_provider.doctor.reachability import check_reachability

Reply = tuple[int, dict[str, str], str]
SCIM = {"Content-Type": "application/scim+json"}


def scim_error(status: int, detail: str) -> Reply:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail}
    return status, SCIM, json.dumps(body | {"status": str(status)})


def service(method: str, path: str, headers: Any, root: str) -> Reply:
    """What this package answers to a key that nobody has."""
    if not headers.get("Authorization") and path.endswith("/ServiceProviderConfig"):
        meta = {"location": f"{root}/scim/v2/ServiceProviderConfig"}
        return 200, SCIM, json.dumps({"schemas": ["urn:x"], "meta": meta})
    if not headers.get("Authorization"):
        return scim_error(401, "Send the access key in the Authorization header.")
    return scim_error(401, "This access key is not known here.")


Site = Callable[[str, str, Any, str], Reply]


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """A server that answers as ``site`` says; gives its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            root = f"http://{self.headers['Host']}"
            status, headers, body = site(self.command, self.path, self.headers, root)
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(body.encode())), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/scim/v2"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def seen(site: Site) -> list[Finding]:
    with serving(site) as url:
        return list(check_reachability(url, timeout=5))


def problems(site: Site) -> str:
    bad = [each for each in seen(site) if each.severity > Severity.OK]
    assert all(each.why and each.do for each in bad)
    return "\n".join(f"{each.severity.word} {each.what} {each.do}" for each in bad)


def test_a_site_that_answers_is_well() -> None:
    findings = seen(service)
    assert [(each.topic, each.severity) for each in findings] == [
        ("public URL", Severity.OK),
        ("proxy", Severity.OK),
    ]


def without_header(method: str, path: str, headers: Any, root: str) -> Reply:
    return service(method, "/Users", {}, root)


def let_in(method: str, path: str, headers: Any, root: str) -> Reply:
    return (
        200,
        SCIM,
        json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]}),
    )


def answering(status: int, kind: str = "text/html", **headers: str) -> Site:
    def site(method: str, path: str, sent: Any, root: str) -> Reply:
        more = {name: value.replace("ROOT", root) for name, value in headers.items()}
        return status, {"Content-Type": kind, **more}, "<h1>No</h1>"

    return site


@pytest.mark.parametrize(
    ("site", "says"),
    [
        (without_header, "WSGIPassAuthorization On"),
        (let_in, "Exclude the path from caching"),
        (answering(301, Location="https://other.example.com/scim/v2/Users"), "other.example.com"),
        (answering(302, Location="/login/?next=/scim/v2"), "Something asks for a login"),
        (answering(301, Location="https://127.0.0.1/scim/v2/Users"), "it leads to"),
        (answering(401), "Something in front asks for its own password"),
        (answering(403), "A firewall refuses it"),
        (answering(404), "The endpoints are not at this URL"),
        (answering(400), "ALLOWED_HOSTS"),
        (answering(429), "Too many requests"),
        (answering(500), "Look at the site's log"),
        (answering(502), "The proxy gets no answer"),
        (answering(200), "answers 200 with text/html"),
        (answering(200, "application/json"), "answers 200 with application/json"),
    ],
)
def test_what_is_in_the_way_is_named(site: Site, says: str) -> None:
    told = problems(site)
    assert told.startswith("error ")
    assert says in told


def test_a_firewall_that_knows_get_alone_is_seen() -> None:
    def site(method: str, path: str, headers: Any, root: str) -> Reply:
        if method in ("PATCH", "DELETE"):
            return answering(405)(method, path, headers, root)
        return service(method, path, headers, root)

    assert "refuses PATCH (405), DELETE (405)" in problems(site)


def test_a_site_that_takes_itself_for_another_is_seen() -> None:
    def site(method: str, path: str, headers: Any, root: str) -> Reply:
        return service(method, path, headers, "http://internal:8000")

    told = problems(site)
    assert "takes itself for http://internal:8000/scim/v2" in told
    assert "USE_X_FORWARDED_HOST" in told


def test_a_changed_content_type_and_a_wrong_clock_are_seen() -> None:
    def site(method: str, path: str, headers: Any, root: str) -> Reply:
        status, sent, body = service(method, path, headers, root)
        kind = {"Content-Type": "text/plain"} if status == 200 else sent
        return status, {**kind, "Date": "Wed, 01 Jan 2020 00:00:00 GMT"}, body

    told = problems(site)
    assert "The content type arrives as text/plain" in told
    assert "clock is -" in told


@override_settings(SCIM_PROVIDER={"PUBLIC_DISCOVERY": False})
def test_discovery_that_is_not_public_is_not_asked_for() -> None:
    assert [each.topic for each in seen(service)] == ["public URL"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:9/scim/v2", "Nothing listens"),
        ("https://user:word@127.0.0.1/scim/v2", "name and password"),
    ],
)
def test_no_answer_is_explained(url: str, says: str) -> None:
    (finding,) = check_reachability(url, timeout=2)
    assert finding.severity == Severity.ERROR
    assert says in finding.what


def test_tls_that_is_none_is_explained() -> None:
    with serving(service) as url:
        (finding,) = check_reachability(url.replace("http:", "https:"), timeout=2)
    assert "does not speak TLS" in finding.what


@pytest.mark.django_db(transaction=True)
def test_the_real_site_is_well(live_server: Any) -> None:
    findings = list(check_reachability(f"{live_server.url}/scim/v2", timeout=5))
    assert {each.severity for each in findings} == {Severity.OK}, findings


@pytest.mark.parametrize("document", [{"schemas": None}, {"schemas": 5}, {"schemas": "urn:x"}, []])
def test_json_of_another_service_is_no_answer_of_ours(document: Any) -> None:
    def other(method: str, path: str, headers: Any, root: str) -> Reply:
        return 401, {"Content-Type": "application/json"}, json.dumps(document)

    assert "It answers 401 with application/json" in problems(other)


@pytest.mark.parametrize("meta", [None, [], "x", {"location": 5}])
def test_a_location_that_is_none_is_told(meta: Any) -> None:
    def site(method: str, path: str, headers: Any, root: str) -> Reply:
        if path.endswith("/ServiceProviderConfig"):
            return 200, SCIM, json.dumps({"schemas": ["urn:x"], "meta": meta})
        return service(method, path, headers, root)

    assert "The site takes itself for" in problems(site)


def test_a_date_without_a_zone_is_read() -> None:
    def site(method: str, path: str, headers: Any, root: str) -> Reply:
        status, more, body = service(method, path, headers, root)
        return status, {**more, "Date": "Wed, 01 Jan 2020 00:00:00 -0000"}, body

    assert "seconds from this machine's" in problems(site)
