"""The web server mounts the site at ``/app``, as mod_wsgi's ``WSGIScriptAlias /app`` does."""

from __future__ import annotations

from tests.sites.stock.settings import *  # noqa: F403

WSGI_APPLICATION = "tests.sites.mounted_script.wsgi.application"
SCIM_PROVIDER = {"BASE_URL": "http://testserver/app"}
