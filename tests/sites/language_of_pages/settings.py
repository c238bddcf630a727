"""Pages begin with a language; SCIM stands outside of ``i18n_patterns``, as docs say."""

from __future__ import annotations

from tests.sites.language_prefix.settings import *  # noqa: F403

ROOT_URLCONF = "tests.sites.language_of_pages.urls"
