"""PATCH on random documents: against another implementation, and against hostile bodies."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from scim2_models import EnterpriseUser, PatchOp, User

from scim_provider.protocol.core import ENTERPRISE_USER, ENTERPRISE_USER_URN, USER, USER_URN
from scim_provider.protocol.document import read_document
from scim_provider.protocol.errors import ScimError
from scim_provider.protocol.patch import apply, parse_patch
from scim_provider.protocol.schema import ResourceSchema

from .fixture_schemas import GROUP_SCHEMA, TEST_URN, USER_SCHEMA

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SCHEMA = ResourceSchema(USER, (ENTERPRISE_USER,))

# --- The oracle: scim2-models ---

#: Where the two differ on purpose, by what an operation looks like: the text that decides.
DIFFERENCES = {
    "a filter without a sub-attribute is replaced": (
        "RFC 7644 §3.5.2.3: the matching values are replaced, whole; scim2-models merges"
    ),
    "an add through a filter that selects nothing": (
        "RFC 7644 §3.5.2.1: what does not exist is added; erratum 8097 is held, scim2-models "
        "answers noTarget"
    ),
    "an element with a present type and value is added": (
        "RFC 7643 §2.4: the same type and value are not returned twice; scim2-models appends it "
        "if it differs in anything else"
    ),
    "a filter gives two elements the same type and value": (
        "RFC 7643 §2.4: they become one; scim2-models keeps both"
    ),
    "a filter makes more than one element primary": (
        "RFC 7643 §2.4: refused; scim2-models takes the one that was not primary before"
    ),
}

WORDS = ["Alpha", "Béta", "gamma delta", "O'Neil"]
MAILS = [f"m{n}@example.com" for n in range(5)]
TYPES = ["work", "home", "other"]
SIMPLE = ["displayName", "title", "nickName", "userType", "NAME.givenName", "name.familyName"]
SELECTED = ['emails[type eq "work"]', 'emails[value sw "m1" or type eq "home"]', "emails[type pr]"]


def random_mail(random: Random) -> dict[str, Any]:
    mail: dict[str, Any] = {"value": random.choice(MAILS), "type": random.choice(TYPES)}
    if random.random() < 0.2:
        mail["primary"] = random.random() < 0.7
    if random.random() < 0.2:
        mail["display"] = random.choice(WORDS)
    return mail


def random_mails(random: Random) -> list[dict[str, Any]]:
    mails = [random_mail(random) for _ in range(random.randint(1, 3))]
    distinct = list({(mail["value"], mail["type"]): mail for mail in mails}.values())
    for mail in distinct[1:]:
        mail.pop("primary", None)
    return distinct


def random_document(random: Random) -> dict[str, Any]:
    document: dict[str, Any] = {"schemas": [USER_URN], "id": "u1", "userName": "ada"}
    for name in ("displayName", "title"):
        if random.random() < 0.5:
            document[name] = random.choice(WORDS)
    if random.random() < 0.6:
        document["name"] = {"givenName": random.choice(WORDS), "familyName": "F"}
    if random.random() < 0.7:
        document["emails"] = random_mails(random)
    if random.random() < 0.4:
        document["schemas"].append(ENTERPRISE_USER_URN)
        document[ENTERPRISE_USER_URN] = {"department": random.choice(WORDS)}
    return document


def random_operation(random: Random) -> dict[str, Any]:
    op = random.choice(["add", "replace", "remove"])
    word = random.choice(WORDS)
    match random.randrange(9):
        case 0 | 1:
            path = random.choice(SIMPLE)
            value: Any = word
        case 2:
            path, value = "name", {"middleName": word, "givenName": random.choice([word, None])}
        case 3:
            path, value = "emails", random_mails(random)
        case 4:
            sub = random.choice(["display", "type"])
            path, value = f"{random.choice(SELECTED)}.{sub}", random.choice(["other", word])
        case 5:
            path, value = random.choice(SELECTED), {"display": word}
        case 6:
            path, value = f"{ENTERPRISE_USER_URN}:{random.choice(['department', 'division'])}", word
        case 7:
            op, path, value = "replace", f"{random.choice(SELECTED)}.primary", True
        case _:
            op = "add" if op == "remove" else op
            return {"op": op, "value": {"nickName": word, "name": {"givenName": word}}}
    return {"op": op, "path": path} | ({} if op == "remove" else {"value": value})


def difference(operation: dict[str, Any], document: dict[str, Any]) -> str | None:
    """The kind of difference to be expected of an operation on a document, if any."""
    path, op = operation.get("path", ""), operation["op"]
    if op == "replace" and path.endswith("]"):
        return "a filter without a sub-attribute is replaced"
    if op == "add" and "[" in path:
        remove = {"op": "remove", "path": path.partition("]")[0] + "]"}
        if ours(document, [remove]) == canonical(document):
            return "an add through a filter that selects nothing"
    if "]." in path:
        after = ours(document, [operation])
        if path.endswith(".primary") and after == "refused":
            return "a filter makes more than one element primary"
        if after != "refused" and len(after.get("emails", [])) < len(document.get("emails", [])):
            return "a filter gives two elements the same type and value"
    if op == "add" and path == "emails":
        present = {(m["value"], m.get("type")) for m in document.get("emails", [])}
        if any((m["value"], m["type"]) in present for m in operation["value"]):
            return "an element with a present type and value is added"
    return None


def canonical(document: dict[str, Any]) -> Any:
    """Comparable: values as sets, no difference that means nothing."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            members = {name: walk(item) for name, item in value.items()}
            return {
                name: item
                for name, item in members.items()
                if item not in (None, [], {}) and not (name == "primary" and item is False)
            }
        if isinstance(value, list):
            return sorted(map(walk, value), key=lambda item: json.dumps(item, sort_keys=True))
        return value

    return walk({name: document[name] for name in document if name not in ("schemas", "meta")})


