from __future__ import annotations

from typing import Any

from scim_provider.models import Event, EventKind
from scim_provider.signals import users_deactivated
from tests.sites.driven import pages_of
from tests.sites.many_to_many.models import Team, TeamMember
from tests.sites.tenant import Tenant


def is_in(pages: Any) -> bool:
    """Whether somebody is logged in, who may not see the page."""
    return pages.open("security").status_code in (403, 404)


def test_a_membership_that_ends_ends_no_session_of_who_stays(tenant: Tenant) -> None:
    scim_id = tenant.create("/Users", userName="robin@site.example")["id"]
    account = tenant.account(scim_id)
    elsewhere = TeamMember.objects.create(
        user=account, team=Team.objects.create(name="Elsewhere", slug="elsewhere")
    )
    pages, told = pages_of(tenant, account), []

    def hear(users: Any, **what: Any) -> None:
        told.extend(user.scim_id for user in users)

    users_deactivated.connect(hear)
    try:
        assert tenant.patch(f"/Users/{scim_id}", active=False)["active"] is False
    finally:
        users_deactivated.disconnect(hear)
    assert told == [scim_id]
    assert Event.objects.filter(kind=EventKind.DEACTIVATED, scim_id=scim_id).count() == 1
    assert tenant.account(scim_id).is_active
    assert is_in(pages), "the other team keeps them"

    assert tenant.patch(f"/Users/{scim_id}", active=True)["active"] is True
    assert is_in(pages), "nothing of theirs was void"

    elsewhere.delete()
    tenant.patch(f"/Users/{scim_id}", active=False)
    assert not tenant.account(scim_id).is_active
    assert not is_in(pages), "nobody counts on the account any more"
    tenant.patch(f"/Users/{scim_id}", active=True)
    assert not is_in(pages)
