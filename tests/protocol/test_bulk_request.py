"""BulkRequest messages: what is wrong with the whole, and with one operation (RFC 7644 §3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.protocol.bulk import BulkOperation, BulkRequest, read_bulk_request
from scim_provider.protocol.errors import InvalidSyntax, PayloadTooLarge

from .bulk_service import BASE_URL, BULK_REQUEST, post

DELETE = {"method": "DELETE", "path": "/Users/1"}


def read(*operations: Any, **members: Any) -> BulkRequest:
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
    return read_bulk_request(body, base_url=BASE_URL, max_operations=5)


def only(operation: Any) -> BulkOperation:
    (read_operation,) = read(operation).operations
    return read_operation


# -- the whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {"schemas": None},
        {"schemas": []},
        {"schemas": BULK_REQUEST},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]},
        {"Operations": None},
        {"Operations": []},
        {"Operations": {}},
        {"Operations": "POST"},
        {"failOnErrors": -1},
        {"failOnErrors": "1"},
        {"failOnErrors": 1.5},
        {"failOnErrors": True},
        {"failOnErrors": [1]},
    ],
)
def test_a_message_that_is_wrong_as_a_whole_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntax):
        read(DELETE, **members)


def test_two_posts_of_one_bulk_id_leave_open_what_a_reference_means() -> None:
    with pytest.raises(InvalidSyntax, match="'a'"):
        read(post("a"), DELETE, post("a", "/Groups"))


def test_bulk_ids_that_differ_by_case_differ_and_others_may_repeat_one() -> None:
    tagged = {**DELETE, "bulkId": "a"}
    request = read(post("a"), post("A"), tagged, tagged)
    assert [operation.bulk_id for operation in request.operations] == ["a", "A", "a", "a"]
    assert not any(operation.error for operation in request.operations)


def test_too_many_operations_are_refused_before_any_is_looked_at() -> None:
    with pytest.raises(PayloadTooLarge, match="at most 5"):
        read(*[post("a")] * 6)
    assert len(read(*[DELETE] * 5).operations) == 5


@pytest.mark.parametrize(("sent", "read_as"), [(None, None), (0, None), (3, 3), (10**40, 10**40)])
def test_fail_on_errors_of_none_is_no_limit(sent: Any, read_as: Any) -> None:
    assert read(DELETE, failOnErrors=sent).fail_on_errors == read_as


def test_names_of_members_may_be_in_any_case() -> None:
    body = {"SCHEMAS": [BULK_REQUEST.lower()], "operations": [{"METHOD": "delete", "Path": "/a/b"}]}
    request = read_bulk_request(body | {"failonerrors": 2}, base_url=BASE_URL, max_operations=1)
    assert request.fail_on_errors == 2
    (operation,) = request.operations
    assert (operation.method, operation.endpoint, operation.scim_id) == ("DELETE", "/a", "b")


# -- one operation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/Users/1", "Users/1", "//Users//1", "/Users/1/", f"{BASE_URL}/Users/1", "/Users/%31"],
)
@pytest.mark.parametrize("method", ["PUT", "put", "Put"])
def test_a_path_may_come_in_several_spellings(path: str, method: str) -> None:
    operation = only({"method": method, "path": path, "data": {"name": "x"}})
    assert operation.error is None
    assert (operation.method, operation.endpoint, operation.scim_id) == ("PUT", "/Users", "1")


@pytest.mark.parametrize("path", ["/Users", "Users", "Users/", f"{BASE_URL}/Users/"])
def test_a_post_goes_to_an_endpoint(path: str) -> None:
    operation = only(post("a", path))
    assert operation.error is None
    assert (operation.endpoint, operation.scim_id, operation.creates) == ("/Users", "", "a")


def test_a_bulk_id_in_a_path_may_hold_anything() -> None:
    operation = only({"method": "DELETE", "path": "/Users/bulkId:a/b%31?c"})
    assert operation.references == {"a/b%31?c"}


@pytest.mark.parametrize(
    "operation",
    [
        None,
        7,
        "POST",
        [],
        [DELETE],
        {},
        {"path": "/Users/1"},
        {"method": "DELETE"},
        {**DELETE, "method": "GET"},
        {**DELETE, "method": None},
        {**DELETE, "method": ["DELETE"]},
        {**DELETE, "path": ""},
        {**DELETE, "path": "/"},
        {**DELETE, "path": 7},
        {**DELETE, "path": "/Users"},
        {**DELETE, "path": "https://elsewhere.example/scim/v2/Users/1"},
        {**DELETE, "path": BASE_URL},
        {**DELETE, "version": 7},
        {**DELETE, "version": ['W/"1"']},
        {**post("a"), "bulkId": None},
        {**post("a"), "bulkId": ""},
        {**post("a"), "bulkId": 7},
        {**post("a"), "path": "/Users/1"},
        {**post("a"), "path": "/Users/.search"},
        {**post("a"), "data": None},
        {**post("a"), "data": [{}]},
        {**post("a"), "data": "{}"},
        {"method": "POST", "bulkId": "a", "path": "/Users"},
        {"method": "PUT", "path": "/Users/1"},
        {"method": "PUT", "path": "/Users/1", "data": [{"op": "add"}]},
        {"method": "PATCH", "path": "/Users/1"},
        {"method": "PATCH", "path": "/Users/1", "data": "x"},
    ],
)
def test_one_operation_that_is_wrong_is_that_ones_error(operation: Any) -> None:
    request = read(DELETE, operation, DELETE)
    first, wrong, last = request.operations
    assert isinstance(wrong.error, InvalidSyntax)
    assert not wrong.references
    assert (first.error, last.error) == (None, None)


def test_the_data_of_a_patch_is_a_message_or_its_operations_alone() -> None:
    operations = [{"op": "remove", "path": "nickName"}]
    message = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    }
    for data in (operations, message):
        assert only({"method": "PATCH", "path": "/Users/1", "data": data}).data == message


def test_the_data_of_a_delete_means_nothing() -> None:
    operation = only({**DELETE, "data": {"value": "bulkId:a"}})
    assert (operation.data, operation.references, operation.error) == (None, frozenset(), None)
