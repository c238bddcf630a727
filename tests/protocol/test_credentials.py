from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_provider.protocol.credentials import (
    ALPHABET,
    KEY_LENGTH,
    candidate,
    checksum_ok,
    describe,
    new_secret,
)

#: Fixed, because the names of the tests hold them and must be the same in every process.
KEY = "scim_25Vepkce_pSLUrvJOXjYns5LjQCzedOXc68TeuQ0EKEIEv5d0eIC2cQfBO"
OTHER_KEY = "scim_VNBdzAbG_yi1APnoigWtYmtDrDQ46sZyE5Kd7rHSF4Z2Cqibtpyj3aU0Gg"
PREFIXES = ["Acme-API-Key", "Acme API Key"]


def test_a_key_has_the_published_length_and_a_right_checksum() -> None:
    assert KEY.startswith("scim_")
    assert len(new_secret()) == KEY_LENGTH
    assert checksum_ok(KEY)


def test_keys_do_not_repeat() -> None:
    assert len({new_secret() for _ in range(200)}) == 200


@given(st.integers(5, KEY_LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    wrong = KEY[:position] + character + KEY[position + 1 :]
    assert checksum_ok(wrong) == (wrong == KEY)


@pytest.mark.parametrize(
    "form",
    [
        "{k}",
        "Bearer {k}",
        "bearer {k}",
        "BEARER {k}",
        "Bearer Bearer {k}",
        "bearer Bearer BEARER {k}",
        "Acme-API-Key {k}",
        "acme-api-key {k}",
        "Acme API Key {k}",
        "Bearer Acme-API-Key {k}",
        "Bearer Acme API Key {k}",
        "Klaviyo-API-Key {k}",
        "Bearer Klaviyo-API-Key {k}",
        "Token {k}",
        "Token token={k}",
        'Token token="{k}"',
        "Authorization: Bearer {k}",
        "authorization:bearer {k}",
        "Bearer Authorization: Bearer {k}",
        "Bearer: {k}",
        "Bearer:{k}",
        "  Bearer   {k}  ",
        "Bearer\t{k}",
        "Bearer {k}\r\n",
        '"{k}"',
        "'Bearer {k}'",
        "Bearer “{k}”",
        "Bearer <{k}>",
        "Bearer {k},",
        "Bearer\u00a0{k}",
        "\ufeffBearer {k}",
        "Bearer {k} {k}",
    ],
)
def test_every_way_admins_send_the_key_is_understood(form: str) -> None:
    assert candidate(form.format(k=KEY), PREFIXES) == KEY


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "Send the access key"),
        ("   ", "Send the access key"),
        ("Bearer", "is missing"),
        ("Acme-API-Key", "is missing"),
        ("https://app.example.com/scim/v2", "looks like the base URL"),
        ("Bearer https://app.example.com/scim/v2", "looks like the base URL"),
        ("Basic dXNlcjpwYXNzd29yZA==", "not accepted here"),
        ("Bearer eyJhbGciOi.eyJzdWIi.c2ln", "JSON Web Token"),
        (f"Bearer {KEY[:-4]}", "cut short"),
        (f"Bearer {KEY}abc", "extra characters"),
        (f"Bearer {KEY[:20]}{'a' if KEY[20] != 'a' else 'b'}{KEY[21:]}", "mistyped"),
        (f"Bearer {KEY} {OTHER_KEY}", "more than one"),
        (f"Bearer {KEY} Bearer", "more than one"),
        ("scim_••••Zo9x", "masked key"),
        ("Bearer ••••••••", "masked key"),
        ("Bearer something-else", 'starts with "scim_"'),
        (f"a b c d e {KEY}", "more than one"),
    ],
)
def test_anything_else_is_no_key_and_the_reason_is_told(header: str, said: str) -> None:
    assert candidate(header, PREFIXES) is None
    assert said in describe(header, PREFIXES)


@given(st.text(max_size=300))
def test_no_header_breaks_the_parser_or_is_repeated(header: str) -> None:
    assert candidate(header) is None
    told = describe(header)
    long_words = [word for word in header.split() if len(word) > 12]
    assert not any(word in told for word in long_words)


def test_the_reason_never_repeats_a_damaged_key() -> None:
    for damaged in (KEY[:-3], KEY + "x", KEY.swapcase(), f"{KEY} {new_secret()}"):
        told = describe(f"Bearer {damaged}")
        assert KEY[14:40] not in told
        assert KEY[14:40].swapcase() not in told


@pytest.mark.parametrize("scheme", ["Digest", "basic", "NTLM", "Negotiate"])
def test_a_scheme_that_carries_something_else_is_refused_by_name(scheme: str) -> None:
    header = f"{scheme} {new_secret()}"
    assert candidate(header) is None
    assert scheme in describe(header)
