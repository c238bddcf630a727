"""Access keys as text: their format, and the key in an Authorization header (RFC 6750 §2.1).

A key is ``scim_<8 public>_<43 secret><6 checksum>``, letters and digits only, so that a double
click selects it whole. 43 of 62 characters are 256 bits; the checksum tells a mistyped or cut
key without a look-up.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from collections.abc import Sequence

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
START = "scim_"
PUBLIC_LENGTH = 8
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
KEY_LENGTH = len(START) + PUBLIC_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH

_KEY = re.compile(
    rf"{START}[0-9A-Za-z]{{{PUBLIC_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}\Z"
)
#: A scheme or a vendor's prefix in front of the key: ``Bearer``, ``Acme-API-Key``, ``token=``.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9._~+/-]*[:=]?\Z")
#: What a paste brings along and no key contains. The first one is a byte order mark.
_NOISE = str.maketrans(dict.fromkeys("\ufeff\u200b\u00a0\t\r\n\"'`“”‘’«»<>,;", " "))
#: Schemes that carry something else than a bearer credential (the IANA registry's).
_OTHER_SCHEMES = frozenset(
    {"basic", "digest", "dpop", "hoba", "mutual", "negotiate", "ntlm", "vapid"}
)
#: "Authorization: Bearer Prefix Bearer key" and nothing longer.
_MOST_WORDS = 5


def new_secret() -> str:
    """A fresh access key, its checksum included."""
    body = f"{START}{_random(PUBLIC_LENGTH)}_{_random(SECRET_LENGTH)}"
    return body + _checksum(body)


def checksum_ok(secret: str) -> bool:
    """Whether ``secret`` is a whole, correctly typed key. It need not be a known one."""
    if not _KEY.match(secret):
        return False
    return secret[-CHECKSUM_LENGTH:] == _checksum(secret[:-CHECKSUM_LENGTH])


def candidate(header: str, prefixes: Sequence[str] = ()) -> str | None:
    """The key in the value of an Authorization header, or None where :func:`describe` says why.

    Accepted are the bare key and the key after scheme words, however often and in any case:
    ``Bearer k``, ``Acme-API-Key k``, ``bearer Bearer k``, ``Authorization: Bearer k``, with
    quotes and blanks around. ``prefixes`` are the site's own, which may be more than one word.
    """
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and checksum_ok(rest):
        return rest  # as it should be, and nearly always is
    words = _words(header, prefixes)
    if not words or len(words) > _MOST_WORDS:
        return None
    *schemes, key = words
    if not checksum_ok(key) or not all(_is_scheme(word, key) for word in schemes):
        return None
    return key


def describe(header: str, prefixes: Sequence[str] = ()) -> str:
    """Why ``header`` holds no key, for an admin; never repeats what was sent."""
    words = _words(header, prefixes)
    if not words:
        return "Send the access key in the Authorization header."
    found = [word for word in words if word.startswith(START)]
    if not found:
        return _not_a_key(words)
    if words[0].lower() in _OTHER_SCHEMES:
        return f"The scheme {words[0]} does not carry an access key. Send it after Bearer."
    if len(set(found)) > 1 or len(words) > _MOST_WORDS or words[-1] != found[-1]:
        return (
            "The Authorization header holds more than one access key. Send the key alone, "
            'optionally after "Bearer".'
        )
    return _damaged(found[-1])


def _words(header: str, prefixes: Sequence[str]) -> list[str]:
    text = header.translate(_NOISE)
    for prefix in prefixes:
        if " " in prefix:
            text = re.sub(re.escape(prefix), " ", text, flags=re.IGNORECASE)
    text = re.sub(r"([:=])(?=scim_|bearer\b)", r"\1 ", text, flags=re.IGNORECASE)
    return [word for word in text.split() if word not in (":", "=")]


def _is_scheme(word: str, key: str) -> bool:
    """A scheme word; the same key pasted twice is no second key."""
    if word.lower() in _OTHER_SCHEMES:
        return False
    return word == key or (not word.startswith(START) and bool(_SCHEME.match(word)))


def _not_a_key(words: list[str]) -> str:
    last = words[-1].lower()
    if "://" in last or last.startswith("/"):
        return "This looks like the base URL, not the access key."
    if last in ("bearer", "authorization:") or (len(words) == 1 and last.endswith("-api-key")):
        return "The Authorization header names a scheme, and the access key after it is missing."
    if words[0].lower() == "basic":
        return (
            "User name and password are not accepted here. Choose the bearer token or HTTP "
            "header mode and send the access key."
        )
    if last.startswith("eyj"):
        return "This is a JSON Web Token, not an access key. Send the access key of this site."
    if "•" in last or "*" in last:
        return "This is the masked key. The whole key is shown only once, when it is created."
    return f'This is not an access key of this site. An access key starts with "{START}".'


def _damaged(key: str) -> str:
    if "•" in key or "…" in key or "*" in key:
        return "This is the masked key. The whole key is shown only once, when it is created."
    if len(key) < KEY_LENGTH:
        return "The access key is cut short. Copy it whole, or create a new one."
    if len(key) > KEY_LENGTH:
        return "There are extra characters after the access key. Copy it again."
    return (
        "The access key is mistyped: its check digits do not fit. Keys are case-sensitive; "
        "copy the key instead of typing it."
    )


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
