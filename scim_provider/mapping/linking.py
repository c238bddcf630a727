"""Creates that match an account of the site which SCIM does not manage yet.

By policy the account is linked: only one of the same organization, that has the login name or has
proven to own an e-mail address. Everything else is refused, and an event says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from scim_provider.events import event, record, telling
from scim_provider.models import (
    EventKind,
    ExistingAccount,
    Resource,
    Unlisted,
    UnlistedReason,
)
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import ScimError, Uniqueness
from scim_provider.protocol.schema import comparison_key
from scim_provider.signals import announce, users_linked

from .accounts import is_privileged
from .context import Context
from .look_alikes import spellings
from .paths import Document
from .protections import protection_restored
from .transactions import database


class Match(NamedTuple):
    """An account that a create takes over, and why."""

    account: Any
    reason: str
    #: Whether it was protected when it was last here.
    protected: bool = False


def links(context: Context) -> bool:
    """Whether creates link existing accounts here."""
    return context.connection.existing_account == ExistingAccount.LINK


def match(context: Context, document: Document) -> Match | None:
    """The account that a create of ``document`` takes over. Raises :class:`Uniqueness`."""
    if not links(context):
        return None
    (found,) = matches(context, [document])
    if isinstance(found, ScimError):
        raise found
    return found


def matches(context: Context, documents: Sequence[Document]) -> list[Match | ScimError | None]:
    """For each document :func:`match`, or what it raises: four statements for all."""
    names = [str(document["userName"]) for document in documents]
    sent = [_addresses(document) for document in documents]
    proven = list(organizations().verified_addresses(sorted({a for each in sent for a in each})))
    accounts = _accounts(names, [key for _, key in proven])
    by_name: dict[str, list[Any]] = {}
    for account in accounts.values():
        by_name.setdefault(_key(account.get_username()), []).append(account)
    judge = _Judge(context, accounts)
    found = []
    for name, addresses in zip(names, sent, strict=True):
        candidates = {
            account.pk: Match(account, gettext("The login name is the userName"))
            for account in by_name.get(_key(name), ())
        }
        for address, key in proven:
            if address in addresses and key in accounts:
                reason = gettext("%(address)s is a verified address of it") % {"address": address}
                candidates.setdefault(key, Match(accounts[key], reason))
        found.append(judge.decide(name, list(candidates.values())))
    return found


def _accounts(names: Sequence[str], keys: Sequence[Any]) -> dict[Any, Any]:
    """The accounts with one of the login names, in their usual spellings, or one of the keys."""
    model = get_user_model()
    rows = model._default_manager.using(database())
    texts = sorted({text for name in names for text in spellings(name)})
    found = list(rows.filter(**{f"{model.USERNAME_FIELD}__in": texts}))
    found += rows.filter(pk__in=keys) if keys else []
    return {account.pk: account for account in found}


def _key(name: str) -> str:
    return comparison_key(name, precis=True)


def _addresses(document: Document) -> set[str]:
    """The addresses that a create claims, in lower case; a userName may be one."""
    elements = document.get("emails") or []
    texts = [document["userName"], *(element.get("value") for element in elements)]
    return {text.lower() for text in texts if isinstance(text, str) and "@" in text}


class _Judge:
    """Decides who of the accounts may be linked."""

    def __init__(self, context: Context, accounts: Mapping[Any, Any]) -> None:
        self.context, self.connection, using = context, context.connection, database()
        self.accounts, keys = accounts, list(accounts)
        managed = Resource.objects.using(using).filter(connection=self.connection)
        left = Unlisted.objects.using(using).filter(connection=self.connection)
        self.managed: set[Any] = set()
        self.unlinked: set[Any] = set()
        self.protected: set[Any] = set()
        if keys:
            self.managed.update(managed.filter(account__in=keys).values_list("account", flat=True))
            rows = left.filter(account__in=keys).values_list("account", "reason", "protected")
            for account, reason, protected in rows:
                self.unlinked.update({account} if reason == UnlistedReason.UNLINKED else ())
                self.protected.update({account} if protected else ())

    @cached_property
    def members(self) -> set[Any]:
        """The keys of those who belong to the organization."""
        return organizations().belonging(list(self.accounts.values()), self.context.owner)

    def decide(self, name: str, candidates: Sequence[Match]) -> Match | ScimError | None:
        if not candidates or any(each.account.pk in self.managed for each in candidates):
            return None
        account = candidates[0].account
        if len(candidates) > 1:
            return self._refusal(name, account, gettext("More than one account matched"))
        if reason := self._objection(account):
            return self._refusal(name, account, reason)
        return candidates[0]._replace(protected=account.pk in self.protected)

    def _objection(self, account: Any) -> str:
        if is_privileged(account):
            return gettext("It is an administrator of the site")
        if account.pk not in self.members:
            return gettext("It is no member of the organization")
        if account.pk in self.unlinked:
            return gettext("An administrator unlinked it")
        return ""

    def _refusal(self, name: str, account: Any, reason: str) -> Uniqueness:
        refusal = Uniqueness(
            f"userName {name!r}, or an e-mail address sent with it, belongs to an account of this "
            "site that cannot be linked to this organization. The events of the connection say "
            "why. Use another userName, or have an administrator of the site link the account."
        )
        kind = EventKind.LINK_REFUSED
        told = event(self.connection, kind, name=name, account=account, reason=reason)
        return telling(refusal, told)


def take_over(row: Resource, document: Document, found: Match, *, active: bool | None) -> None:
    """Make ``row`` one of the account, which keeps its password.

    ``active`` is how it stands, where the client does not say.
    """
    vars(row)["linked"] = found.reason
    row.protected = found.protected
    document.pop("password", None)
    if active is not None:
        document["active"] = active


def tell_linked(rows: Sequence[Resource], context: Context) -> None:
    """Record and announce which of the saved rows were linked."""
    linked = [row for row in rows if "linked" in vars(row)]
    if not linked:
        return
    kind, connection = EventKind.PERSON_LINKED, context.connection
    protection_restored(connection, linked)
    record([event(connection, kind, resource=r, reason=vars(r)["linked"]) for r in linked])
    announce(users_linked, connection, users=linked)
