"""The command line."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_DATABASE = "postgres://postgres@127.0.0.1:5432/"


def parse(arguments: list[str] | None = None) -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the SCIM endpoints under gunicorn beside two floors.",
    )
    parser.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL") or DEFAULT_DATABASE,
        metavar="URL",
        help="The server to make a database on; sqlite: for a file.",
    )
    parser.add_argument("--sizes", type=_sizes, default=[1_000, 20_000, 100_000], metavar="N,N,…")
    parser.add_argument("--operations", default="", metavar="TEXT,…", help="Only those named so.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=10, help="Requests in a round.")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--keep", default="", metavar="NAME", help="Use this database and keep it.")
    parser.add_argument("--without-orjson", action="store_true")
    parser.add_argument("--profile", default="", metavar="OPERATION", help="Where the time goes.")
    parser.add_argument("--times", type=int, default=300, help="Requests under the profiler.")
    return parser.parse_args(arguments)


def _sizes(text: str) -> list[int]:
    return sorted(int(part.replace("_", "")) for part in text.split(","))


def database_url(database: str, keep: str, folder: Path) -> str:
    """The URL of the benchmark's own database on the server that was named."""
    name = keep or f"scim_bench_{os.getpid()}"
    if database.startswith("sqlite"):
        return f"sqlite:///{(Path(name) if keep else folder / name).resolve()}"
    return urlsplit(database)._replace(path=f"/{name}").geturl()
