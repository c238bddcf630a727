"""Keeping the access key out of everything that is shown."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import quote

HIDDEN = "[access key]"


class Secrets:
    """Replaces the key, and the other forms it can appear in, wherever they are in a text."""

    def __init__(self, authorization: str) -> None:
        words = authorization.split()
        secrets = {authorization.strip(), *words[-1:], *_basic_password(words)}
        forms = {
            form
            for secret in secrets
            for form in (secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""))
        }
        self._forms = sorted(filter(None, forms), key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text without the key."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def hide_in(self, value: Any) -> Any:
        """A JSON value without the key in any of its texts."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, list):
            return [self.hide_in(item) for item in value]
        if isinstance(value, dict):
            return {name: self.hide_in(item) for name, item in value.items()}
        return value


def _basic_password(words: list[str]) -> list[str]:
    """The password inside `Basic base64(name:password)` (RFC 7617)."""
    if len(words) != 2 or words[0].casefold() != "basic":
        return []
    try:
        name_and_password = base64.b64decode(words[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [name_and_password, name_and_password.partition(":")[2]]
