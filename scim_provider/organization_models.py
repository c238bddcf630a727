"""Ready classes for ``SCIM_PROVIDER["ORGANIZATIONS"]``: organizations that are rows of a model.

A site names its models and is done; every method may be overridden alone. docs/organizations.md
has whole examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldError
from django.db.models import (
    BooleanField,
    Exists,
    Field,
    Model,
    OuterRef,
    Q,
    QuerySet,
)
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext

from .mapping.homes import Home
from .mapping.member_active import MemberActive
from .mapping.rows import insert_objects, saves_are_watched
from .organizations import Organizations

ModelName = str | type[Model]


def model_of(name: ModelName) -> type[Model]:
    """The model, given itself or as ``"app_label.Model"``. Raises ``LookupError``."""
    if not isinstance(name, str):
        return name
    try:
        return apps.get_model(name)
    except ValueError:
        raise LookupError(f'{name!r} is no model; write "app_label.Model".') from None


def foreign_key(model: type[Model], to: type[Model], name: str = "") -> str:
    """The foreign key of ``model`` to ``to``: the one called ``name``, or the only one.

    Raises ``LookupError`` where there is none, or more than one to choose from.
    """
    to = to._meta.concrete_model or to
    found = [
        field.name
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is not None
        if field.related_model._meta.concrete_model is to
        if name in ("", field.name)
    ]
    if len(found) == 1:
        return found[0]
    named, choice = f" called {name!r}" if name else "", f": {', '.join(found)}" if found else ""
    number = "several foreign keys" if found else "no foreign key"
    raise LookupError(f"{model._meta.label} has {number}{named} to {to._meta.label}{choice}.")


def has_column(model: type[Model], name: str, kind: type[Field[Any, Any]] = Field) -> bool:
    """Whether ``model`` has a column for a field of that name and kind."""
    return any(f.name == name and isinstance(f, kind) for f in model._meta.concrete_fields)


class ModelOrganizations(Organizations):
    """What sites with organizations of one model share."""

    #: The organization's column with its name, for the command line.
    name_field: ClassVar[str] = "name"
    #: The organization's column that URLs and hosts name it by, "" where none does.
    slug_field: ClassVar[str] = ""
    #: What the mount's URL calls it: ``path("scim/<slug:organization>/v2", …)``.
    url_kwarg: ClassVar[str] = "organization"

    @property
    def owners(self) -> type[Model]:
        """The model of organizations."""
        if self.model is None:
            raise LookupError(f"{type(self).__name__}.model names no model.")
        return model_of(self.model)

    def url_kwargs(self, owner: Model) -> Mapping[str, Any]:
        return {self.url_kwarg: getattr(owner, self.slug_field)} if self.slug_field else {}

    def host(self, owner: Model) -> str:
        if not (self.domain and self.slug_field):
            return ""
        return f"{getattr(owner, self.slug_field)}.{self.domain}"

    def by_name(self, name: str) -> Model | None:
        if not name:
            raise LookupError("Name the organization: --organization NAME.")
        named = {f"{self.name_field}__iexact": name}
        found = list(self.owners._default_manager.filter(**named)[:2])
        if len(found) > 1:
            raise LookupError(f"Several organizations are named {name!r}.")
        return found[0] if found else self.unknown(name)

    def unknown(self, name: str) -> Model | None:
        raise LookupError(f"There is no organization named {name!r}.")

    def problems(self) -> Iterator[str]:
        """What is wrong with the class, for the system checks. Raises ``LookupError``, too."""
        for name in (self.name_field, self.slug_field):
            if name and not has_column(self.owners, name):
                yield f"{self.owners._meta.label} has no field {name!r}."


class ForeignKeyOrganizations(ModelOrganizations):
    """Every account belongs to one organization: a foreign key on the user model."""

    #: The foreign key; found by itself where there is only one to :attr:`model`.
    field: ClassVar[str] = ""

    @property
    def key(self) -> str:
        return foreign_key(get_user_model(), self.owners, self.field)

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        foreign_key(get_user_model(), self.owners, self.field)

    def owner_for(self, request: HttpRequest) -> Model | None:
        owner: Model | None = getattr(request.user, self.key, None)
        if owner is None:
            raise Http404(gettext("You do not belong to an organization."))
        return owner

    def prepare_account(self, account: AbstractBaseUser, owner: Model | None) -> None:
        setattr(account, self.key, owner)

    def belongs(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        key: Any = getattr(account, f"{self.key}_id")
        return bool(key == (owner and owner.pk))

    def members(self, owner: Model | None) -> QuerySet[Any]:
        accounts: QuerySet[Any] = get_user_model()._default_manager.all()
        return accounts.none() if owner is None else accounts.filter(**{self.key: owner})

    def admins(self, owner: Model | None) -> QuerySet[Any]:
        accounts = super().admins(owner)
        return accounts.none() if owner is None else accounts.filter(**{self.key: owner})


class MembershipOrganizations(ModelOrganizations):
    """An account may be a member of several organizations: a table of the site says of which.

    Each connection sees and ends the memberships of its own organization. An account is
    deactivated when no active membership is left, and comes back with the first new one.
    """

    shares_accounts = True
    #: The model of memberships.
    membership: ClassVar[ModelName]
    #: Its foreign keys; found by themselves where there is only one to each.
    member_field: ClassVar[str] = ""
    organization_field: ClassVar[str] = ""
    #: Its boolean column that tells whether the membership counts. "": every row counts, and a
    #: membership that ends is deleted.
    active_field: ClassVar[str] = ""
    #: Which memberships let a person manage SCIM: look-ups such as ``{"role": "owner"}``. Without
    #: any, members need the permission "Can manage SCIM provisioning".
    managers: ClassVar[Mapping[str, Any]] = {}
    #: False: the account is the person's own. SCIM leaves it alone, whatever becomes of the
    #: memberships, and writes no profile that it did not make.
    deactivates_accounts: ClassVar[bool] = True

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        rows, active = self.memberships, self.active_field
        for to, name in (
            (get_user_model(), self.member_field),
            (self.owners, self.organization_field),
        ):
            foreign_key(rows.model, to, name)
        if active and not has_column(rows.model, active, BooleanField):
            yield f"{rows.model._meta.label} has no boolean field {active!r}."
        try:
            rows.filter(**self.managers)
        except FieldError as error:
            yield f"managers: {error}"

    # -- the site's table ----------------------------------------------------------------------

    @property
    def memberships(self) -> QuerySet[Any]:
        """All memberships, also those that do not count."""
        rows: QuerySet[Any] = model_of(self.membership)._base_manager.all()
        return rows

    @property
    def active_memberships(self) -> QuerySet[Any]:
        """The memberships that count."""
        rows = self.memberships
        return rows.filter(**{self.active_field: True}) if self.active_field else rows

    @property
    def member_key(self) -> str:
        return foreign_key(self.memberships.model, get_user_model(), self.member_field)

    @property
    def organization_key(self) -> str:
        return foreign_key(self.memberships.model, self.owners, self.organization_field)

    def new_membership(self, account: AbstractBaseUser, owner: Model) -> Model:
        """An unsaved membership: set here what else the site's table wants, a role for one."""
        made: Model = self.memberships.model(
            **{self.member_key: account, self.organization_key: owner}
        )
        return made

    def _of(self, owner: Model | None, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.none() if owner is None else rows.filter(**{self.organization_key: owner})

    def _has_active(self) -> Exists:
        rows = self.active_memberships.filter(**{self.member_key: OuterRef("pk")})
        return Exists(rows.order_by())

    # -- who belongs ---------------------------------------------------------------------------

    def belongs(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        rows = self._of(owner, self.memberships)
        return rows.filter(**{self.member_key: account.pk}).exists()

    def has_left(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        if not self.active_field:
            return False  # a membership that is gone says that the person is not active here
        return super().has_left(account, owner)

    def belonging(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> set[Any]:
        if type(self).belongs is not MembershipOrganizations.belongs:
            return super().belonging(accounts, owner)
        rows = self._of(owner, self.memberships).filter(
            **{f"{self.member_key}__in": [account.pk for account in accounts]}
        )
        return set(rows.values_list(self.member_key, flat=True))

    def leaving(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> set[Any]:
        if type(self).has_left is not MembershipOrganizations.has_left:
            return super().leaving(accounts, owner)
        if not self.active_field:
            return set()
        return {account.pk for account in accounts} - self.belonging(accounts, owner)

    def may_return(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        return owner is not None  # that its membership here ended says nothing against it

    def members(self, owner: Model | None) -> QuerySet[Any]:
        keys = self._of(owner, self.memberships).order_by().values(self.member_key)
        accounts: QuerySet[Any] = get_user_model()._default_manager.filter(pk__in=keys)
        return accounts

    def admit(self, account: AbstractBaseUser, owner: Model | None) -> None:
        self.admit_all([account], owner)

    def admit_all(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> None:
        if owner is None:
            return
        known = self._of(owner, self.memberships).filter(
            **{f"{self.member_key}__in": [account.pk for account in accounts]}
        )
        column = self.active_field or "pk"
        found = dict(known.values_list(self.member_key, column))
        new = [self.new_membership(one, owner) for one in accounts if one.pk not in found]
        if new:
            insert_objects(self.memberships.model, new)
        if self.active_field and not all(found.values()):
            self._set_active(known, True)

    def dismiss(self, accounts: QuerySet[Any], owner: Model | None) -> None:
        rows = self._of(owner, self.memberships).filter(**{f"{self.member_key}__in": accounts})
        if self.active_field:
            self._set_active(rows, False)
        else:
            rows.delete()

    def _set_active(self, rows: QuerySet[Any], active: bool) -> None:
        """One statement, unless the site watches each row."""
        changed = rows.filter(**{self.active_field: not active})
        if not saves_are_watched(changed.model):
            changed.update(**{self.active_field: active})
            return
        for row in changed:
            setattr(row, self.active_field, active)
            row.save(update_fields=[self.active_field])

    def unneeded(self, accounts: QuerySet[Any]) -> QuerySet[Any]:
        if not self.deactivates_accounts:
            return accounts.none()
        return accounts.filter(~self._has_active())

    def needed_elsewhere(self, accounts: QuerySet[Any], owner: Model | None) -> QuerySet[Any]:
        if not self.deactivates_accounts:
            return accounts
        others = self.active_memberships.filter(**{self.member_key: OuterRef("pk")})
        if owner is not None:
            others = others.exclude(**{self.organization_key: owner})
        return accounts.filter(Exists(others.order_by()))

    def active_home(self, of_account: Home) -> Home | None:
        return MemberActive(self, of_account)

    # -- the settings page ---------------------------------------------------------------------

    def owner_for(self, request: HttpRequest) -> Model | None:
        """The organization that the host names; else one that the user manages, or belongs to.

        Override it where the site remembers which of them is open.
        """
        mine = self.active_memberships.filter(**{self.member_key: request.user.pk})
        if self.domain and self.slug_field:
            host = split_domain_port(request.get_host())[0]
            if self.is_own_host(host):
                slug = host.removesuffix(f".{self.domain}")
                mine = mine.filter(**{f"{self.organization_key}__{self.slug_field}": slug})
        rows = list(mine.select_related(self.organization_key).order_by("pk"))
        managed = set(self._managed(request).values_list("pk", flat=True))
        found = min(rows, key=lambda row: row.pk not in managed, default=None)
        if found is None:
            raise Http404(gettext("You do not belong to an organization."))
        owner: Model = getattr(found, self.organization_key)
        return owner

    def _managed(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.active_memberships.filter(**{self.member_key: request.user.pk})
        return rows.filter(**self.managers) if self.managers else rows.none()

    def _is_member(self, request: HttpRequest, owner: Model | None) -> bool:
        rows = self._of(owner, self.active_memberships)
        return rows.filter(**{self.member_key: request.user.pk}).exists()

    def can_view(self, request: HttpRequest, owner: Model | None) -> bool:
        return super().can_view(request, owner) and self._is_member(request, owner)

    def can_manage(self, request: HttpRequest, owner: Model | None) -> bool:
        if request.user.is_active and self._of(owner, self._managed(request)).exists():
            return True
        return super().can_manage(request, owner) and self._is_member(request, owner)

    def admins(self, owner: Model | None) -> QuerySet[Any]:
        """Members who manage by their membership, and those who may manage SCIM."""
        rows = self._of(owner, self.active_memberships).order_by()
        managing = rows.filter(**self.managers) if self.managers else rows.none()
        members, managers = rows.values(self.member_key), managing.values(self.member_key)
        allowed = super().admins(owner).filter(pk__in=members).order_by().values("pk")
        accounts: QuerySet[Any] = get_user_model()._default_manager.all()
        return accounts.filter(Q(pk__in=managers) | Q(pk__in=allowed))
