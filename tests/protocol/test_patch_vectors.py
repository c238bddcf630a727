"""Every PATCH vector, in the profile that its main answer describes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from scim_provider.protocol.errors import ScimError
from scim_provider.protocol.patch import apply, parse_patch

from .fixture_schemas import GROUP_SCHEMA, USER_SCHEMA

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parent.parent / "vectors" / "patch-vectors.json").read_text("utf-8")
)["vectors"]
BY_ID = {vector["id"]: vector for vector in VECTORS}
SCHEMAS = {"User": USER_SCHEMA, "Group": GROUP_SCHEMA}

#: What the main answer refuses, the default profile takes: the strict one refuses it.
STRICT = {
    "PV-022": "unknown attributes are ignored unless strict",
    "PV-051": "unknown attributes are ignored unless strict",
    "PV-109": "Entra expects the element to be created",
    "PV-111": "Entra expects the element to be created",
}
#: Answered elsewhere, or otherwise.
EXCEPT = {
    "PV-062": "uniqueness is the database's to decide",
    "PV-151": "an empty list names no member to remove: the vector's other answer",
}


def body_of(vector: dict[str, Any]) -> Any:
    if "request" in vector:
        return vector["request"]
    urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    return {"schemas": [urn], "Operations": vector["operations"]}


def run(vector: dict[str, Any], *, strict: bool = False) -> tuple[Any, Any]:
    """The document before and after, or the error in its place."""
    schema = SCHEMAS[vector["resourceType"]]
    before = {name: value for name, value in vector["before"].items() if value != []}
    untouched = copy.deepcopy(before)
    try:
        operations = parse_patch(
            body_of(vector), schema, strict=strict, scim_id=vector["before"]["id"]
        )
        after: Any = apply(before, operations, schema)
    except ScimError as error:
        after = error
    assert before == untouched, "the input has been changed"
    return before, after


def canonical(value: Any) -> Any:
    """Comparable as the file's ``about`` asks for: sets, and no difference that means nothing."""
    if isinstance(value, dict):
        members = {name: canonical(item) for name, item in value.items() if name != "meta"}
        return {
            name: item
            for name, item in members.items()
            if item not in (None, [], {}) and not (name == "primary" and item is False)
        }
    if isinstance(value, list):
        return sorted(
            (canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
    return value


def at(document: Any, path: str) -> Any:
    """The values at ``members.value``, or at an attribute of any extension."""
    name, sub = path.split(".")
    holders = [document, *(value for key, value in document.items() if key.startswith("urn:"))]
    found = next(holder[name] for holder in holders if name in holder)
    return [item[sub] for item in found] if isinstance(found, list) else found[sub]


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in VECTORS if v["id"] not in EXCEPT]
)
def test_patch_vector(vector: dict[str, Any]) -> None:
    before, after = run(vector, strict=vector["id"] in STRICT)
    if "error" in vector:
        assert isinstance(after, ScimError), f"{vector['why']}: {after}"
        expected = vector["error"]
        assert after.status == expected["status"]
        assert after.scim_type in [expected["scimType"], *expected.get("scimTypeAlt", [])]
        return
    assert not isinstance(after, ScimError), f"{vector['why']}: {after!r}"
    if "compare" in vector:
        assert at(after, vector["compare"]) == at(vector["after"], vector["compare"])
    else:
        assert canonical(after) == canonical(vector["after"]), vector["why"]
    if "modified" in vector:
        assert (after != before) is vector["modified"]


@pytest.mark.parametrize("vector_id", ["PV-022", "PV-051"])
def test_unknown_attributes_are_ignored_by_default(vector_id: str) -> None:
    before, after = run(BY_ID[vector_id])
    assert after == before


@pytest.mark.parametrize("vector_id", ["PV-109", "PV-111"])
def test_a_replace_that_selects_nothing_creates_by_default(vector_id: str) -> None:
    _, after = run(BY_ID[vector_id])
    assert canonical(after) == canonical(BY_ID[vector_id]["compat"]["entra"])


def test_a_remove_with_an_empty_list_removes_nobody() -> None:
    before, after = run(BY_ID["PV-151"])
    assert after == before


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS) == 154
