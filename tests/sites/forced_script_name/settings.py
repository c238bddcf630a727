"""The site is ``/app`` of a host whose proxy passes on what comes after it."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

FORCE_SCRIPT_NAME = "/app"
WSGI_APPLICATION = "tests.sites.forced_script_name.wsgi.application"
STATIC_URL = "/app/static/"
