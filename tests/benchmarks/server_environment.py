"""What this process and the server process are told: the same environment."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path


def inherit(options: Namespace, url: str, folder: Path) -> None:
    """Set the environment, which the server process inherits."""
    os.environ |= {
        "DATABASE_URL": url,
        "BENCH_FOLDER": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "DEBUG": "0",
    }
    if options.without_orjson:
        os.environ["BENCH_WITHOUT_ORJSON"] = "1"
