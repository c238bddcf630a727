"""What is installed is what the repository says."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata, requires, version
from pathlib import Path

import pytest

import scim_provider

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTION = PROJECT["name"]


def test_the_version_is_said_once() -> None:
    assert version(DISTRIBUTION) == scim_provider.__version__


def test_a_site_gets_django_rest_framework_and_nothing_else() -> None:
    needed = [line for line in requires(DISTRIBUTION) or [] if "extra ==" not in line]
    names = {re.split(r"[^A-Za-z0-9-]", line)[0] for line in needed}
    assert names == {"django", "djangorestframework"}
    assert not any("<" in line for line in needed), "a cap breaks other people's sites"


def test_the_extras_are_those_of_the_project_file() -> None:
    assert set(metadata(DISTRIBUTION).get_all("Provides-Extra") or []) == set(
        PROJECT["optional-dependencies"]
    )


@pytest.mark.parametrize("package", ["scim_provider", "settings_ui"])
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize("package", ["scim_provider", "settings_ui"])
def test_every_translation_is_compiled(package: str) -> None:
    sources = list((ROOT / package).rglob("*.po"))
    assert [po.name for po in sources if not po.with_suffix(".mo").exists()] == []
