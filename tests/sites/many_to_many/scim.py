"""All that the site writes for its teams."""

from __future__ import annotations

from scim_provider.organization_models import MembershipOrganizations


class Teams(MembershipOrganizations):
    model = "many_to_many.Team"
    membership = "many_to_many.TeamMember"
    active_field = "is_active"
    managers = {"role": "owner"}
