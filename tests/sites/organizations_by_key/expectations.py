from __future__ import annotations

from scim_provider.models import Resource, ScimUser
from tests.sites.organizations_by_key.office.models import Badge, Desk
from tests.sites.tenant import Tenant


def seated(tenant: Tenant, user_name: str) -> tuple[str, str]:
    """A person and a group to which rows of the site refer; the paths."""
    person = tenant.create("/Users", userName=user_name)["id"]
    group = tenant.create("/Groups", displayName=f"Team of {user_name}")["id"]
    Badge.objects.create(person=ScimUser.objects.get(scim_id=person))
    for holder in Resource.objects.filter(scim_id__in=[person, group]):
        Desk.objects.create(holder=holder)
    return f"/Users/{person}", f"/Groups/{group}"


def seats() -> tuple[int, int, int]:
    """How many badges there are, how many desks are taken, and how many are free."""
    free = Desk.objects.filter(holder__isnull=True).count()
    return Badge.objects.count(), Desk.objects.count() - free, free


def test_what_refers_to_who_goes_does_as_the_site_says(tenant: Tenant) -> None:
    person, group = seated(tenant, "robin@desk.example")
    seated(tenant, "dana@desk.example")
    assert tenant.send("DELETE", person) == (204, None)
    assert seats() == (1, 3, 1)
    assert tenant.send("DELETE", group) == (204, None)
    assert seats() == (1, 2, 2)
    assert tenant.send("GET", person)[0] == tenant.send("GET", group)[0] == 404


def test_so_it_does_where_the_organization_goes(tenant: Tenant) -> None:
    badges, taken, free = seats()
    seated(tenant, "erin@desk.example")
    assert tenant.owner is not None
    tenant.owner.delete()
    assert seats() == (badges, taken, free + 2)
    assert not Resource.objects.filter(name__endswith="erin@desk.example").exists()
