"""System checks of what a site says about its resource types: ``homes`` above all."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db.models import Field

from .conf import scim_settings
from .mapping import accounts
from .mapping.accounts import account_field
from .mapping.beside import Computed, SingleValue
from .mapping.columns import Column, Composed, Constant, Flag, KeyColumn
from .mapping.fitting import field_at, kind_of
from .mapping.homes import Absent, Choice, Home
from .mapping.member_active import of_account
from .mapping.own_objects import OwnObjects
from .mapping.owned import Owned, Owner, is_ownable
from .mapping.related import Rows
from .organizations import Organizations, organizations
from .protocol.path import AttributePath
from .protocol.schema import Target
from .resources import ResourceType, UserResource, resource_types

#: What the base URL serves besides resource types.
_RESERVED = ("/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/.search")
#: What identity providers look resources up by, before each create.
_LOOKED_UP = ("userName", "externalId", "emails", "emails.value")
_COLUMN_HINT = "Name a field that the model has, or leave the attribute to SCIM's store."


def check_homes(**kwargs: Any) -> list[CheckMessage]:
    """Each home of each resource type can do what it is there for."""
    return [
        message
        for resource_type in _served()
        for check in (_misnamed, _twice, _misplaced, _disowned)
        for message in check(resource_type)
    ]


def check_resource_types(**kwargs: Any) -> list[CheckMessage]:
    """No two types share a name or an endpoint, and none takes one of SCIM's own."""
    types = _served()
    found: list[CheckMessage] = []
    for attribute in ("name", "endpoint"):
        counted = Counter(str(getattr(each, attribute)).lower() for each in types)
        found += [
            _error("E024", each, f"Two resource types have the {attribute} {value!r}.", _CLASH)
            for each in types
            if counted[(value := getattr(each, attribute)).lower()] > 1
        ]
    for each in types:
        reserved = each.endpoint.lower() in map(str.lower, _RESERVED)
        if reserved or not each.endpoint.startswith("/") or "/" in each.endpoint[1:]:
            message = f"{each.endpoint!r} can be no endpoint of a resource type."
            found.append(_error("E024", each, message, "Give one such as '/Devices'."))
    return found


_CLASH = "Replace a type of scim_provider.resources by your own; do not list both."


def check_own_models(**kwargs: Any) -> list[CheckMessage]:
    """A resource type beside a model of the site finds its rows and can make some."""
    found: list[CheckMessage] = []
    for each in _served():
        if isinstance(each, OwnObjects):
            if not each.is_linked:
                message = f"{each.own_model.__name__} refers to no SCIM resource."
                found.append(_error("E037", each, message, _LINK))
                continue
            placed = {path.rpartition("__")[2] for _, home in each.placed for path in home.paths}
            placed |= {each.organization_field}
            changed = type(each).new_object is not OwnObjects.new_object
            for field in accounts.demanding_fields(each.own_model):
                if field.name not in placed and not changed:
                    message = f"A {each.own_model.__name__} needs a value for {field.name!r}."
                    found.append(_error("E022", each, message, _FILL_OWN))
    return found


_LINK = 'Give it a OneToOneField to "scim_provider.Resource" with null=True and on_delete=SET_NULL.'
_FILL_OWN = "Give the column a home or a default, or set it in new_object()."


def check_user_model(**kwargs: Any) -> list[CheckMessage]:
    """An account can be made and locked out with what SCIM is told."""
    return [
        message
        for each in _served()
        if isinstance(each, UserResource)
        for check in (_unfilled, _unlockable)
        for message in check(each)
    ]


def _served() -> tuple[ResourceType, ...]:
    try:
        types, site = resource_types(), organizations()
    except (ImportError, TypeError):
        return ()  # check_dotted_paths says so
    if not isinstance(site, Organizations):  # whom some homes ask
        return ()
    return tuple(each for each in types if isinstance(each, ResourceType))


def _error(number: str, resource_type: ResourceType, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, obj=type(resource_type), id=f"scim_provider.{number}")


def _warning(number: str, resource_type: ResourceType, message: str, hint: str) -> CheckMessage:
    return Warning(message, hint=hint, obj=type(resource_type), id=f"scim_provider.{number}")


# -- names -------------------------------------------------------------------------------------


def _misnamed(resource_type: ResourceType) -> Iterator[CheckMessage]:
    schema = resource_type.resource_schema
    names = [str(target) for target in schema]
    for text, home in resource_type.usable_homes().items():
        if _resolved(text, resource_type) is None:
            near = difflib.get_close_matches(text, names, 1)
            message = f"{text!r} is no attribute of {resource_type.name}."
            yield _error("E011", resource_type, message, f"Did you mean {near}?")
        for name in sorted(home.account_fields):
            if not _is_deep(home) and account_field(name) is None:
                message = f"The user model has no field {name!r}, where {text!r} is said to live."
                yield _error("E011", resource_type, message, _COLUMN_HINT)


def _resolved(text: str, resource_type: ResourceType) -> Target | None:
    path = AttributePath.parse(text)
    return path.resolve(resource_type.resource_schema) if path else None


