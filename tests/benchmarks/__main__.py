"""``python -m tests.benchmarks``: see options.py, and docs/scale.md for what it found."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

import django
from django.utils.module_loading import import_string

from . import options, server_environment

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped too
    chosen = options.parse()
    with tempfile.TemporaryDirectory(prefix="scim-bench-") as name:
        folder = Path(name)
        url = options.database_url(chosen.database, chosen.keep, folder)
        server_environment.inherit(chosen, url, folder)
        django.setup()
        import_string("tests.benchmarks.run.run")(chosen, folder)
