"""What a site tells about its organizations, in one class.

A site with organizations subclasses :class:`Organizations` and names the class in
``SCIM_PROVIDER["ORGANIZATIONS"]``. A site without any is one organization and needs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from .conf import scim_settings
from .owners import owner_of as owner_of

if TYPE_CHECKING:
    from .mapping.homes import Home

EntitlementState = Literal["available", "preview", "not_in_plan"]

VIEW_PERMISSION = "scim_provider.view_scim_settings"
MANAGE_PERMISSION = "scim_provider.manage_scim"


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """Whether an organization may use SCIM, and what to tell it.

    ``message`` and ``url`` are the site's own words and link: an upgrade page, a waiting list.
    """

    allowed: bool = True
    state: EntitlementState = "available"
    message: str = ""
    url: str = ""


class Organizations:
    """The default: the site is one organization, whose owner is None.

    Every method may be overridden alone. ``owner`` is an instance of the site's organization
    model, or None.
    """

    #: The model of organizations, itself or as "app_label.Model"; None on a site without any.
    #: Where one is deleted, its SCIM data goes with it.
    model: ClassVar[str | type[Model] | None] = None
    #: Whether an account may be a member of several organizations.
    shares_accounts: ClassVar[bool] = False
    #: Where organizations have hosts of their own, the domain that these are in: "example.com"
    #: for acme.example.com. "": they share the site's.
    domain: ClassVar[str] = ""

    def owner_for(self, request: HttpRequest) -> Model | None:
        """The organization whose settings ``request`` opens.

        Raise ``django.http.Http404`` for a user without any.
        """
        return None

    def name(self, owner: Model | None) -> str:
        """What the pages call the organization."""
        return gettext("this site") if owner is None else str(owner)

    def can_view(self, request: HttpRequest, owner: Model | None) -> bool:
        """Whether the user may see the SCIM settings of ``owner``."""
        return _may(request.user, VIEW_PERMISSION) or _may(request.user, MANAGE_PERMISSION)

    def can_manage(self, request: HttpRequest, owner: Model | None) -> bool:
        """Whether the user may turn SCIM on and off and make keys for ``owner``."""
        return _may(request.user, MANAGE_PERMISSION)

    def entitlement(self, owner: Model | None) -> Entitlement:
        """Whether SCIM is in the plan of ``owner``; asked by the pages and by the API."""
        return Entitlement()

    def prepare_account(self, account: AbstractBaseUser, owner: Model | None) -> None:
        """Set what a new account needs before it is saved: a foreign key to ``owner``, say."""

    def admit(self, account: AbstractBaseUser, owner: Model | None) -> None:
        """Make the saved account a member of ``owner``; called again on a return."""

    def admit_all(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> None:
        """:meth:`admit` for many at once; override it where a few statements do for all."""
        for account in accounts:
            self.admit(account, owner)

    def roles_changed(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> None:
        """``accounts`` have other roles in ``owner`` than before, for whatever reason.

        Called within the transaction, with all whom one operation concerns;
        :func:`scim_provider.roles.roles_of` tells which they have. Where it is not overridden,
        nothing is read for it.
        """

    def belongs(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        """Whether an existing account is a member of ``owner`` and may be linked to SCIM."""
        return owner is None

    def belonging(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> set[Any]:
        """The keys of those of ``accounts`` who belong; override it where one statement does."""
        return {account.pk for account in accounts if self.belongs(account, owner)}

    def has_left(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        """Whether SCIM takes out the person, on a connection that lists its members.

        Asked for those whom :meth:`members` leaves out. Somebody whom SCIM itself has deactivated
        must not seem to have left.
        """
        return not self.belongs(account, owner)

    def leaving(self, accounts: Sequence[AbstractBaseUser], owner: Model | None) -> set[Any]:
        """The keys of those of ``accounts`` who have left; override it where one statement does."""
        return {account.pk for account in accounts if self.has_left(account, owner)}

    def members(self, owner: Model | None) -> QuerySet[Any]:
        """The accounts of ``owner``, each once, deactivated ones too; administrators of the site
        are left out by whoever asks.

        A site with organizations overrides this beside :meth:`belongs`; until then it has none.
        """
        accounts: QuerySet[Any] = get_user_model()._default_manager.all()
        return accounts if owner is None else accounts.none()

    def admins(self, owner: Model | None) -> QuerySet[Any]:
        """The accounts that may manage ``owner``: SCIM never locks out the last active one.

        By default superusers, and whoever may manage SCIM. A site where organizations have
        administrators of their own overrides it, with those of ``owner`` alone.
        """
        model = get_user_model()
        accounts: QuerySet[Any] = model._default_manager.all()
        if not issubclass(model, PermissionsMixin):
            return accounts.none()
        app, _, codename = MANAGE_PERMISSION.partition(".")
        permission = Permission.objects.filter(content_type__app_label=app, codename=codename)
        groups = Group.objects.filter(permissions__in=permission)
        allowed = Q(user_permissions__in=permission) | Q(groups__in=groups)
        return accounts.filter(Q(is_superuser=True) | allowed).distinct()

    def verified_addresses(self, addresses: Collection[str]) -> Iterable[tuple[str, Any]]:
        """``(address, primary key of the account that has proven to own it)``.

        The ones that django-allauth verified, where it is installed; without it nothing is proven.
        ``addresses`` are in lower case, and so is the answer.
        """
        if not apps.is_installed("allauth.account"):
            return ()
        model = apps.get_app_config("account").get_model("EmailAddress")
        verified = model._default_manager.filter(verified=True, email__in=addresses)
        found = verified.values_list("email", "user_id")
        return [(address.lower(), key) for address, key in found]

    def may_return(self, account: AbstractBaseUser, owner: Model | None) -> bool:
        """Whether a create takes back the account that was deleted through this connection."""
        return self.belongs(account, owner)

    def dismiss(self, accounts: QuerySet[Any], owner: Model | None) -> None:
        """End the memberships of ``accounts`` in ``owner``: what :meth:`admit` made."""

    def unneeded(self, accounts: QuerySet[Any]) -> QuerySet[Any]:
        """Those of ``accounts`` that no organization counts on: they may be deactivated."""
        return accounts

    def needed_elsewhere(self, accounts: QuerySet[Any], owner: Model | None) -> QuerySet[Any]:
        """Those of ``accounts`` that an organization other than ``owner`` counts on.

        Asked where :attr:`shares_accounts`: a connection does not write the login name, address
        or password of an account that it finds, if somebody can enter another organization by it.
        """
        return accounts.none()

    def active_home(self, of_account: Home) -> Home | None:
        """Where ``active`` lives, if that is not ``of_account``, which locks the account out."""
        return None

    def url_kwargs(self, owner: Model) -> Mapping[str, Any]:
        """The arguments of the mount's URL where it names the organization.

        ``{"organization": owner.slug}`` for ``path("scim/<slug:organization>/v2", …)``. A key is
        refused at every other URL.
        """
        return {}

    def host(self, owner: Model) -> str:
        """The host that ``owner`` has to itself, "" for none. See :attr:`domain`."""
        return ""

    def is_own_host(self, host: str) -> bool:
        """Whether ``host`` is one that some organization has to itself, or would have.

        Asked with every request, so better told from the text than looked up.
        """
        return host.endswith(f".{self.domain}")

    def by_name(self, name: str) -> Model | None:
        """The organization of that name, for the command line.

        Raises ``LookupError`` where there is none.
        """
        if name:
            raise LookupError("This site has no organizations; leave the name out.")
        return None

    def create(self, name: str) -> Model:
        """A new organization of that name, for the command line of a site that lets it make one.

        Raises ``LookupError`` where it may not.
        """
        raise LookupError(f"There is no organization named {name!r}.")


def _may(user: Any, permission: str) -> bool:
    """Whether a user may; a user model without permissions gives nobody any."""
    return bool(user.is_active and hasattr(user, "has_perm") and user.has_perm(permission))


def organizations() -> Organizations:
    """An instance of the site's class."""
    configured: Any = scim_settings.organizations
    instance: Organizations = configured()
    return instance