def _is_deep(home: Home) -> bool:
    """A column behind a relation of the account."""
    return isinstance(home, Column) and home.field.count("__") > 1


def _twice(resource_type: ResourceType) -> Iterator[CheckMessage]:
    """One attribute, one home; and one column for one attribute that is written."""
    placed = [target for target, _ in resource_type.placed]
    counted = Counter(map(str, placed))
    for target in placed:
        whole = target.sub_attribute is not None and str(target.parent) in counted
        if counted[str(target)] > 1 or whole:
            message = f"{target} of {resource_type.name} has two homes."
            yield _error("E025", resource_type, message, "Leave one of them out of homes.")
    columns: dict[str, list[str]] = {}
    for target, home in resource_type.placed:
        if isinstance(home, Column) and _is_written(target):
            columns.setdefault(home.field, []).append(str(target))
    for field, targets in columns.items():
        if len(targets) > 1:
            message = f"{' and '.join(targets)} live in one column, {field!r}."
            hint = "Only one of them can be written: the others have to be readOnly."
            yield _error("E025", resource_type, message, hint)


def _is_written(target: Target) -> bool:
    return "readOnly" not in (target.attribute.mutability, target.leaf.mutability)


# -- columns -----------------------------------------------------------------------------------


def _misplaced(resource_type: ResourceType) -> Iterator[CheckMessage]:
    for target in resource_type.resource_schema:
        home = resource_type.home(target)
        if isinstance(home, Absent) and target.attribute.required and _is_written(target):
            message = f"{target} is required, and has no home in {resource_type.name}."
            yield _error("E023", resource_type, message, "Give it one, or use Store().")
    for target, placed in resource_type.placed:
        home = placed.plain if isinstance(placed, Owned) else placed
        if isinstance(home, Computed | Composed | Constant) and target.name != "meta":
            yield from _unwritable(resource_type, target, not isinstance(home, Constant))
        elif isinstance(home, Rows):
            yield from _in_rows(resource_type, target, home)
        elif isinstance(home, SingleValue):
            if not target.attribute.multi_valued or target.attribute.value_attribute is None:
                message = f"{target} has no several values, of which one could be in a column."
                yield _error("E021", resource_type, message, "Use Column.")
        elif isinstance(home, Choice):
            yield from _chosen(resource_type, target)
        elif isinstance(home, Column) and not isinstance(home, KeyColumn):
            yield from _in_column(resource_type, target, home)


def _disowned(resource_type: ResourceType) -> Iterator[CheckMessage]:
    """Only a column of the account can be the person's."""
    homes = resource_type.usable_homes()
    for path, owner in resource_type.owners.items():
        if owner not in list(Owner):
            message = f"owners[{path!r}] is {owner!r}, which is no Owner."
            yield _error("E055", resource_type, message, "Use scim_provider.resources.Owner.")
        elif not is_ownable(path, homes.get(path)):
            message = f"owners names {path!r}, which nobody but the client can own."
            yield _error("E055", resource_type, message, _OWNED_HINT)


_OWNED_HINT = "Name a path of homes whose Column, Choice or AccountCopy is one of the account's."


def _unwritable(
    resource_type: ResourceType, target: Target, computed: bool
) -> Iterator[CheckMessage]:
    if _is_written(target):
        kind = "computed" if computed else "the same for all"
        message = f"{target} may be written, and its home is {kind}."
        yield _error("E027", resource_type, message, _READ_ONLY)


_READ_ONLY = 'Include it in the schema with mutability="readOnly".'


def _chosen(resource_type: ResourceType, target: Target) -> Iterator[CheckMessage]:
    if target.leaf.case_exact:
        message = f"{target} is caseExact, and a Choice looks names up in any case."
        yield _warning("W029", resource_type, message, "Leave case_exact out of the attribute.")
    if target.leaf.type != "string" or target.attribute.multi_valued:
        message = f"{target} is no single text, which is all that a Choice looks up."
        yield _error("E021", resource_type, message, "Use Column, Rows or SingleValue.")


def _in_rows(resource_type: ResourceType, target: Target, home: Rows) -> Iterator[CheckMessage]:
    if not home.exists:
        message = f"No rows refer to {home.owner!r} by the name {home.relation!r}."
        yield _error("E011", resource_type, message, "Name the related_name of a foreign key.")
        return
    if not target.attribute.multi_valued:
        message = f"{target} has one value, and {home.relation!r} are several rows."
        yield _error("E021", resource_type, message, "Use Column.")
    names = [field.name for field in home.model._meta.concrete_fields]
    for name, column in home.columns.items():
        sub = home.subs(target).get(name)
        if sub is None or column not in names:
            wrong = f"sub-attribute {name!r}" if sub is None else f"column {column!r}"
            message = f"Rows({home.relation!r}) of {target}: there is no {wrong}."
            yield _error("E011", resource_type, message, f"The columns are {', '.join(names)}.")
        elif kind_of(home.model._meta.get_field(column), sub) is None:
            message = f"{target.of(sub)} is a {sub.type}, which the column {column!r} cannot hold."
            yield _error("E021", resource_type, message, "Choose another column.")
    for field in accounts.demanding_fields(home.model):
        if field.name not in (*home.columns.values(), home.reference):
            message = f"A row of {home.relation!r} needs a value for {field.name!r}."
            yield _error("E022", resource_type, message, "Give the column a default.")


