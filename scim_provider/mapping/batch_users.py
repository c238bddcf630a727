"""Many new Users: their accounts, roles and passwords beside their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router

from scim_provider.models import FormerUser, Resource, RoleAssignment
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import ScimError
from scim_provider.protocol.schema import comparison_key

from . import accounts, linking
from .access import Standing
from .batch import Batch, Entry, Sent, Undecided
from .claims import foreigners, managed_among, refuse_address, taken_name
from .document import Document
from .last_admin import keeping_an_admin
from .look_alikes import spellings
from .member_active import ACTIVE, come_back, follow, note_members, of_account
from .owned import note_written
from .profiles import note_owned
from .role_effects import taking_effect
from .role_rules import settle_defaults
from .roles import assignments
from .rows import batched, insert_objects, update_objects

#: Names of one look-up where the engine has no limit of its own.
_NAMES = 10_000


class UserBatch(Batch):
    """The creates of Users: people who return, names taken on the site, roles, passwords."""

    replaced = (*Batch.replaced, "row_beside", "save_account", "create_account")

    def look_up(self) -> None:
        keys = {_key(each.received) for each in self.sent if each.received}
        rows = FormerUser.objects.select_related("account").filter(
            connection=self.context.connection, name_key__in_set=sorted(keys)
        )
        self.former = {former.name_key: former for former in rows}
        self.linked = self._look_up_linked()
        linked = [each.account for each in self.linked.values() if isinstance(each, linking.Match)]
        note_owned([*linked, *(former.account for former in rows)], self.context)
        note_members(self.resource_type.home(ACTIVE), linked, self.context)
        self.revived: dict[Any, int] = {}
        self.used: list[FormerUser] = []
        #: How those stood whose accounts were there before.
        self.standing: list[Standing] = []

    def _look_up_linked(self) -> dict[int, Any]:
        """Which existing account each body takes over, or what refuses it, by position."""
        sent = [s for s in self.sent if s.received and _key(s.received) not in self.former]
        if not (sent and linking.links(self.context)):
            return {}
        found = linking.matches(self.context, [each.received or {} for each in sent])
        keys = [each.account.pk for each in found if isinstance(each, linking.Match)]
        if len(keys) > len(set(keys)):
            raise Undecided("Two creates match one account.")
        return dict(zip((each.position for each in sent), found, strict=True))

    # -- judging -------------------------------------------------------------------------------

    def new_row(self, document: Document) -> Resource:
        kind: Any = self.resource_type
        match self.linked.get(self.building):
            case linking.Match() as found:
                row: Resource = kind.row_linked(found, self.context, document)
                return row
            case ScimError() as refusal:
                raise refusal
        return self._row_beside_former(document)

    def _row_beside_former(self, document: Document) -> Resource:
        kind: Any = self.resource_type
        former = self.former.get(_key(document))
        if former and not organizations().may_return(former.account, self.context.owner):
            former = None
        account = former and accounts.returning(former)
        row: Resource = kind.row_beside(account, self.context, document)
        return row

    def build(self, sent: Sent) -> Entry:
        self.building = sent.position
        entry = super().build(sent)
        account: Any = entry.row.account
        if account._state.adding:
            accounts.refuse_incomplete(account)
            accounts.close_password(account)
        elif self.is_switched_off(entry):
            raise Undecided("Whether somebody else is left to administer is asked one by one.")
        elif "linked" in vars(entry.row):
            self.revived[account.pk] = entry.position
        else:
            self.used.append(self.former.pop(_key(entry.document)))
            self.revived[account.pk] = entry.position
        return entry

    def guard(self, row: Resource) -> None:
        account: Any = row.account
        accounts.refuse_privileged(account)
        if row.protected:
            raise Undecided("What of protected people stays is asked one by one.")
        if not account._state.adding:
            kind: Any = self.resource_type
            self.standing.append(kind.standing(row))

    def is_switched_off(self, entry: Entry) -> bool:
        """Whether somebody may enter and is not to, as the body says."""
        might_enter = any(was.account and was.row is entry.row for was in self.standing)
        return might_enter and entry.document.get("active") is False

    def take_password(self, document: Document) -> str | None:
        password: str | None = document.pop("password", None)
        return password

    def look_up_taken(self) -> None:
        super().look_up_taken()
        claims = [self._claimed(entry) for entry in self.entries]
        names = {
            text for pair in claims for claimed in pair if claimed for text in spellings(claimed)
        }
        #: Login name → the accounts that have it, and the body of this batch that takes it.
        self.named: dict[str, list[Any]] = _accounts_named(names)
        self.claimed: dict[str, int] = {}
        if self.named.keys() - names:
            raise Undecided("The database takes other spellings for the same than Python does.")
        addresses = {address for _, address in claims if address}
        holders = {key for keys in self.named.values() for key in keys}
        self.managed = managed_among(self.context, holders)
        self.foreigners = foreigners(self.context, addresses, holders) if addresses else {}

    def _claimed(self, entry: Entry) -> tuple[str, str]:
        """The login name and the address that a body wants for its account."""
        email = get_user_model().get_email_field_name()
        address = getattr(entry.row.account, email, "")
        return _login(entry), address if email in entry.written.account_fields else ""

    def claim(self, entry: Entry) -> Entry:
        name, address = self._claimed(entry)
        if holders := [h for each in set(spellings(name)) for h in self._holders(entry, each)]:
            raise self._taken(entry, name, holders)
        refuse_address(entry.row.account, address or "", self.foreigners, self.context)
        entry = super().claim(entry)
        self.claimed[name] = entry.position
        return entry

    def _taken(self, entry: Entry, name: str, holders: list[int | None]) -> ScimError:
        """What refuses a name: for good, where an account that stays as it is has it."""
        cause = None if None in holders else holders[0]
        if cause is not None:
            return self.blame(entry, cause, self.resource_type.taken(entry.document))
        keys = [key for each in spellings(name) for key in self.named.get(each, ())]
        holder = next((key for key in keys if key not in self.revived), keys[0])
        return taken_name(name, holder, self.context, managed=self.managed)

    def _holders(self, entry: Entry, name: str) -> Iterator[int | None]:
        """Who has the name: an earlier body of the batch by position, or None for the site."""
        if name in self.claimed:
            yield self.claimed[name]
        account: Any = entry.row.account
        for key in self.named.get(name, ()):
            reviver = self.revived.get(key)
            if key == account.pk:
                continue
            if reviver is None or reviver > entry.position:
                yield None
            elif reviver in self.errors:
                yield reviver

    # -- writing -------------------------------------------------------------------------------

    def save(self) -> None:
        people: list[Any] = [entry.row.account for entry in self.entries]
        insert_objects(get_user_model(), [one for one in people if one._state.adding])
        self._save_returning()
        for entry, account in zip(self.entries, people, strict=True):
            entry.row.account = account  # its key is known only now
            note_written(entry.row)
        if people:
            organizations().admit_all(people, self.context.owner)
        self.save_rows()
        self._follow_memberships()
        self._save_passwords()

    def tell(self) -> None:
        super().tell()
        linking.tell_linked([entry.row for entry in self.entries], self.context)
        kind: Any = self.resource_type
        kind.access_changed(self.standing, self.context)
        self._assign()  # which tells about roles, after it was told whose they are

    def _save_returning(self) -> None:
        """The accounts of people who return: one UPDATE for all with the same columns."""
        if not self.revived:
            return
        FormerUser.objects.filter(pk__in=[former.pk for former in self.used]).delete()
        home = self.resource_type.home(ACTIVE)
        rows = come_back(home, [entry.row for entry in self.entries])
        back = {row.account.pk: of_account(home).account_fields for row in rows}
        changed: dict[frozenset[str], list[Any]] = defaultdict(list)
        for entry in self.entries:
            account: Any = entry.row.account
            fields = entry.written.account_fields | back.get(account.pk, frozenset())
            if account.pk in self.revived and fields:
                changed[fields].append(account)
        for fields, people in changed.items():
            update_objects(get_user_model(), people, sorted(fields))

    def _follow_memberships(self) -> None:
        kind: Any = self.resource_type
        rows = [entry.row for entry in self.entries]
        for row in follow(rows, self.context, admitted=True):
            if kind.is_active(row):
                kind.deactivate(row.account)

    def _save_passwords(self) -> None:
        """All are validated before the first is hashed, which is slow by intent."""
        chosen: list[tuple[Entry, Any, str]] = []
        for entry in self.entries:
            if entry.password is not None and entry.row.owns_profile:
                chosen.append((entry, entry.row.account, entry.password))
        for entry, account, password in chosen:
            try:
                accounts.refuse_weak(account, password)
            except ScimError as error:
                self.errors[entry.position] = error
        if chosen and not any(entry.position in self.errors for entry, *_ in chosen):
            for _, account, password in chosen:
                account.set_password(password)
            update_objects(get_user_model(), [one for _, one, _ in chosen], ["password"])
            for _, account, password in chosen:
                accounts.tell_validators(account, password)

    def _assign(self) -> None:
        connection = self.context.connection
        has_default = self.context.gives_default
        if not has_default and not any(entry.document.get("roles") for entry in self.entries):
            return
        roles = self.context.roles
        rows = [a for e in self.entries for a in assignments(e.row, e.document, roles)]
        people = [e.row.pk for e in self.entries] if has_default else {row.user_id for row in rows}
        granting = any(role.django_group_id for role in roles.values())
        known = [was.row.pk for was in self.standing]
        with (
            keeping_an_admin(connection, known, grants=granting),
            taking_effect(connection, people, grants=granting),
        ):
            RoleAssignment.objects.bulk_create(rows)
            if has_default:
                settle_defaults(connection, people)


def _key(document: Document) -> str:
    return comparison_key(document["userName"], precis=True)


def _login(entry: Entry) -> str:
    account: Any = entry.row.account
    name: str = account.get_username()
    return name


def _accounts_named(names: Collection[str]) -> dict[str, list[Any]]:
    """The accounts with one of the login names, by name as the database has it."""
    model = get_user_model()
    features = connections[router.db_for_read(model)].features
    found: dict[str, list[Any]] = defaultdict(list)
    for some in batched(sorted(names), features.max_query_params or _NAMES):
        rows = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__in": some})
        for key, name in rows.values_list("pk", model.USERNAME_FIELD):
            found[name].append(key)
    return found
