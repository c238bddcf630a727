from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from scim_provider import keys
from scim_provider.models import AccessKey, Connection
from scim_provider.protocol.credentials import checksum_ok

pytestmark = pytest.mark.django_db


def test_only_the_digest_of_a_key_is_stored(connection: Connection) -> None:
    new = keys.create_key(connection, name="Okta")
    row = AccessKey.objects.values().get()
    assert checksum_ok(new.secret)
    assert row["digest"] == hashlib.sha256(new.secret.encode()).hexdigest()
    assert row["last4"] == new.secret[-4:]
    assert new.secret[5:] not in repr(row)


def test_a_new_key_does_not_show_its_text_when_printed(connection: Connection) -> None:
    new = keys.create_key(connection)
    assert new.secret not in repr(new)
    assert new.secret not in str(new.key)


def test_a_key_is_found_with_its_connection_in_one_query(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    new = keys.create_key(connection)
    with django_assert_num_queries(1):
        found = keys.find(new.secret)
        assert found is not None
        assert found.connection == connection
        assert found.connection.owner_type_id is not None
    assert found == new.key


def test_an_unknown_key_is_not_found(connection: Connection) -> None:
    keys.create_key(connection)
    assert keys.find("scim_unknown") is None
    assert keys.find("") is None


def test_a_third_live_key_is_refused(connection: Connection) -> None:
    keys.create_key(connection)
    second = keys.create_key(connection)
    with pytest.raises(keys.LiveKeyLimit):
        keys.create_key(connection)
    keys.revoke(second.key)
    assert keys.create_key(connection).key.is_live


def test_keys_of_another_connection_do_not_count(
    connection: Connection, other_connection: Connection
) -> None:
    keys.create_key(other_connection)
    keys.create_key(other_connection)
    assert keys.create_key(connection).key.is_live


def test_a_nonce_makes_one_key(connection: Connection) -> None:
    keys.create_key(connection, nonce="once")
    with pytest.raises(keys.NonceUsed):
        keys.create_key(connection, nonce="once")
    assert AccessKey.objects.count() == 1


def test_two_forms_at_the_same_moment_make_one_key(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.create_key(connection, nonce="once")
    look = keys._refuse_repeat
    answers = iter([lambda nonce: None, look])
    monkeypatch.setattr(keys, "_refuse_repeat", lambda nonce: next(answers)(nonce))
    with pytest.raises(keys.NonceUsed):
        keys.create_key(connection, nonce="once")
    assert AccessKey.objects.count() == 1


def test_a_live_key_is_not_refused_and_an_ended_one_says_when(connection: Connection) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        expiring = keys.create_key(connection, expires_at=timezone.now() + timedelta(days=2)).key
        revoked = keys.create_key(connection).key
        assert keys.refusal(expiring) is None
        keys.revoke(revoked)
    with time_machine.travel("2026-03-04T12:00:00Z", tick=False):
        assert "expired on 3 March 2026" in (keys.refusal(expiring) or "")
        assert "revoked on 1 March 2026" in (keys.refusal(revoked) or "")


def test_rotation_keeps_the_old_key_for_a_while(connection: Connection) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        old = keys.create_key(connection).key
        new = keys.rotate(connection, old, keep_old_for=timedelta(hours=24), name="new").key
        assert {key.pk for key in keys.live_keys(connection)} == {old.pk, new.pk}
        assert keys.refusal(old) is None
        clock.shift(timedelta(hours=25))
        assert list(keys.live_keys(connection)) == [new]
        assert keys.refusal(old) is not None


def test_rotation_of_a_leaked_key_stops_it_at_once(connection: Connection) -> None:
    old = keys.create_key(connection).key
    new = keys.rotate(connection, old)
    assert list(keys.live_keys(connection)) == [new.key]


def test_a_failed_rotation_leaves_the_old_key_alone(connection: Connection) -> None:
    old = keys.create_key(connection).key
    keys.create_key(connection)
    with pytest.raises(keys.LiveKeyLimit):
        keys.rotate(connection, old, keep_old_for=timedelta(hours=1))
    old.refresh_from_db()
    assert old.revoked_at is None


def test_a_cancelled_rotation_ends_the_new_key(connection: Connection) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=True):
        old = keys.create_key(connection).key
        new = keys.rotate(connection, old, keep_old_for=timedelta(hours=1)).key
        keys.cancel_rotation(old)
        assert list(keys.live_keys(connection)) == [old]
        old.refresh_from_db()
        new.refresh_from_db()
        assert old.revoked_at is None
        assert not new.is_live


def test_a_rotation_that_is_not_going_on_cannot_be_cancelled(connection: Connection) -> None:
    key = keys.create_key(connection).key
    with pytest.raises(keys.NotRotating):
        keys.cancel_rotation(key)
    keys.revoke(key)
    with pytest.raises(keys.NotRotating):
        keys.cancel_rotation(key)


def test_revoking_later_never_lengthens_a_key(connection: Connection) -> None:
    key = keys.create_key(connection).key
    keys.revoke(key)
    first = key.revoked_at
    keys.revoke(key, after=timedelta(days=1))
    assert key.revoked_at == first


def test_the_last_use_is_written_once_a_minute(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = keys.create_key(connection).secret
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        keys.touch(_found(secret), "Okta")
        key = _found(secret)
        assert (key.last_used_at, key.last_used_by) == (timezone.now(), "Okta")
        clock.shift(30)
        with django_assert_num_queries(0):
            keys.touch(key, "Entra")
        clock.shift(31)
        keys.touch(key, "Entra")
        assert _found(secret).last_used_by == "Entra"


def test_two_processes_write_the_last_use_once(connection: Connection) -> None:
    secret = keys.create_key(connection).secret
    one, two = _found(secret), _found(secret)
    keys.touch(one, "first")
    keys.touch(two, "second")
    assert _found(secret).last_used_by == "first"


def test_the_prefix_is_shown_before_the_key() -> None:
    assert keys.authorization_value("scim_x") == "Acme-API-Key scim_x"


def _found(secret: str) -> AccessKey:
    key = keys.find(secret)
    assert key is not None
    return key
