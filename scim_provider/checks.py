"""System checks of ``SCIM_PROVIDER``: ids ``scim_provider.E0xx`` and ``scim_provider.W0xx``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import router
from django.db.models import Model

from . import organization_checks
from .conf import SettingsDict, scim_settings
from .home_checks import check_homes, check_own_models, check_resource_types, check_user_model
from .lockout_checks import check_backends, check_middleware_order, check_session_engine
from .models import Resource, role_key
from .mounts import mounts
from .organizations import Organizations
from .resources import ResourceType
from .routers import reads_primary

_ROLE_KEYS = {
    "value",
    "display",
    "description",
    "aliases",
    "priority",
    "django_group",
    "protected",
    "rules_may_grant",
    "default",
}
_NUMBERS = (
    "MAX_RESULTS",
    "DEFAULT_COUNT",
    "MAX_BODY_BYTES",
    "BULK_MAX_OPERATIONS",
    "CURSOR_MAX_AGE",
    "EVENT_RETENTION_DAYS",
)
#: Numbers that may be None.
_UNLIMITED = ("EVENT_RETENTION_DAYS",)


def unknown_keys(conf: SettingsDict, check_id: str) -> list[CheckMessage]:
    """One error per key that ``conf`` does not know, with the nearest one that it does."""
    return [
        Error(f"{conf.setting}[{key!r}] is not a setting.", hint=_nearest(key, conf), id=check_id)
        for key in conf.unknown_keys()
    ]


def unimportable_paths(conf: SettingsDict, check_id: str) -> list[CheckMessage]:
    """One error per dotted path of ``conf`` that leads nowhere."""
    found: list[CheckMessage] = []
    for key, dotted in _dotted(conf):
        try:
            conf.imported(dotted)
        except (ImportError, AttributeError) as error:
            message = f"{conf.setting}[{key!r}] names {dotted!r}, which cannot be imported: {error}"
            found.append(Error(message, id=check_id))
    return found


def check_unknown_keys(**kwargs: Any) -> list[CheckMessage]:
    return unknown_keys(scim_settings, "scim_provider.E001")


def check_dotted_paths(**kwargs: Any) -> list[CheckMessage]:
    """What is named is there, and is of the kind that is needed."""
    unimportable = unimportable_paths(scim_settings, "scim_provider.E002")
    return unimportable or [Error(each, id="scim_provider.E002") for each in _misfits()]


def _misfits() -> Iterator[str]:
    served = scim_settings.get("RESOURCE_TYPES")
    if not isinstance(served, list | tuple) or not served:
        yield "SCIM_PROVIDER['RESOURCE_TYPES'] must be a list of resource types that is not empty."
        return
    bases: dict[str, type] = {"RESOURCE_TYPES": ResourceType, "ORGANIZATIONS": Organizations}
    for key, dotted in _dotted(scim_settings):
        named = scim_settings.imported(dotted)
        if not (isinstance(named, type) and issubclass(named, bases[key])):
            yield f"SCIM_PROVIDER[{key!r}] names {dotted!r}, which is no {bases[key].__name__}."


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """The service provider is mounted, at a path that every identity provider takes."""
    found = mounts()
    if not found:
        hint = 'Add path("scim/v2", include("scim_provider.urls")) to the URLconf.'
        return [Warning("The SCIM endpoints are not mounted.", hint=hint, id="scim_provider.W003")]
    hint = "Okta refuses a base URL with an underscore in it. Use hyphens."
    return [
        Warning(
            f"The SCIM endpoints are mounted at /{mount.path.lstrip('/')}.",
            hint=hint,
            id="scim_provider.W004",
        )
        for mount in found
        if "_" in mount.path
    ]


def check_replicas(**kwargs: Any) -> list[CheckMessage]:
    """What a request of SCIM has written, it reads."""
    people: list[type[Model]] = [Resource, get_user_model()]
    behind = [model._meta.label for model in people if not reads_primary(model)]
    if not behind:
        return []
    message = f"{' and '.join(behind)}: read from another database than they are written to."
    hint = (
        "Identity providers read what they wrote, at once. Put "
        "'scim_provider.routers.PrimaryRouter' first in DATABASE_ROUTERS."
    )
    return [Warning(message, hint=hint, id="scim_provider.W040")]


def check_one_database(**kwargs: Any) -> list[CheckMessage]:
    """SCIM's tables refer to accounts, which no database does across its borders."""
    ours, accounts = router.db_for_write(Resource), router.db_for_write(get_user_model())
    if ours == accounts:
        return []
    message = f"SCIM's tables are written to the database {ours!r}, accounts to {accounts!r}."
    hint = "Let your router keep scim_provider, the user model and contenttypes together."
    return [Error(message, hint=hint, id="scim_provider.E041")]


def check_roles(**kwargs: Any) -> list[CheckMessage]:
    """Each role is a string or a dict with a ``value`` and no unknown keys; no two are one."""
    roles = scim_settings.get("ROLES")
    if not isinstance(roles, list | tuple):
        message = "SCIM_PROVIDER['ROLES'] must be a list of roles."
        return [Error(message, hint='["admin", "member"], say.', id="scim_provider.E005")]
    wrong = [(role, hint) for role in roles if (hint := _wrong_role(role))]
    return [
        Error(
            f"SCIM_PROVIDER['ROLES'] has a role that cannot be used: {role!r}.",
            hint=hint,
            id="scim_provider.E005",
        )
        for role, hint in wrong or _clashing_roles(scim_settings.roles)
    ]


