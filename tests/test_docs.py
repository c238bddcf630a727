"""The reference page names every setting, policy, check and command that there is, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from scim_provider.conf import DEFAULTS
from scim_provider.models import Connection
from settings_ui.conf import DEFAULTS as UI_DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "settings.md").read_text("utf-8")
APPS = ("scim_provider", "settings_ui")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "defaults"), [("`SCIM_PROVIDER`", DEFAULTS), ("`SCIM_SETTINGS_UI`", UI_DEFAULTS)]
)
def test_every_setting_is_documented_with_its_default(title: str, defaults: dict) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section(title), re.MULTILINE))
    assert rows.keys() == defaults.keys()
    for name, shown in rows.items():
        if shown.startswith("`"):
            assert ast.literal_eval(shown.strip("` ")) == defaults[name], name


def test_every_policy_is_documented() -> None:
    documented = first_column(section("Policies of a connection"))
    fields = {field.name for field in Connection._meta.get_fields()}
    assert documented <= fields
    policies = ("unknown_", "missing_", "on_", "existing_")
    assert {name for name in fields if name.startswith(policies)} <= documented


def test_every_check_is_documented() -> None:
    sources = [path.read_text("utf-8") for app in APPS for path in (ROOT / app).glob("*checks.py")]
    in_code = set(re.findall(r'"(scim_\w+\.[EW]\d{3})"', "".join(sources)))
    in_code |= {f"scim_provider.{number}" for number in NUMBERS.findall("".join(sources))}
    assert first_column(section("System checks")) == in_code


def test_every_command_is_documented() -> None:
    commands = {
        name
        for name, app in get_commands().items()
        if str(app).startswith(("scim_provider", "settings_ui", "example_project"))
    }
    documented = {text.split()[0] for text in first_column(section("Commands"))}
    assert documented == commands


APPS = ("scim_provider", "settings_ui")
#: The checks of homes name their numbers alone.
NUMBERS = re.compile(r'(?:_error|_warning)\(\s*"([EW]\d{3})"')


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_a_page_and_its_heading(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text("utf-8")):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_index_links_every_page() -> None:
    linked = re.findall(r"\]\(([\w.-]+\.md)\)", (ROOT / "docs" / "README.md").read_text("utf-8"))
    assert {*linked, "README.md"} == {page.name for page in (ROOT / "docs").glob("*.md")}
    assert len(linked) == len(set(linked))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_in_docs_is_python(path: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.M | re.S):
        code = next(line for line in block.splitlines() if line and not line.startswith("#"))
        source = f"class Shown:\n{block}" if code.startswith(" ") else block
        compile(source, path.name, "exec")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}
