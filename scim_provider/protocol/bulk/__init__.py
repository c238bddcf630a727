"""Bulk: many operations in one request (RFC 7644 §3.7)."""

from .execution import Service, Success, execute
from .plan import Step, plan
from .references import find_references, replace_references, without_references
from .request import BulkOperation, BulkRequest, bulk_response, read_bulk_request

__all__ = [
    "BulkOperation",
    "BulkRequest",
    "Service",
    "Step",
    "Success",
    "bulk_response",
    "execute",
    "find_references",
    "plan",
    "read_bulk_request",
    "replace_references",
    "without_references",
]
