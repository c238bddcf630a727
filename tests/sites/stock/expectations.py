from __future__ import annotations

from django.contrib.auth.models import Group, Permission

from tests.sites.tenant import Tenant, manage


def test_a_command_names_the_base_url_and_the_state(tenant: Tenant) -> None:
    assert tenant.base_url == "http://127.0.0.1:8000/scim/v2"
    status = manage("scim_connection", "status", "--json")
    assert (status["enabled"], status["base_url"]) == (True, tenant.base_url)


def test_the_last_who_may_manage_scim_stays(tenant: Tenant) -> None:
    people = [
        tenant.create("/Users", userName=f"{n}@site.example")["id"] for n in ("robin", "dana")
    ]
    robin, dana = (tenant.account(scim_id) for scim_id in people)
    permission = Permission.objects.get(codename="manage_scim")
    robin.user_permissions.add(permission)
    managers = Group.objects.create(name="SCIM managers")
    managers.permissions.add(permission)
    path = f"/Users/{people[0]}"
    assert tenant.send("DELETE", path)[0] == 403
    assert tenant.account(people[0]).is_active
    dana.groups.add(managers)
    assert tenant.send("DELETE", path)[0] == 204
    assert tenant.send("DELETE", f"/Users/{people[1]}")[0] == 403
    tenant.administrator()
    assert tenant.send("DELETE", f"/Users/{people[1]}")[0] == 204
