"""Logs in to the running demo as its banner says and opens the security page.

check_demo.py URL < BANNER
"""

from __future__ import annotations

import re
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

STARTS_WITHIN = 180


def await_start(url: str) -> None:
    for _ in range(STARTS_WITHIN):
        try:
            with urlopen(f"{url}/healthz", timeout=5) as answer:
                assert answer.read() == b"ok"
                return
        except (URLError, ConnectionError):
            time.sleep(1)
    raise AssertionError(f"nothing answers at {url}")


def main(url: str, log: Path) -> None:
    try:
        await_start(url)
    finally:
        banner = log.read_text()
        print(banner)
    found = re.search(r"admin of Acme +(\S+) +(\S+)", banner)
    assert found, "the banner names no log-in"
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    login = browser.open(f"{url}/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login)
    assert token, "the log-in page has no form"
    form = {"csrfmiddlewaretoken": token[1], "username": found[1], "password": found[2]}
    home = browser.open(f"{url}/login/", urlencode(form).encode()).read().decode()
    assert "Log out" in home, "the log-in of the banner does not work"

    security = browser.open(f"{url}/settings/security/").read().decode()
    assert "SCIM" in security, "the security page does not speak of SCIM"
    stylesheet = re.search(r'href="(/static/settings_ui/[^"]+)"', security)
    assert stylesheet, "the security page has no style sheet"
    assert browser.open(url + stylesheet[1]).read(), "the style sheet is empty"
    config = browser.open(f"{url}/scim/v2/ServiceProviderConfig").read().decode()
    assert "authenticationSchemes" in config, "the SCIM endpoints do not answer"
    print("the demo serves its pages, its style sheets and SCIM")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
