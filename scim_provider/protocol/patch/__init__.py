"""PATCH (RFC 7644 §3.5.2): body → operations → another document.

after = apply(before, parse_patch(body, schema), schema)
"""

from __future__ import annotations

from .engine import apply
from .operation import Operation, OperationName
from .parser import ReceivedPatch, parse_patch, read_patch

__all__ = [
    "Operation",
    "OperationName",
    "ReceivedPatch",
    "apply",
    "parse_patch",
    "read_patch",
]
