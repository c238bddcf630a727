"""System checks of what a site says about its organizations."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from .conf import scim_settings
from .mapping.shared_homes import is_undecided
from .mounts import mounts
from .organization_models import ModelOrganizations, model_of
from .organizations import Organizations, organizations
from .resources import UserResource, resource_types

_CLASS = "SCIM_PROVIDER['ORGANIZATIONS']"


def _site() -> Organizations | None:
    """The site's class, None where it is none, which another check says."""
    try:
        _ = scim_settings.resource_types
        site = organizations()
    except (ImportError, TypeError):
        return None
    return site if isinstance(site, Organizations) else None


def check_mount_arguments(**kwargs: Any) -> list[CheckMessage]:
    """What the mount's URL captures names the organization: the site must say which is whose."""
    names = {name for mount in mounts() for name in mount.names}
    site = _site()
    if site is None or names <= _told(site, names):
        return []
    message = f"The SCIM endpoints are mounted at a URL with arguments: {', '.join(sorted(names))}."
    hint = f"Let url_kwargs of the class in {_CLASS} give them, or mount the endpoints without."
    return [Error(message, hint=hint, id="scim_provider.E031")]


def _told(site: Organizations, names: set[str]) -> set[str]:
    """Those of ``names`` that ``url_kwargs`` gives, as far as that can be told."""
    kind = type(site)
    if kind.url_kwargs is Organizations.url_kwargs:
        return set()
    if isinstance(site, ModelOrganizations) and kind.url_kwargs is ModelOrganizations.url_kwargs:
        return {site.url_kwarg} if site.slug_field else set()
    return names


def check_organizations(**kwargs: Any) -> list[CheckMessage]:
    """The models and columns that the site's class names are there."""
    site = _site()
    if not isinstance(site, ModelOrganizations):
        return []
    try:
        found = list(site.problems())
    except LookupError as error:
        found = [str(error.args[0])]
    except AttributeError as error:
        found = [f"{error.name} is not set."]
    name = type(site).__name__
    return [Error(f"{name}: {problem}", id="scim_provider.E032") for problem in found]


def check_model(**kwargs: Any) -> list[CheckMessage]:
    """Which model organizations are, so that the SCIM data of a deleted one goes with it."""
    site = _site()
    if site is None or type(site) is Organizations or isinstance(site, ModelOrganizations):
        return []
    name = f"{type(site).__name__}.model"
    if site.model is None:
        message = f"{name} is not set: a deleted organization would leave its SCIM data behind."
        hint = 'Name the model of organizations: model = "app_label.Model".'
        return [Warning(message, hint=hint, id="scim_provider.W033")]
    try:
        model_of(site.model)
    except LookupError as error:
        return [Error(f"{name}: {error.args[0]}", id="scim_provider.E032")]
    return []


def check_members(**kwargs: Any) -> list[CheckMessage]:
    """Who says which accounts belong says who the members are: otherwise nobody can be listed."""
    site = _site()
    if site is None:
        return []
    kind = type(site)
    if kind.belongs is Organizations.belongs:
        return []
    if kind.members is not Organizations.members:
        return []
    message = f"{kind.__name__} says which accounts belong, and not who the members are."
    hint = "Add members(owner), a queryset of accounts, so that they can be listed in SCIM."
    return [Warning(message, hint=hint, id="scim_provider.W034")]


def check_admins(**kwargs: Any) -> list[CheckMessage]:
    """Who says who may manage says who these are: otherwise the last one may be locked out."""
    site = _site()
    if site is None:
        return []
    said_by = {
        name: next(n for n, each in enumerate(type(site).__mro__) if name in vars(each))
        for name in ("can_manage", "admins")
    }
    if said_by["admins"] <= said_by["can_manage"]:  # by the same class, or by a later one
        return []
    message = f"{type(site).__name__} says who may manage an organization, and not who these are."
    hint = "Add admins(owner), a queryset of accounts, so that SCIM never locks out the last one."
    return [Warning(message, hint=hint, id="scim_provider.W035")]


def check_shared_homes(**kwargs: Any) -> list[CheckMessage]:
    """Where several connections may have an account, each home says whose its values are."""
    site = _site()
    if site is None or not site.shares_accounts:
        return []
    hint = (
        "Set of_profile on the class: True where only the connection that owns the profile may "
        "write it, False where each organization has a value of its own."
    )
    return [
        Warning(
            f"{target} of {each.name} lives in {type(home).__name__}, which does not say whether "
            "organizations that share an account share its values.",
            hint=hint,
            obj=type(each),
            id="scim_provider.W036",
        )
        for each in resource_types()
        if isinstance(each, UserResource)
        for target, home in each.placed
        if is_undecided(home)
    ]


CHECKS = (
    check_mount_arguments,
    check_organizations,
    check_model,
    check_members,
    check_admins,
    check_shared_homes,
)
