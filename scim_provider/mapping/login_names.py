"""Who has which login name: looked up one by one in the usual spellings, by the unique index.

A comparison without case would read the whole table of accounts with every create.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import CharField, EmailField, SlugField, TextField

from scim_provider.combined import PreparedBoth
from scim_provider.models import FormerUser, Resource
from scim_provider.prepared import Number, Prepared, Row, Text
from scim_provider.protocol import core
from scim_provider.protocol.schema import comparison_key

from .context import Context
from .homes import AccountCopy, Home
from .look_alikes import spellings
from .paths import Document
from .transactions import database

if TYPE_CHECKING:
    from .resource_type import ResourceType

_EMAILS = core.USER.target("emails")
#: Fields that hand a text to the database as it is; a site's own may make another one of it.
_PLAIN_FIELDS = (CharField, EmailField, SlugField, TextField)
#: Names are looked up in so many spellings, or twice as many …: statements are compiled for each.
_STEP = 5
#: Longer ones are mostly refused in a moment, and are looked up by themselves else.
_LONGEST = 255
#: What an account knows of which names were looked up for it, until that is asked for.
_LOOKED_UP = "scim_names_looked_up"


class LookedUp(NamedTuple):
    """Who has any of the ``names``: ``(key, login name)`` of each account."""

    names: list[str]
    holders: list[Row]


def former_and_holders(
    resource_type: ResourceType, context: Context, document: Document
) -> tuple[int | None, LookedUp | None]:
    """The key of the :class:`FormerUser` who returns with a create of ``document``, and who has the
    login names that this will claim: one statement, where the login name is a plain text.
    """
    name_key = comparison_key(document["userName"], precis=True)
    values, using = (context.connection.pk, name_key), database()
    names = list(_claimed_names(document, resource_type.home(_EMAILS)))
    if _is_plain() and len(max(names, key=len)) <= _LONGEST:
        spelt = _each_once(text for name in names for text in spellings(name))
        padded = _padded(spelt)
        former, found = _both(len(padded)).rows(values, padded, using=using)
        looked_up = LookedUp(spelt, found)
    else:
        former, looked_up = _FORMER.rows(*values, using=using), None
    return former[0][0] if former else None, looked_up


def _claimed_names(document: Document, emails: Home) -> Iterator[str]:
    """The login names of which a create asks who has them; ``emails`` is the home of these."""
    yield document["userName"]
    copied = get_user_model().get_email_field_name()
    if isinstance(emails, AccountCopy) and emails.field == copied:
        yield emails.pick(document.get("emails")) or document["userName"]


def knowing_holders(row: Resource, looked_up: LookedUp | None) -> Resource:
    """The row, for whose account :func:`holders` need not ask again what was looked up."""
    if looked_up is not None:
        vars(row.account)[_LOOKED_UP] = looked_up
    return row


def holders(account: Any, names: Iterable[str]) -> Collection[Row]:
    """``(key, login name)`` of the accounts with one of the ``names``, which ``account`` claims."""
    spelt = _each_once(names)
    known: LookedUp | None = vars(account).pop(_LOOKED_UP, None)
    if known is not None and known.names == spelt:
        return known.holders
    if _is_plain():
        padded = _padded(spelt)
        return _holders(len(padded)).rows(*padded, using=database())
    model = get_user_model()
    rows = model._default_manager.using(database())
    found = rows.filter(**{f"{model.USERNAME_FIELD}__in": spelt})
    return list(found.values_list("pk", model.USERNAME_FIELD))


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _padded(names: Sequence[str]) -> list[str]:
    return [*names, *[names[0]] * (-len(names) % _STEP)]


def _is_plain() -> bool:
    model = get_user_model()
    return type(model._meta.get_field(model.USERNAME_FIELD)) in _PLAIN_FIELDS


@cache
def _holders(names: int) -> Prepared:
    model = get_user_model()
    login = model.USERNAME_FIELD
    places = [Text(f"spelling-{number}") for number in range(names)]
    named = {f"{login}__in": places}
    return Prepared(
        lambda: model._default_manager.filter(**named).values_list("pk", login), *places
    )


_CONNECTION, _NAME_KEY = Number(), Text("name_key")
_FORMER = Prepared(
    lambda: FormerUser.objects.filter(connection=_CONNECTION, name_key=_NAME_KEY).values_list("pk"),
    _CONNECTION,
    _NAME_KEY,
)


@cache
def _both(names: int) -> PreparedBoth:
    return PreparedBoth(_FORMER, _holders(names))
