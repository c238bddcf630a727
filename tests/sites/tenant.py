"""One connected organization of the site at hand, and a client with its key."""

from __future__ import annotations

import io
import json
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db.models import Model
from django.urls import clear_script_prefix, get_script_prefix, reverse, set_script_prefix

from scim_provider.models import Connection, ScimUser
from scim_provider.organizations import organizations
from tests.sites.wsgi_client import into_application

SEND = into_application()


@dataclass
class Tenant:
    """An organization with SCIM on; a site without organizations is one, emptied."""

    base_url: str
    key: str
    owner: Model | None = None

    @property
    def mount(self) -> str:
        return urlsplit(self.base_url).path

    @property
    def script_prefix(self) -> str:
        """Where the server mounts the site; "" for the root."""
        kept = get_script_prefix()
        clear_script_prefix()
        try:
            return self.mount.removesuffix(reverse("scim:root").rstrip("/"))
        finally:
            set_script_prefix(kept)

    @classmethod
    def fresh(cls) -> Tenant:
        owner = new_owner()
        answer = manage("scim_connection", "enable", "--json", organization=str(owner or ""))
        return cls(answer["base_url"], answer["access_key"], owner)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of the answer; ``path`` is relative to the base URL."""
        headers = {
            "authorization": f"Bearer {self.key}".encode(),
            "content-type": b"application/scim+json",
        }
        content = None if body is None else json.dumps(body).encode()
        status, _, answered = SEND(method, urlsplit(self.base_url + path), headers, content)
        return status, json.loads(answered) if answered else None

    def create(self, endpoint: str, **document: Any) -> Any:
        """The created resource's document."""
        status, answer = self.send("POST", endpoint, document)
        assert status == 201, answer
        return answer

    def create_many(self, *user_names: str) -> list[str]:
        """Create people in one Bulk request; the statuses of its operations."""
        people = [
            {"method": "POST", "path": "/Users", "bulkId": name, "data": {"userName": name}}
            for name in user_names
        ]
        schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
        status, answer = self.send("POST", "/Bulk", {"schemas": [schema], "Operations": people})
        assert status == 200, answer
        return [operation["status"] for operation in answer["Operations"]]

    def patch(self, path: str, **values: Any) -> Any:
        """Replace these attributes; the answer's document, if any."""
        operations = [{"op": "replace", "value": values}]
        schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
        status, answer = self.send("PATCH", path, {"schemas": [schema], "Operations": operations})
        assert status in (200, 204), answer
        return answer

    def account(self, scim_id: str) -> Any:
        """The account of a provisioned person."""
        return ScimUser.objects.select_related("account").get(scim_id=scim_id).account

    def administrator(self) -> Any:
        """A superuser of the organization, who may open the settings page."""
        model: Any = get_user_model()
        account = model(is_superuser=True, is_staff=True)
        setattr(account, model.USERNAME_FIELD, f"admin-{secrets.token_hex(4)}@site.example")
        account.set_password("administrator")
        organizations().prepare_account(account, self.owner)
        account.save()
        organizations().admit(account, self.owner)
        return account


def new_owner() -> Model | None:
    """A new organization; None where there are none, and then the site is as it was migrated."""
    try:
        return organizations().create(f"Tenant {secrets.token_hex(4)}")
    except LookupError:
        _empty()
        return None


def _empty() -> None:
    """Delete what was provisioned. TRUNCATE, as ``flush`` does it, is slow on PostgreSQL."""
    Connection.objects.all().delete()
    Group.objects.all().delete()
    get_user_model()._default_manager.exclude(pk__in=_accounts_of_the_site()).delete()


@cache
def _accounts_of_the_site() -> set[Any]:
    """Those that the migration made: guardian has one."""
    return set(get_user_model()._default_manager.values_list("pk", flat=True))


def manage(*arguments: str, **options: Any) -> Any:
    """The JSON that a management command prints."""
    printed = io.StringIO()
    call_command(*arguments, stdout=printed, **options)
    return json.loads(printed.getvalue())
