"""The settings pages over Django's test client."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

SECRET = re.compile(r"scim_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}")


class Pages:
    """Opens pages by URL name and sends their forms as a browser would."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def open(self, name: str, *args: Any) -> Any:
        return self.client.get(reverse(f"scim_settings:{name}", args=args))

    def send(self, name: str, /, *args: Any, follow: bool = False, **fields: Any) -> Any:
        url = reverse(f"scim_settings:{name}", args=args)
        return self.client.post(url, fields, follow=follow)

    def turn_on(self, **changes: Any) -> Any:
        """Open the page, tick the box, send the form."""
        return self.send("enable", **self.enable_form(), **changes)

    def enable_form(self) -> dict[str, Any]:
        return self.form("security") | {"provisioning": "on"}

    def form(self, name: str, *args: Any) -> dict[str, Any]:
        """The fields of the form on a page, as they are first shown."""
        form = self.open(name, *args).context["form"]
        fields = {field.name: field.value() for field in form if field.name != "provisioning"}
        return {key: value() if callable(value) else value for key, value in fields.items()}

    def secret(self, answer: Any) -> str:
        found = set(SECRET.findall(answer.content.decode()))
        assert len(found) == 1
        return str(found.pop())