def check_numbers(**kwargs: Any) -> list[CheckMessage]:
    """The limits are positive whole numbers."""
    return [
        Error(f"SCIM_PROVIDER[{key!r}] must be a positive whole number.", id="scim_provider.E006")
        for key in _NUMBERS
        if not _is_limit(scim_settings.get(key)) and not _is_unlimited(key)
    ]


def _is_limit(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_unlimited(key: str) -> bool:
    return key in _UNLIMITED and scim_settings.get(key) is None


def check_throttle_rate(**kwargs: Any) -> list[CheckMessage]:
    """The rate can be read: every request would fail otherwise."""
    try:
        _ = scim_settings.throttle_rate
    except ValueError as error:
        return [Error(f"SCIM_PROVIDER['THROTTLE_RATE']: {error}", id="scim_provider.E012")]
    return []


def check_base_url(**kwargs: Any) -> list[CheckMessage]:
    """A configured base URL is absolute and has neither query nor fragment."""
    if not scim_settings.base_url:
        return []
    try:
        url = urlsplit(scim_settings.base_url)
    except ValueError:  # brackets that are no IPv6 address
        url = urlsplit("")
    if url.scheme in ("http", "https") and url.netloc and not url.query and not url.fragment:
        return []
    hint = "Give an absolute URL, such as https://app.example.com/scim/v2."
    message = "SCIM_PROVIDER['BASE_URL'] is not a base URL."
    return [Error(message, hint=hint, id="scim_provider.E007")]


def check_https(**kwargs: Any) -> list[CheckMessage]:
    """Keys are bearer credentials: anything but TLS gives them away (RFC 7644 §7.2)."""
    if scim_settings.base_url.lower().startswith("http://"):
        hint = "Identity providers refuse plain HTTP, and the access key would be readable."
        message = "SCIM_PROVIDER['BASE_URL'] is not an https URL."
        return [Warning(message, hint=hint, id="scim_provider.W008")]
    return []


def check_derived_base_url(**kwargs: Any) -> list[CheckMessage]:
    """Without BASE_URL the host header decides what the page tells an admin to type."""
    if scim_settings.base_url or "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Set SCIM_PROVIDER['BASE_URL'], or name the hosts."
    message = "The SCIM base URL is taken from the Host header, and ALLOWED_HOSTS allows any."
    return [Warning(message, hint=hint, id="scim_provider.W009")]


def check_privileged(**kwargs: Any) -> list[CheckMessage]:
    """An identity provider that may change superusers owns the site."""
    if not scim_settings.allow_privileged:
        return []
    hint = "Leave ALLOW_PRIVILEGED off unless the identity provider may administer this site."
    message = "SCIM may create, change and deactivate staff and superusers."
    return [Warning(message, hint=hint, id="scim_provider.W010")]


_CHECKS = (
    check_unknown_keys,
    check_dotted_paths,
    check_urls,
    check_replicas,
    check_one_database,
    check_roles,
    check_homes,
    check_resource_types,
    check_user_model,
    check_own_models,
    check_numbers,
    check_throttle_rate,
    check_base_url,
    check_session_engine,
    check_backends,
    check_middleware_order,
)
_DEPLOY_CHECKS = (check_https, check_derived_base_url, check_privileged)


def register_checks() -> None:
    """Hand the checks to Django; called when the app is ready."""
    for check in (*_CHECKS, *organization_checks.CHECKS):
        register(check, "scim")
    for check in _DEPLOY_CHECKS:
        register(check, Tags.security, deploy=True)


def _nearest(key: Any, conf: SettingsDict) -> str:
    close = difflib.get_close_matches(str(key).upper(), conf.defaults, n=1, cutoff=0.5)
    known = ", ".join(sorted(conf.defaults))
    return f"Did you mean {close[0]!r}?" if close else f"The settings are: {known}."


def _dotted(conf: SettingsDict) -> Iterator[tuple[str, Any]]:
    for key in conf.dotted_paths:
        value = conf.get(key)
        values: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
        yield from ((key, dotted) for dotted in values)


def _wrong_role(role: Any) -> str:
    if isinstance(role, str):
        return "" if role else "A role needs a value."
    if not isinstance(role, dict):
        return "Give a string or a dict."
    if not role.get("value") or not isinstance(role["value"], str):
        return "A role needs a value, which is a text."
    aliases = role.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(each, str) for each in aliases):
        return "aliases is a list of texts."
    if type(role.get("priority", 0)) is not int:
        return "priority is a whole number."
    unknown = ", ".join(sorted(set(role) - _ROLE_KEYS))
    return f"Unknown: {unknown}. Known: {', '.join(sorted(_ROLE_KEYS))}." if unknown else ""


def _clashing_roles(roles: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Roles that are taken for one of those before them."""
    known: set[str] = set()
    for role in roles:
        keys = {role_key(name) for name in (role["value"], *role.get("aliases", ()))}
        if keys & known:
            yield role, "Another one has the same value or alias, which are compared without case."
        known |= keys
    for role in [role for role in roles if role.get("default")][1:]:
        yield role, "Another one is the default already."
