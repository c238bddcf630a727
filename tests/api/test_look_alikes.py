"""Names that look like an administrator's: refused, on create and on rename alike."""

from __future__ import annotations

import pytest

from tests.api.fixture_answers import assert_error, user
from tests.factories import SuperuserFactory

LOOK_ALIKES = [
    "root",
    "Root",
    "ROOT",
    " root",
    "root ",
    "root\t",
    "root\n",
    "ｒｏｏｔ",
    "ＲＯＯＴ ",
]


@pytest.fixture
def administrator(db):
    return SuperuserFactory(username="root", email="root@example.com")


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_no_user_is_created_beside_an_administrator_of_that_name(scim, administrator, name):
    assert_error(scim.post("/Users", user(name)), 409, "uniqueness")
    assert scim.get("/Users").json()["totalResults"] == 0


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_no_user_is_renamed_into_an_administrator(scim, administrator, ada, name):
    url = f"/Users/{ada['id']}"
    operation = {"op": "replace", "path": "userName", "value": name}
    assert_error(scim.patch(url, operation), 409, "uniqueness")
    assert_error(scim.put(url, user(name)), 409, "uniqueness")
    assert scim.get(url).json() == ada


def test_a_user_may_change_the_case_of_the_own_name(scim, ada):
    operation = {"op": "replace", "path": "userName", "value": ada["userName"].upper()}
    assert scim.patch(f"/Users/{ada['id']}", operation).status_code == 200


def test_an_account_that_became_an_administrator_is_not_revived(scim, ada, django_user_model):
    scim.delete(f"/Users/{ada['id']}")
    django_user_model.objects.filter(username=ada["userName"]).update(is_staff=True)
    assert_error(scim.post("/Users", user(ada["userName"], password="Tr0ub4dor and more")), 403)
    assert not django_user_model.objects.get(username=ada["userName"]).is_active