def _in_column(resource_type: ResourceType, target: Target, home: Column) -> Iterator[CheckMessage]:
    if home.annotations:
        return  # no column, but what is read in place of one
    field = field_at(home.field, resource_type.model)
    if field is None:
        if "__" in home.field and home.field.count("__") == 1:
            return  # the account's: told by its name above
        message = f"There is no column {home.field!r}, where {target} is said to live."
        yield _error("E011", resource_type, message, _COLUMN_HINT)
        return
    if shared := _shared_relation(resource_type, home):
        message = f"Column({home.field!r}) would write {target} into a row that others share."
        hint = f"Use Choice({shared!r}, by={field.name!r}), which looks the row up."
        yield _error("E020", resource_type, message, hint)
    yield from _unfit(resource_type, target, home, field)
    if _is_written(target) and (field.primary_key or getattr(field, "generated", False)):
        message = f"{target} may be written, and the column {home.field!r} may not."
        yield _error("E027", resource_type, message, _READ_ONLY)
    looked_up = target.leaf.uniqueness != "none" or str(target) in _LOOKED_UP
    if looked_up and not _is_indexed(field):
        message = f"Clients look {resource_type.name}s up by {target}, and no index serves that."
        yield _warning("W028", resource_type, message, f"Give {home.field!r} an index.")


def _shared_relation(resource_type: ResourceType, home: Column) -> str:
    """The foreign key on the way to a column, "" where each row has its own."""
    steps = home.field.split("__")[:-1]
    for count in range(1, len(steps) + 1):
        path = "__".join(steps[:count])
        field = field_at(path, resource_type.model)
        if path != "account" and getattr(field, "many_to_one", False):
            return path
    return ""


def _unfit(
    resource_type: ResourceType, target: Target, home: Column, field: Field[Any, Any]
) -> Iterator[CheckMessage]:
    attribute, leaf = target.attribute, target.leaf
    if attribute.multi_valued:
        message = f"{target} has several values, and a column holds one."
        yield _error("E021", resource_type, message, "Use SingleValue or Rows.")
    elif leaf.is_complex:
        message = f"{target} is complex, and a column holds a single value."
        subs = ", ".join(f"{target.of(sub)}" for sub in leaf.sub_attributes[:3])
        yield _error("E021", resource_type, message, f"Give its sub-attributes homes: {subs}.")
    elif isinstance(home, Flag):
        if leaf.type != "boolean":
            message = f"{target} is a {leaf.type}, and a Flag is true or false."
            yield _error("E021", resource_type, message, "Use Column.")
    elif kind_of(field, leaf) is None:
        kind = type(field).__name__
        message = f"{target} is a {leaf.type}, which the {kind} {home.field!r} cannot hold."
        yield _error("E021", resource_type, message, "Choose another column or attribute type.")


def _is_indexed(field: Field[Any, Any]) -> bool:
    if field.unique or getattr(field, "db_index", False):
        return True
    meta = field.model._meta
    leading = [
        list(getattr(each, "fields", ()))[:1]
        for each in (*meta.indexes, *meta.constraints)
        if getattr(each, "condition", None) is None  # those of some rows serve no look-up
    ]
    return [field.name] in leading


# -- accounts ----------------------------------------------------------------------------------


def _unfilled(resource_type: UserResource) -> Iterator[CheckMessage]:
    """Columns that an account needs and nobody gives a value, unless code of the site does."""
    model = get_user_model()
    filled = {model.USERNAME_FIELD: True}
    for target, home in resource_type.placed:
        required = target.attribute.required and (
            target.sub_attribute is None or target.sub_attribute.required
        )
        filled |= {name: required or filled.get(name, False) for name in home.account_fields}
    hooks = ("new_account", "create_account", "save_account", "row_beside")
    own = any(getattr(type(resource_type), n) is not getattr(UserResource, n) for n in hooks)
    own |= scim_settings.organizations.prepare_account is not Organizations.prepare_account
    for field in accounts.demanding_fields(model):
        if field.name not in filled and not own:
            message = f"An account needs a value for {field.name!r}, and no attribute lives there."
            yield _error("E022", resource_type, message, _FILL)
        elif filled.get(field.name) is False and not own:
            message = f"An account needs a value for {field.name!r}, and clients need send none."
            yield _warning("W026", resource_type, message, _FILL)


_FILL = (
    "Give an attribute with required=True that home, give the column a default, or set it in "
    "new_account()."
)


def _unlockable(resource_type: UserResource) -> Iterator[CheckMessage]:
    changed = type(resource_type).deactivate is not UserResource.deactivate
    if not changed and not of_account(resource_type.home(_ACTIVE)).account_fields:
        message = "The user model has no 'is_active': nobody is locked out through SCIM."
        hint = "Give 'active' a home such as Flag('account__status', true=…, false=…)."
        yield _warning("W030", resource_type, message, hint)


_ACTIVE = UserResource.schema.target("active")