def ours(document: dict[str, Any], operations: list[dict[str, Any]]) -> Any:
    body = {"schemas": [PATCH_URN], "Operations": operations}
    try:
        return canonical(apply(document, parse_patch(body, SCHEMA, strict=True), SCHEMA))
    except ScimError:
        return "refused"


def theirs(document: dict[str, Any], operations: list[dict[str, Any]]) -> Any:
    model = User[EnterpriseUser]
    body = {"schemas": [PATCH_URN], "Operations": operations}
    try:
        resource = model.model_validate(copy.deepcopy(document))
        PatchOp[model].model_validate(copy.deepcopy(body)).patch(resource)
    except Exception:
        return "refused"
    return canonical(json.loads(resource.model_dump_json(by_alias=True, exclude_none=True)))


@pytest.mark.parametrize("seed", range(10))
def test_scim2_models_agrees_but_where_the_text_decides(seed: int) -> None:
    random = Random(seed)
    agreed = 0
    for _ in range(60):
        document = random_document(random)
        operations = []
        now = document
        for _ in range(random.randint(1, 3)):
            operation = random_operation(random)
            kind = difference(operation, now)
            if kind is None:
                operations.append(operation)
                after = ours(document, operations)
                now = document if after == "refused" else after
            else:
                assert kind in DIFFERENCES
        if operations:
            expected = theirs(document, operations)
            assert ours(document, operations) == expected, (document, operations)
            agreed += 1
    assert agreed > 30


OLD, NEW, RECASED = "old@example.com", "new@example.com", "OLD@example.com"
TWO = [{"value": OLD, "type": "work", "primary": True}, {"value": OLD, "type": "home"}]
APART = [TWO[0], {"value": NEW, "type": "home"}]
EXAMPLES = [
    (
        {"op": "replace", "path": 'emails[type eq "work"]', "value": {"value": NEW}},
        [{"value": NEW}, {"value": OLD, "type": "home"}],
    ),
    (
        {"op": "add", "path": 'emails[type eq "other"].value', "value": NEW},
        [*TWO, {"value": NEW, "type": "other"}],
    ),
    (
        {
            "op": "add",
            "path": "emails",
            "value": {"value": RECASED, "type": "home", "display": "D"},
        },
        [TWO[0], {"value": OLD, "type": "home", "display": "D"}],
    ),
    (
        {"op": "replace", "path": "emails[type pr].type", "value": "other"},
        [{"value": OLD, "type": "other", "primary": True}],
    ),
    ({"op": "replace", "path": "emails[type pr].primary", "value": True}, None),
]


