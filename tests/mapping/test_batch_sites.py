"""Many creates at once on sites with wishes of their own: receivers, hooks, racing writers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db.models.signals import m2m_changed, post_save
from django.test.utils import CaptureQueriesContext

from scim_provider.mapping import batch
from scim_provider.mapping.batch import create_many
from scim_provider.models import AttributeValue, Connection, Resource, Role
from scim_provider.protocol.errors import Forbidden, InvalidValue, ScimError, Uniqueness
from scim_provider.resources import RoleResource, UserResource

from .creates import GROUP, KLAXON, USER, context_of, kind, left_behind, one_by_one, together

pytestmark = pytest.mark.django_db


def people(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"schemas": [USER], "userName": name, "title": "Clerk", **more} for name in names]


@pytest.fixture
def saved() -> Iterator[list[str]]:
    """The names of accounts as a receiver of the site hears of them."""
    heard: list[str] = []

    def listen(sender: Any, instance: Any, created: bool, **kwargs: Any) -> None:
        if created:
            heard.append(instance.username)

    post_save.connect(listen, sender=get_user_model())
    yield heard
    post_save.disconnect(listen, sender=get_user_model())


def test_receivers_of_the_site_hear_of_each_account(
    connection: Connection, saved: list[str]
) -> None:
    rows = together(kind(), context_of(connection), people("ana", "ben", "cleo"))
    assert saved == ["ana", "ben", "cleo"]
    assert AttributeValue.objects.filter(path="title", resource__in=rows).count() == 3


def test_a_receiver_costs_one_statement_a_person(connection: Connection, saved: list[str]) -> None:
    def statements(size: int) -> int:
        names = [f"{size}-{number}" for number in range(size)]
        with CaptureQueriesContext(database) as captured:
            together(kind(), context_of(connection), people(*names))
        return len(captured)

    statements(1)
    assert statements(20) - statements(10) == 10


def test_a_model_that_saves_in_its_own_way_is_saved_one_by_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = get_user_model()
    plain, seen = model.save, []

    def save(self: Any, *args: Any, **options: Any) -> None:
        seen.append(self.username)
        plain(self, *args, **options)

    monkeypatch.setattr(model, "save", save)
    together(kind(), context_of(connection), people("ana", "ben"))
    assert seen == ["ana", "ben"]


def test_receivers_hear_of_groups_that_roles_grant(connection: Connection) -> None:
    editors, heard = Group.objects.create(name="Editors"), []
    Role.objects.filter(connection=connection, value="manager").update(django_group=editors)

    def listen(sender: Any, instance: Any, action: str, **kwargs: Any) -> None:
        heard.append((instance.username, action))

    through = get_user_model().groups.through
    m2m_changed.connect(listen, sender=through)
    try:
        together(kind(), context_of(connection), people("ana", "ben", role="manager"))
    finally:
        m2m_changed.disconnect(listen, sender=through)
    assert [name for name, action in heard if action == "post_add"] == ["ana", "ben"]


class Careful(UserResource):
    """A site that refuses some people when their account is saved."""

    def save_account(self, account: Any, fields: frozenset[str], context: Any) -> None:
        if account.username.startswith("x"):
            raise Forbidden("No people with an x here.")
        super().save_account(account, fields, context)


def test_a_resource_type_that_saves_in_its_own_way_gets_single_creates(
    connection: Connection,
) -> None:
    outcomes = create_many(Careful(), context_of(connection), people("ana", "xeno", "ben"))
    assert [isinstance(each, Forbidden) for each in outcomes] == [False, True, False]
    names = Resource.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["ana", "ben"]


def test_single_creates_get_the_ids_that_were_chosen(connection: Connection) -> None:
    create_many(Careful(), context_of(connection), people("ana", "ben"), scim_ids=["a", "b"])
    assert dict(Resource.objects.values_list("scim_id", "name")) == {"a": "ana", "b": "ben"}


def test_a_type_that_cannot_be_written_refuses_each(connection: Connection) -> None:
    answers = RoleResource().create_many(context_of(connection), [{}, {}])
    assert [each.status for each in answers if isinstance(each, ScimError)] == [405, 405]


def test_what_the_database_refuses_is_tried_again_in_halves(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, broken = batch.Batch.look_up_taken, []

    def look_up_and_break(self: Any) -> None:
        look_up(self)
        if len(self.entries) > 2:
            broken.append(len(self.entries))
            self.entries[0].row.scim_id = self.entries[1].row.scim_id

    monkeypatch.setattr(batch.Batch, "look_up_taken", look_up_and_break)
    outcomes = together(kind(), context_of(connection), people(*(f"user{n}" for n in range(9))))
    assert broken == [9, 4, 5, 3]
    assert not [each for each in outcomes if isinstance(each, ScimError)]
    assert Resource.objects.count() == get_user_model().objects.count() == 9


def test_names_that_only_the_database_takes_for_the_same_are_told_one_by_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = batch.Batch.look_up_taken

    def undecided(self: Any) -> None:
        plain(self)
        raise batch.Undecided

    monkeypatch.setattr(batch.Batch, "look_up_taken", undecided)
    outcomes = together(kind(), context_of(connection), people("ana", "ben", "ANA", "cleo"))
    assert [type(each) is Uniqueness for each in outcomes] == [False, False, True, False]
    assert Resource.objects.count() == 3


class NeedsKey:
    """A validator that looks at what is saved about the person, as a password history does."""

    def validate(self, password: str, user: Any = None) -> None:
        if user is None or not get_user_model().objects.filter(pk=user.pk).exists():
            raise ValidationError("The person is not saved yet.")

    def get_help_text(self) -> str:
        return ""


def test_password_validators_see_a_saved_person(connection: Connection, settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": f"{__name__}.NeedsKey"}]
    bodies = people("ana", password="correct horse battery")
    (row,) = together(kind(), context_of(connection), bodies)
    assert not isinstance(row, InvalidValue)


def test_places_are_looked_up_once_for_many_people(connection: Connection) -> None:
    def statements(size: int) -> int:
        names = [f"{size}-{number}" for number in range(size)]
        bodies = people(*names, **{KLAXON: {"location": "Lisbon"}})
        with CaptureQueriesContext(database) as captured:
            together(kind(), context_of(connection), bodies)
        return len(captured)

    statements(1)
    assert statements(40) == statements(10)


def test_odd_letters_are_stored_as_they_are(connection: Connection) -> None:
    odd = 'tab\there, \\N and \\. and "quotes",\r\nnew line, {brace}, NULL, % 100%, 😀'
    bodies = people("ana", nickName=odd, displayName="\\N", userType="x" * 300)
    context = context_of(connection)
    one_by_one(kind(), context, bodies)
    single = left_behind(connection)
    kind().remove(Resource.objects.get(), context)
    get_user_model().objects.all().delete()
    together(kind(), context, bodies)
    assert left_behind(connection) == single


def test_group_names_are_kept_with_their_letters(connection: Connection) -> None:
    bodies = [{"schemas": [GROUP], "displayName": "R&D\\N\t(ß)"}]
    (row,) = together(kind("Group"), context_of(connection), bodies)
    row.refresh_from_db()
    assert (row.name, row.unique_key) == ("R&D\\N\t(ß)", "r&d\\n\t(ß)")


class Remembering:
    """A password validator of the site, such as one that keeps a history."""

    told: ClassVar[list[str]] = []

    def validate(self, password: str, user: Any = None) -> None:
        """Anything will do."""

    def password_changed(self, password: str, user: Any = None) -> None:
        self.told.append(f"{user.username}: {password}")

    def get_help_text(self) -> str:
        return ""


def test_validators_of_the_site_hear_of_each_password(
    connection: Connection, settings: Any
) -> None:
    Remembering.told.clear()
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": f"{__name__}.Remembering"}]
    together(kind(), context_of(connection), people("ana", "ben", password="correct horse"))
    assert Remembering.told == ["ana: correct horse", "ben: correct horse"]
