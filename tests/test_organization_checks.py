"""Mistakes in what a site says of its organizations are told before anything runs."""

from __future__ import annotations

import pytest

from scim_provider import organization_checks as checks
from scim_provider.organization_models import ForeignKeyOrganizations, MembershipOrganizations
from scim_provider.organizations import Organizations
from tests.sites.many_to_many.scim import Clubs, Teams


def mistaken(base, **attributes):
    return type("Mistaken", (base,), attributes)


@pytest.mark.parametrize("kind", [Teams, Clubs, Organizations])
def test_what_is_right_is_not_told(kind, settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": kind}
    assert [found for check in checks.CHECKS for found in check()] == []


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (mistaken(Teams, model=None), "names no model"),
        (mistaken(Teams, model="nowhere.Team"), "nowhere"),
        (mistaken(Teams, model="Team"), "app_label.Model"),
        (mistaken(Teams, membership="teams.Nobody"), "Nobody"),
        (mistaken(Teams, membership="teams.Club"), "no foreign key to accounts.Account"),
        (mistaken(Teams, active_field="active"), "no boolean field 'active'"),
        (mistaken(Teams, active_field="role"), "no boolean field 'role'"),
        (mistaken(Teams, slug_field="sulg"), "no field 'sulg'"),
        (mistaken(Teams, organization_field="user"), "no foreign key called 'user'"),
        (mistaken(Teams, managers={"rôle": "owner"}), "rôle"),
        (mistaken(Clubs, member_field=""), "several foreign keys to accounts.Account: invited_by"),
        (mistaken(MembershipOrganizations, model=Teams.model), "membership"),
        (mistaken(ForeignKeyOrganizations, model=Teams.model), "no foreign key to teams"),
    ],
)
def test_a_mistake_is_told_in_words(kind, told, settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": kind}
    (found,) = checks.check_organizations()
    assert found.id == "scim_provider.E032"
    assert told in found.msg


def test_a_class_that_does_not_name_its_model_would_leave_data_behind(settings):
    own = mistaken(Organizations)
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": own}
    assert [found.id for found in checks.check_model()] == ["scim_provider.W033"]
    own.model = "accounts.Organisation"
    assert [found.id for found in checks.check_model()] == ["scim_provider.E032"]


def test_who_may_manage_without_saying_who_these_are_would_lock_the_last_one_out(settings):
    own = mistaken(ForeignKeyOrganizations, can_manage=lambda self, request, owner: True)
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": own}
    assert [found.id for found in checks.check_admins()] == ["scim_provider.W035"]
    own.admins = lambda self, owner: self.members(owner)
    assert checks.check_admins() == []
