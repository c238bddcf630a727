from __future__ import annotations

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm
from guardian.utils import get_anonymous_user

from tests.sites.tenant import Tenant


def test_the_anonymous_user_of_guardian_is_nobody_of_ours(tenant: Tenant) -> None:
    anonymous = get_anonymous_user()
    tenant.create("/Users", userName="dana")
    status, listed = tenant.send("GET", "/Users")
    assert (status, [one["userName"] for one in listed["Resources"]]) == (200, ["dana"])
    status, refused = tenant.send("POST", "/Users", {"userName": anonymous.username})
    assert (status, refused["scimType"]) == (409, "uniqueness")


def test_permissions_on_objects_end_with_the_deactivation(tenant: Tenant) -> None:
    dana = tenant.create("/Users", userName="dana")
    group = Group.objects.create(name="Editors")
    assign_perm("auth.change_group", tenant.account(dana["id"]), group)
    assert tenant.account(dana["id"]).has_perm("auth.change_group", group)
    tenant.patch(f"/Users/{dana['id']}", active=False)
    assert not tenant.account(dana["id"]).has_perm("auth.change_group", group)
