"""The stock site, which the driver puts through everything, has no settings of ours."""

from __future__ import annotations

import ast
from pathlib import Path

SETTINGS = Path(__file__).parent / "stock" / "settings.py"


def test_the_site_configures_nothing_of_ours() -> None:
    assigned = {
        target.id
        for node in ast.walk(ast.parse(SETTINGS.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert not {name for name in assigned if name.startswith(("SCIM", "AUTH", "REST"))}
