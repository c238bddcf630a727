"""The example site as it is, with the floors among its URLs."""

from __future__ import annotations

import os
import sys

if os.environ.get("BENCH_WITHOUT_ORJSON"):
    sys.modules["orjson"] = None  # type: ignore[assignment]  # an import of it fails from now on

from example_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.urls"
