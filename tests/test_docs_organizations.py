"""The classes of docs/organizations.md do what the page says, exactly as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import include, path

from example_project.accounts.models import Account
from scim_provider import keys, organization_checks
from scim_provider.connections import connection_for
from scim_provider.models import Connection
from tests.api.fixture_answers import assert_error, user
from tests.conftest import ScimClient
from tests.factories import OrganizationFactory
from tests.sites.many_to_many.models import Team, TeamMember

PAGE = (Path(__file__).parent.parent / "docs" / "organizations.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
URLS = [block for block in BLOCKS if block.startswith("# urls.py")]


class Mounted:
    """The printed URLconf with both mounts."""

    names: dict = {"path": path, "include": include}
    exec(compile(URLS[1], "docs/organizations.md", "exec"), names)
    urlpatterns = names["urlpatterns"]


@pytest.fixture
def printed(settings, db):
    """Puts the class in place that the page prints under a name."""

    def put(name):
        (source,) = (b for b in BLOCKS if b.splitlines()[0].endswith(f": {name}"))
        names: dict = {}
        exec(compile(source, "docs/organizations.md", "exec"), names)
        chosen = {"ORGANIZATIONS": names["Organizations"]}
        settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | chosen
        assert [found for check in organization_checks.CHECKS for found in check()] == []
        return names["Organizations"]

    return put


def client_of(owner, mount="/scim/v2"):
    connection = connection_for(owner)
    connection.enabled = True
    connection.save()
    return ScimClient(keys.create_key(connection).secret, mount=mount)


@pytest.mark.parametrize("source", BLOCKS)
def test_every_block_is_python(source):
    compile(source, "docs/organizations.md", "exec")


def test_a_foreign_key(printed, rf):
    site = printed("foreign key")()
    owner = OrganizationFactory()
    client_of(owner).post("/Users", user())
    account = Account.objects.get()
    assert account.organization == owner
    request = rf.get("/")
    request.user = account
    assert site.owner_for(request) == owner
    assert not site.can_manage(request, owner)
    account.is_organization_admin = True
    account.save()
    assert site.can_manage(request, owner)
    assert list(site.admins(owner)) == [account]


def test_many_to_many(printed, rf):
    site = printed("many-to-many")()
    red, blue = (Team.objects.create(name=name, slug=name) for name in ("red", "blue"))
    made = client_of(red).post("/Users", user()).json()
    account = Account.objects.get()
    TeamMember.objects.create(team=blue, user=account, role="owner")
    request = rf.get("/")
    request.user = account
    assert site.owner_for(request) == blue
    assert (site.can_manage(request, blue), site.can_manage(request, red)) == (True, False)
    assert (list(site.admins(blue)), list(site.admins(red))) == ([account], [])
    inactive = {"op": "replace", "path": "active", "value": False}
    answer = client_of(red).patch(f"/Users/{made['id']}", inactive)
    assert answer.json()["active"] is False
    account.refresh_from_db()
    assert account.is_active
    red.delete()
    assert Connection.objects.count() == 0
    account.refresh_from_db()
    assert account.is_active


def test_an_account_that_both_organizations_know_is_linked_by_policy(printed):
    printed("many-to-many")
    red, blue = (Team.objects.create(name=name, slug=name) for name in ("red", "blue"))
    client_of(red).post("/Users", user())
    connection = connection_for(blue)
    connection.existing_account = "link"
    connection.save()
    client = client_of(blue)
    assert_error(client.post("/Users", user()), 409, "uniqueness")
    TeamMember.objects.create(team=blue, user=Account.objects.get())
    linked = client.post("/Users", user())
    assert linked.status_code == 201
    assert Account.objects.count() == 1
    assert client.delete(f"/Users/{linked.json()['id']}").status_code == 204
    active = TeamMember.objects.filter(is_active=True)
    assert [one.team for one in active] == [red]
    assert Account.objects.get().is_active


def test_a_base_url_for_each(printed, settings):
    settings.ROOT_URLCONF = Mounted
    printed("URLs")
    acme, globex = OrganizationFactory(slug="acme"), OrganizationFactory(slug="globex")
    client = client_of(acme, "/scim/acme/v2")
    made = client.post("/Users", user())
    assert made.headers["Location"].startswith("http://testserver/scim/acme/v2/Users/")
    assert client_of(globex).get("/Users").status_code == 200
    assert_error(client_of(globex, "/scim/acme/v2").get("/Users"), 403)


def test_subdomains(printed):
    printed("subdomains")
    client = client_of(OrganizationFactory(slug="acme"))
    for host, status in (("acme", 200), ("globex", 403)):
        headers = {"Host": f"{host}.customers.example.com"}
        assert client.get("/Users", headers=headers).status_code == status
    assert client.get("/Users", headers={"Host": "app.example.com"}).status_code == 200
