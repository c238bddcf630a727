from __future__ import annotations

from tests.sites.tenant import Tenant

from .models import Person


def changes(name: str) -> list[tuple[str, str, bool]]:
    """Kind of change, first name and whether active: of an account, the oldest first."""
    kept = Person.history.filter(username=name).order_by("history_id")
    return [(one.history_type, one.first_name, one.is_active) for one in kept]


def test_the_history_has_every_change_of_an_account(tenant: Tenant) -> None:
    dana = tenant.create("/Users", userName="dana", name={"givenName": "Dana"})
    tenant.patch(f"/Users/{dana['id']}", name={"givenName": "Dee"})
    tenant.patch(f"/Users/{dana['id']}", active=False)
    assert tenant.send("DELETE", f"/Users/{dana['id']}")[0] == 204
    assert changes("dana")[:3] == [("+", "Dana", True), ("~", "Dee", True), ("~", "Dee", False)]


def test_the_history_has_people_who_came_together(tenant: Tenant) -> None:
    assert set(tenant.create_many("ana", "ben", "cleo")) == {"201"}
    assert [changes(name) for name in ("ana", "ben", "cleo")] == [[("+", "", True)]] * 3
