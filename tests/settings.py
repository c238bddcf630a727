"""The example site, with what makes tests fast and nothing that changes its behaviour."""

from __future__ import annotations

from example_project.settings import *  # noqa: F403
from example_project.settings import INSTALLED_APPS

ROOT_URLCONF = "tests.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
# Tables of a site that the tests put in place of the example's organizations.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.sites.many_to_many"]
