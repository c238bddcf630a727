"""Two requests at once that each take one of the last two administrators: one of them stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from example_project.accounts.models import Account
from tests.conftest import ScimClient

from .test_concurrency import at_once, person
from .writers import several_writers

pytestmark = several_writers

ADMINS = 3


def deactivate(scim: ScimClient, path: str) -> Any:
    return scim.patch(path, {"op": "replace", "path": "active", "value": False})


def delete(scim: ScimClient, path: str) -> Any:
    return scim.delete(path)


@pytest.mark.parametrize("act", [deactivate, delete])
def test_one_administrator_is_left(act: Callable[[ScimClient, str], Any], access_key: str) -> None:
    scim = ScimClient(access_key)
    for turn in range(4):
        names = [f"admin{turn}-{number}@example.com" for number in range(ADMINS)]
        paths = [f"/Users/{scim.post('/Users', person(name)).json()['id']}" for name in names]
        Account.objects.update(is_organization_admin=False)
        Account.objects.filter(username__in=names).update(is_organization_admin=True)
        answers = at_once(
            [lambda path=path: act(ScimClient(access_key), path).status_code for path in paths]
        )
        assert sorted(answers)[-1] == 403
        assert sorted(answers)[:-1] == [sorted(answers)[0]] * (ADMINS - 1)
        assert Account.objects.filter(is_organization_admin=True, is_active=True).count() == 1
