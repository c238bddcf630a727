"""The sessions of accounts under SCIM: noted at log-in, found and ended on the day it matters.

No session store can be asked for the sessions of an account without reading all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseSessions
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookies
from django.db import router, transaction
from django.db.models import BooleanField, Exists, OuterRef, Subquery, Value
from django.http import HttpRequest
from django.utils import timezone

from .models import FormerUser, Lockout, LoginSession, Resource
from .prepared import Prepared, placeholder_of_key

#: What a session holds that began after its account was locked out: the mark of that lockout.
MARK = "_scim_lockout"
#: So many old notes are looked after with a log-in, which makes one.
_LOOKED_AFTER = 5
_KEYS_AT_ONCE = 1000
#: What an account knows of which no session is known.
_NONE = "scim_no_sessions"


def note_login(request: Any, user: Any, **kwargs: Any) -> None:
    """Receiver of ``user_logged_in``: remember the session of an account under SCIM."""
    session = getattr(request, "session", None)
    if session is None or SESSION_KEY not in session:
        return  # A token was handed out, and no session.
    is_managed, mark = _known(user)
    if mark:
        session[MARK] = mark
    else:
        session.pop(MARK, None)
    if is_managed and not is_signed_cookie(session):
        _note(session, user)


def note_logout(request: Any, **kwargs: Any) -> None:
    """Receiver of ``user_logged_out``, which is sent while the session is still there."""
    session = getattr(request, "session", None)
    key = getattr(session, "session_key", None)
    if session is not None and key and not is_signed_cookie(session):
        LoginSession.objects.filter(session_key=key).delete()


def connect() -> None:
    """Listen to log-ins and log-outs; called when the app is ready."""
    user_logged_in.connect(note_login, dispatch_uid="scim_provider.note_login")
    user_logged_out.connect(note_logout, dispatch_uid="scim_provider.note_logout")


def is_signed_cookie(session: SessionBase) -> bool:
    """Whether the session is all in its cookie: no store has it, and nobody can take it away."""
    return isinstance(session, SignedCookies)


def is_older_than(request: HttpRequest, mark: str) -> bool:
    """Whether the session that somebody is logged in with began before the lockout ``mark``."""
    session: Any = getattr(request, "session", None)
    return session is not None and SESSION_KEY in session and session.get(MARK) != mark


def end_sessions(accounts: Collection[Any]) -> int:
    """End the sessions of the accounts with these keys once the transaction is committed.

    Says how many are known. They are forgotten only when they are ended: those that an accident
    left are ended the next time.
    """
    keys = [key for some in _sliced(list(accounts)) for key in _noted(some)]
    if keys:
        using = router.db_for_write(LoginSession)
        transaction.on_commit(lambda: _end(keys), using=using, robust=True)
    return len(keys)


def are_noted() -> Any:
    """Whether sessions of the account of a row are known, to be read along with the row."""
    if _of_allauth():  # which may note them in another database
        return Value(True, output_field=BooleanField())
    return Exists(LoginSession.objects.filter(account=OuterRef("account")))


def note_none(account: Any) -> None:
    """Of a locked account no session was known: :func:`end_sessions` need not look for any.

    One that begins from then on is void by its mark, as one that began a moment later would be.
    """
    vars(account)[_NONE] = True


def with_sessions(accounts: Iterable[Any]) -> list[Any]:
    """The keys of the accounts (instances or keys) less those of whom no session is known."""
    return [
        getattr(account, "pk", account)
        for account in accounts
        if not getattr(account, "__dict__", {}).pop(_NONE, False)
    ]


def ended_sessions(keys: Sequence[str]) -> list[str]:
    """Those of the keys whose sessions are over: one look where the store can do that."""
    store: Any = _store()
    if isinstance(store, DatabaseSessions) and type(store).exists is DatabaseSessions.exists:
        live = store.model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        there = set(live.values_list("session_key", flat=True))
    else:
        there = {key for key in keys if store.exists(key)}
    return [key for key in keys if key not in there]


# -- the parts ---------------------------------------------------------------------------------


def _known(user: Any) -> tuple[bool, str]:
    """Whether SCIM has to do with the account, and the mark of its last lockout. One query."""
    lockout = Lockout.objects.filter(account=OuterRef("pk"))
    is_managed = [
        Exists(model.objects.filter(account=OuterRef("pk"))) for model in (Resource, FormerUser)
    ]
    found = (
        get_user_model()
        ._base_manager.filter(pk=user.pk)
        .values_list(is_managed[0], is_managed[1], Subquery(lockout.values("mark")[:1]))
        .first()
    )
    if found is None:
        return False, ""
    here, former, mark = found
    return bool(here or former or mark), mark or ""


def _note(session: SessionBase, user: Any) -> None:
    if session.session_key is None:
        session.save()
    key = session.session_key
    longest = LoginSession._meta.get_field("session_key").max_length or 0
    if key and len(key) <= longest:
        LoginSession.objects.update_or_create(
            session_key=key, defaults={"account_id": user.pk, "started_at": timezone.now()}
        )
        _look_after(user)


def _look_after(user: Any) -> None:
    """Forget sessions of the account that are gone: what logs in often makes no heap."""
    old = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    notes = LoginSession.objects.filter(account=user.pk, started_at__lt=old).order_by("pk")
    keys = list(notes.values_list("session_key", flat=True)[:_LOOKED_AFTER])
    store = _store()
    if gone := [key for key in keys if not store.exists(key)]:
        LoginSession.objects.filter(session_key__in=gone).delete()


def _noted(accounts: Sequence[Any]) -> list[str]:
    """The keys of sessions of the accounts: our notes, and those of django-allauth."""
    keys = {key for (key,) in _notes(accounts)}
    if theirs := _of_allauth():
        keys.update(theirs.filter(user__in=accounts).values_list("session_key", flat=True))
    return sorted(keys)


def _notes(accounts: Sequence[Any]) -> Iterable[Sequence[str]]:
    is_one = len(accounts) == 1 and isinstance(accounts[0], int | UUID)
    if is_one and (of_one := _notes_of_one()):
        return of_one.rows(accounts[0])
    return LoginSession.objects.filter(account__in=accounts).values_list("session_key")


@cache
def _notes_of_one() -> Prepared | None:
    """The notes of one account; None where its key fits no placeholder."""
    account: Any = placeholder_of_key(get_user_model())
    if account is None:
        return None
    rows = LoginSession.objects.filter(account=account).values_list("session_key")
    return Prepared(lambda: rows, account)


def _of_allauth() -> Any:
    """The sessions that django-allauth notes for itself, None where it does not."""
    if not apps.is_installed("allauth.usersessions"):
        return None
    return apps.get_app_config("usersessions").get_model("UserSession")._default_manager


def _end(keys: Sequence[str]) -> None:
    for some in _sliced(keys):
        _end_in_store(some)
        LoginSession.objects.filter(session_key__in=some).delete()
        if theirs := _of_allauth():
            theirs.filter(session_key__in=some).delete()


def _end_in_store(keys: Sequence[str]) -> None:
    """In sets where the store can do that: a site's own one may not."""
    store: Any = _store()
    if type(store).delete not in (DatabaseSessions.delete, CachedDatabaseSessions.delete):
        for key in keys:
            store.delete(key)
        return
    store.model.objects.filter(session_key__in=keys).delete()
    if type(store).delete is CachedDatabaseSessions.delete:
        store._cache.delete_many([store.cache_key_prefix + key for key in keys])


def _store() -> SessionBase:
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    return store


def _sliced(keys: Sequence[Any]) -> list[Sequence[Any]]:
    return [keys[at : at + _KEYS_AT_ONCE] for at in range(0, len(keys), _KEYS_AT_ONCE)]
