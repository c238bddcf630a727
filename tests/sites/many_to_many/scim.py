"""All that the site writes for its teams, and for its clubs."""

from __future__ import annotations

from django.db.models import Model
from django.utils.text import slugify

from scim_provider.organization_models import MembershipOrganizations

from .models import Club, ClubMember, Team


class Teams(MembershipOrganizations):
    model = "teams.Team"
    membership = "teams.TeamMember"
    active_field = "is_active"
    managers = {"role": "owner"}

    def create(self, name: str) -> Model:
        return Team.objects.create(name=name, slug=slugify(name))


class Clubs(MembershipOrganizations):
    """A membership that ends is deleted."""

    model = Club
    membership = ClubMember
    member_field = "person"