@pytest.mark.parametrize(("operation", "expected"), EXAMPLES, ids=list(DIFFERENCES))
def test_the_differences_are_these(
    operation: dict[str, Any], expected: list[dict[str, Any]] | None
) -> None:
    emails = APART if expected is None else TWO
    document = {"schemas": [USER_URN], "id": "u1", "userName": "ada", "emails": emails}
    wanted = "refused" if expected is None else canonical({**document, "emails": expected})
    assert ours(document, [operation]) == wanted
    assert theirs(document, [operation]) != wanted


# --- Whatever is sent ---

NAMES = [
    "userName",
    "USERNAME",
    "active",
    "name",
    "name.givenName",
    "emails",
    "emails.value",
    'emails[type eq "work"].value',
    'emails[type eq "work"]',
    "emails[",
    "members",
    'members[value eq "a"]',
    "id",
    "meta",
    "schemas",
    "groups",
    "manager",
    "roles",
    "value",
    "type",
    "primary",
    "$ref",
    "displayName",
    "op",
    "path",
    "Operations",
    USER_URN,
    ENTERPRISE_USER_URN,
    f"{ENTERPRISE_USER_URN}:manager",
    f"{ENTERPRISE_USER_URN}.manager.value",
    "urn:",
    "",
    "nope",
]
SCALARS = [None, True, False, 0, -1, 2.5, 10**400, float("inf"), "", "x", "True", "\x00", "\ud800"]
CASES = 150


def random_json(random: Random, depth: int = 3) -> Any:
    kind = random.randrange(6) if depth else 0
    if kind <= 2:
        return random.choice(random.choice([SCALARS, NAMES]))
    if kind == 3:
        return [random_json(random, depth - 1) for _ in range(random.randrange(4))]
    names = random.choices([*NAMES, "x\ud800"], k=random.randrange(5))
    return {name: random_json(random, depth - 1) for name in names}


def random_request(random: Random) -> Any:
    if random.random() < 0.1:
        return random_json(random)
    request = {"op": random.choice(["add", "Replace", "remove"])}
    if random.random() < 0.7:
        request["path"] = random.choice(NAMES) if random.random() < 0.9 else random_json(random)
    if random.random() < 0.9:
        request["value"] = random_json(random)
    return request


DOCUMENTS = [
    (USER_SCHEMA, {"id": "u1", "userName": "ada", "emails": [{"value": "a", "type": "work"}]}),
    (GROUP_SCHEMA, {"id": "g1", "displayName": "G", "members": [{"value": "a"}]}),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_patch_is_applied_or_refused(seed: int, strict: bool) -> None:
    random = Random(seed)
    for _ in range(CASES):
        operations = [random_request(random) for _ in range(random.randint(1, 3))]
        body = {"schemas": [PATCH_URN], "Operations": operations}
        for schema, document in DOCUMENTS:
            before = copy.deepcopy(document)
            try:
                after = apply(document, parse_patch(body, schema, strict=strict), schema)
            except ScimError:
                continue
            finally:
                assert document == before
            again = read_document(after, schema).document
            assert {"id": after["id"], **again} == after, operations


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_any_body_is_read_or_refused(seed: int, strict: bool) -> None:
    random = Random(seed)
    for _ in range(CASES):
        body = random_json(random, depth=5)
        for schema in (USER_SCHEMA, GROUP_SCHEMA):
            for read in (parse_patch, read_document):
                with suppress(ScimError):
                    read(body, schema, strict=strict)


@pytest.mark.parametrize("seed", range(10))
def test_what_was_read_is_canonical(seed: int) -> None:
    random = Random(seed)
    for _ in range(CASES):
        attributes = {name: random_json(random) for name in random.choices(NAMES, k=3)}
        try:
            received = read_document({**attributes, "schemas": [], "userName": "a"}, USER_SCHEMA)
        except ScimError:
            continue
        body = {**received.document, "schemas": [USER_URN]}
        again = read_document(body, USER_SCHEMA, strict=True)
        assert again.document == received.document, attributes
        assert again.ignored == ()


def test_numbers_of_any_length_are_read_or_refused() -> None:
    body = {"userName": "a", TEST_URN: {"loginCount": 10**5000}}
    assert read_document(body, USER_SCHEMA).document == body
    with pytest.raises(ScimError):
        read_document({"userName": 10**5000}, USER_SCHEMA)
