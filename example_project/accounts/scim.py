"""How the example's accounts look in SCIM, and what its organizations may do.

This page is all that a site with its own user and organization models has to write.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils.text import slugify

from scim_provider import organizations
from scim_provider.organizations import Entitlement
from scim_provider.resources import Attribute, Choice, Column, Owner, Schema, UserResource

from .models import Account, Location, Organization, Plan

KLAXON = Schema(
    "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User",
    "Klaxon user",
    (Attribute("location"), Attribute("notificationPhoneNumber")),
)


class OwnLocation(Choice):
    """A location of the person's organization; "Default" stands in for unknown names."""

    def candidates(self, row: Any) -> QuerySet[Location]:
        return Location.objects.filter(organization=row.account.organization)

    def make(self, row: Any, name: str) -> Location:
        location, _ = self.candidates(row).get_or_create(
            name=name, defaults={"organization": row.account.organization}
        )
        return location


class StaffUsers(UserResource):
    """People with a ``role``, one of ``SCIM_PROVIDER["ROLES"]``, and the Klaxon attributes."""

    schema = UserResource.schema.including(Attribute("role"))
    extensions = (*UserResource.extensions, KLAXON)
    homes = UserResource.homes | {
        f"{KLAXON.id}:location": OwnLocation("account__location", otherwise="Default"),
        f"{KLAXON.id}:notificationPhoneNumber": Column("account__mobile"),
    }
    #: People may choose another location on their profile page, and keep it.
    owners = {f"{KLAXON.id}:location": Owner.PERSON_ONCE_EDITED}


class Organizations(organizations.Organizations):
    """An account belongs to one organization; its admins see the settings."""

    model = Organization

    def owner_for(self, request: HttpRequest) -> Model | None:
        if request.user.organization is None:
            raise Http404("You do not belong to an organization.")
        return request.user.organization

    def can_view(self, request: HttpRequest, owner: Model | None) -> bool:
        return self.can_manage(request, owner)

    def can_manage(self, request: HttpRequest, owner: Model | None) -> bool:
        user = request.user
        return user.is_active and user.is_organization_admin and user.organization == owner

    def admins(self, owner: Model | None) -> QuerySet[Account]:
        return Account.objects.filter(organization=owner, is_organization_admin=True)

    def entitlement(self, owner: Model | None) -> Entitlement:
        if owner is None or owner.plan != Plan.STARTER:
            return Entitlement()
        return Entitlement(
            allowed=False,
            state="not_in_plan",
            message="SCIM provisioning is part of the Business and Enterprise plans.",
        )

    def prepare_account(self, account: AbstractBaseUser, owner: Model | None) -> None:
        account.organization = owner

    def belongs(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        return account.organization_id == (owner and owner.pk)

    def members(self, owner: Model | None) -> QuerySet[Account]:
        return Account.objects.filter(organization=owner)

    def by_name(self, name: str) -> Model | None:
        if not name:
            return None
        found = Organization.objects.filter(name__iexact=name).first()
        if found is None:
            raise LookupError(f"There is no organization named {name!r}.")
        return found

    def create(self, name: str) -> Model:
        return Organization.objects.create(name=name, slug=slugify(name))
