"""What such a site says of its organizations."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from scim_provider import organizations

from .models import Organization, Person


class Organizations(organizations.Organizations):
    model = Organization

    def owner_for(self, request: HttpRequest) -> Model | None:
        if request.user.organization is None:
            raise Http404
        return request.user.organization

    def prepare_account(self, account: Any, owner: Model | None) -> None:
        account.organization = owner

    def belongs(self, account: Any, owner: Model | None) -> bool:
        return account.organization_id == (owner and owner.pk)

    def members(self, owner: Model | None) -> QuerySet[Any]:
        return Person.objects.filter(organization=owner)

    def by_name(self, name: str) -> Model | None:
        found = Organization.objects.filter(name=name).first()
        if found is None:
            raise LookupError(f"There is no organization named {name!r}.")
        return found

    def create(self, name: str) -> Model:
        return Organization.objects.create(name=name)
