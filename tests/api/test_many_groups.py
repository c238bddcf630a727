"""Somebody in more groups than a database puts into one text: all are answered."""

from __future__ import annotations

import pytest
from django.db import connection as database

from tests.api.fixture_answers import user
from tests.conftest import ScimClient

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(database.vendor != "mysql", reason="the others know no such limit"),
]

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def test_all_groups_are_answered_wherever_the_text_of_them_is_cut(scim: ScimClient) -> None:
    person, other = (scim.post("/Users", user(name)).json() for name in ("ada", "bea"))
    names = [f"g{number}" for number in range(12)]
    for name in names:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": person["id"]}]}
        assert scim.post("/Groups", body).status_code == 201
    scim.post(
        "/Groups", {"schemas": [GROUP], "displayName": "h", "members": [{"value": other["id"]}]}
    )
    with database.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.group_concat_max_len")
        ((usual,),) = cursor.fetchall()
        try:
            for longest in (*range(4, 64), 200):
                cursor.execute("SET SESSION group_concat_max_len = %s", [longest])
                page = scim.get("/Users").json()["Resources"]
                one = scim.get(f"/Users/{person['id']}").json()
                (found,) = scim.get("/Users", filter='userName eq "ada"').json()["Resources"]
                for document in (next(e for e in page if e["userName"] == "ada"), one, found):
                    assert [e["display"] for e in document["groups"]] == names
                (h,) = next(e for e in page if e["userName"] == "bea")["groups"]
                assert h["display"] == "h"
        finally:
            cursor.execute("SET SESSION group_concat_max_len = %s", [usual])
