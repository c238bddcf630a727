"""docs/troubleshooting.md lists every text that the API may answer, as the code says it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scim_provider.protocol import errors

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
PACKAGE = ROOT / "scim_provider"
#: Where the texts of answers are.
TOLD = ("api", "mapping", "protocol", "keys.py")
#: Sentences of discovery, which no error says.
DESCRIBE = (
    "protocol/core.py",
    "protocol/discovery.py",
    "protocol/discovery_schemas.py",
    "protocol/schema.py",
)
#: Sentences that never leave the process.
INTERNAL = {
    "Two creates match one account.",
    "The database takes other spellings for the same than Python does.",
    "What of protected people stays is asked one by one.",
    "Whether somebody else is left to administer is asked one by one.",
}
#: What only a request that somebody writes by hand is answered: the page explains it by scimType.
GRAMMAR = ("protocol/bulk", "protocol/filter", "protocol/patch")
GAP = "…"
SENTENCE = re.compile(rf"\.$|\. .*{GAP}$")


def files() -> list[Path]:
    found = [path for name in TOLD for path in [PACKAGE / name, *(PACKAGE / name).rglob("*.py")]]
    return sorted({path for path in found if path.suffix == ".py" and place(path) not in DESCRIBE})


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def template(node: ast.expr) -> str | None:
    """A text as the page quotes it: what is filled in is a gap."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (template(value) or GAP for value in node.values)
        return re.sub(f"{GAP}+", GAP, "".join(parts))
    return None


def sentences(path: Path) -> Iterator[str]:
    """The texts of a module that are whole sentences, but for its docstrings and what it logs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))  # a docstring
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
            skipped.update(id(part) for part in ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in ast.walk(node) if part is not node)
        if isinstance(node, ast.expr) and id(node) not in skipped:
            text = template(node)
            if text and text.count(" ") > 2 and SENTENCE.search(text):
                yield text.replace("\xa0", " ")


@cache
def by_file() -> dict[str, list[str]]:
    return {place(path): list(sentences(path)) for path in files()}


def told() -> dict[str, str]:
    """Every text that an administrator may meet, and the file that says it."""
    return {
        text: file
        for file, texts in by_file().items()
        if not file.startswith(GRAMMAR)
        for text in texts
        if text not in INTERNAL
    }


def quoted() -> set[str]:
    """The first cells of the page's tables of details."""
    rows = re.findall(r"^\| `([^`]+)` \|[^|\n]+\|[^|\n]+\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {row for row in rows if not row.isalpha()}


def test_every_text_of_an_answer_is_explained() -> None:
    missing = {text: file for text, file in told().items() if text not in quoted()}
    assert not missing, "add a row to docs/troubleshooting.md for each of these"


def test_every_explained_text_is_still_said() -> None:
    assert quoted() - told().keys() == set()


def test_what_a_request_by_hand_is_answered_is_explained_by_its_type() -> None:
    raised = {
        ast.unparse(node.func)
        for path in files()
        if place(path).startswith(GRAMMAR)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    types = {
        kind.scim_type
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ScimError)
        if kind.__name__ in raised and kind.scim_type
    }
    explained = set(re.findall(r"^\| `([a-zA-Z]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert types
    assert types <= explained
