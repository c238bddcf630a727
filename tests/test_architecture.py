"""docs/design.md says who may import whom; this holds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400

PROTOCOL_MAY_NOT = ("django", "rest_framework", "settings_ui")
#: Folder or file → the packages that must not be imported in it.
FORBIDDEN = {
    "scim_provider/protocol": (
        *PROTOCOL_MAY_NOT,
        "scim_provider.api",
        "scim_provider.conf",
        "scim_provider.mapping",
        "scim_provider.models",
        "scim_provider.resources",
    ),
    "scim_provider/mapping": (
        "rest_framework",
        "settings_ui",
        "django.http",
        "scim_provider.api",
        "scim_provider.resources",
    ),
    "scim_provider/resources.py": (
        "rest_framework",
        "settings_ui",
        "django.http",
        "scim_provider.api",
    ),
    "scim_provider/api": ("settings_ui", "django.db.models", "scim_provider.mapping"),
    "scim_provider": ("settings_ui", "example_project", "tests"),
    "settings_ui": (
        "rest_framework",
        "example_project",
        "tests",
        "scim_provider.api",
        "scim_provider.mapping",
        "scim_provider.resources",
    ),
}
STOREYS = ("scim_provider/protocol", "scim_provider/mapping", "scim_provider/api")
PACKAGES = ("scim_provider", "settings_ui", "example_project", "tests")


def modules(place: str) -> list[Path]:
    """The Python files in a folder, or the one file; migrations are Django's to write."""
    path = ROOT / place
    found = [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))
    return [one for one in found if "migrations" not in one.parts]


def imports(path: Path) -> Iterator[str]:
    """The full dotted names that a module imports, relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def in_functions(path: Path) -> Iterator[int]:
    """The lines of imports inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    yield inner.lineno


@pytest.mark.parametrize("place", FORBIDDEN)
def test_imports_point_downwards(place: str) -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(place)
        for name in imports(path)
        if any(within(name, package) for package in FORBIDDEN[place])
    ]
    assert upward == []


@pytest.mark.parametrize("storey", STOREYS)
def test_a_storey_hides_no_import_in_a_function(storey: str) -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules(storey)
        for line in in_functions(path)
    ]
    assert hidden == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short_enough_to_read(package: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(package)
    }
    assert lengths, f"{package} has no modules"
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_every_transaction_names_its_database() -> None:
    """A site's router may keep SCIM in another database than the default one."""
    unnamed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for place in ("scim_provider", "settings_ui")
        for path in modules(place)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"transaction.atomic", "transaction.on_commit"}
        and "using" not in {keyword.arg for keyword in node.keywords}
    ]
    assert unnamed == []


def test_the_walk_sees_relative_imports() -> None:
    path = ROOT / "scim_provider" / "management" / "commands" / "scim_connection.py"
    assert "scim_provider.keys" in set(imports(path))
    assert "scim_provider.conf.scim_settings" in set(imports(ROOT / "scim_provider" / "keys.py"))
