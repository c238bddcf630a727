"""Homes on an account that several connections have: one of them owns its profile.

A row that owns it reads and writes the account as ever. Of any other row the value stays in its
document, where it is read, compared and sorted by, as if the attribute had no home.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from django.db.models import Case, CharField, F, Q, When

from scim_provider.models import Resource
from scim_provider.protocol.filter import Filter, Operator
from scim_provider.protocol.schema import Target

from .beside import Beside, Computed, Pair, SingleValue
from .columns import KeyColumn
from .context import Context
from .document import Placed
from .homes import Home, Store
from .member_active import MemberActive
from .paths import get_value
from .related import Rows
from .starts import Finds, Start, any_of, check_of

OWNED, APART = Q(owns_profile=True), Q(owns_profile=False)
_STORE = Store()


class Shared(Home):
    """What stands before the class of a home whose values belong to the profile."""

    #: Whether a row that does not own the profile has a value of its own.
    is_kept_apart: ClassVar[bool] = True

    def order(self, target: Target, context: Context) -> Any:
        owned = super().order(target, context)
        if owned is None:
            return None
        if not self.is_kept_apart or target.leaf.type not in ("string", "reference"):
            return Case(When(OWNED, then=owned))  # keys of the index are texts
        apart = _STORE.order(target, context)
        return Case(When(OWNED, then=owned), default=apart, output_field=CharField())

    def read(self, row: Any, target: Target) -> Any:
        return super().read(row, target) if row.owns_profile else get_value(row.document, target)

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        """Of a home beside the rows; what is kept apart is in the documents already."""
        if owned := [pair for pair in pairs if pair[0].owns_profile]:
            super().fill(owned, target, context)  # type: ignore[misc]


class SharedValue(Shared):
    """The same for a home that answers each kind of condition by itself."""

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        apart = check_of(_STORE.compare(target, operator, key, context))
        return OWNED & super().compare(target, operator, key, context) | APART & apart

    def present(self, target: Target, context: Context) -> Q:
        apart = check_of(_STORE.present(target, context))
        return OWNED & super().present(target, context) | APART & apart

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        apart = check_of(_STORE.matching(target, tree, context))
        return OWNED & super().matching(target, tree, context) | APART & apart

    def on_account(self, row: Any, target: Target) -> Any:
        return super().read(row, target)


class SharedElement(Shared):
    """One element of an attribute; of rows apart, all of its elements are stored."""

    @property
    def counts(self) -> Q:
        return OWNED


class SharedRows(Shared):
    """Related rows, and stored elements: either side starts from its index."""

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        own = super().matching(target, tree, context)
        owned = Start(OWNED & own, OWNED & check_of(own), Finds.SOME)
        rows = Resource.objects.filter(connection=context.connection)
        return any_of([owned, _STORE.matching(target, tree, context)], rows)


class SharedComputed(Shared):
    """What the database makes of the profile; a row apart has nothing of it."""

    is_kept_apart = False

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return OWNED & super().compare(target, operator, key, context)

    def present(self, target: Target, context: Context) -> Q:
        return OWNED & super().present(target, context)

    def read(self, row: Any, target: Target) -> Any:
        return None


class KeptApart(Home):
    """The home of the same attribute, for a row that does not own the profile."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def write(self, row: Any, target: Target, value: Any) -> None:
        self.home.write(row, target, value)

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        """All of it."""

    def adopted(self, row: Any, target: Target) -> Any:
        return self.home.on_account(row, target)


def kept_apart(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """The homes of a row that does not own the profile."""
    return tuple((target, KeptApart(home) if is_apart(home) else home) for target, home in placed)


def is_apart(home: Home) -> bool:
    """Whether a row that does not own the profile keeps a value of its own."""
    return isinstance(home, Shared) and home.is_kept_apart


# -- which homes -------------------------------------------------------------------------------


def shared(homes: Mapping[str, Home]) -> dict[str, Home]:
    """The homes as they are where accounts are shared."""
    written = {path for home in homes.values() if is_of_profile(home) for path in _paths(home)}
    return {path: _shared(home, written) for path, home in homes.items()}


def is_of_profile(home: Home) -> bool:
    """Whether what the home holds is the account's, and not the connection's own."""
    if home.of_profile is not None:
        return home.of_profile
    if isinstance(home, Rows):
        return home.owner == "account"
    return any(path.startswith("account__") for path in _paths(home))


def is_undecided(home: Home) -> bool:
    """Whether a site's own code writes the value, and nothing tells where."""
    if home.of_profile is not None or is_of_profile(home) or _is_stored(home):
        return False
    writers = (getattr(type(home), name, None) for name in ("write", "save"))
    package = __name__.partition(".")[0]
    return any(each and each.__module__.partition(".")[0] != package for each in writers)


def _is_stored(home: Home) -> bool:
    return isinstance(home, Store) and not isinstance(home, Beside)


def related_rows(home: Home) -> tuple[str, ...]:
    """What :meth:`Home.on_account` reads of other tables, as the account calls it."""
    return (home.accessor,) if isinstance(home, SharedRows) and isinstance(home, Rows) else ()


def _paths(home: Home) -> Iterator[str]:
    """What of the account the home writes, as paths from the row."""
    yield from (f"account__{name}" for name in home.account_fields)
    yield from home.paths
    if isinstance(home, Rows):
        yield f"{home.owner}__{home.relation}"


def _shared(home: Home, written: set[str]) -> Home:
    if isinstance(home, Computed) and home.of_profile is None:
        return _mixed(SharedComputed, home) if _reads(home.expression, written) else home
    if _is_stored(home) or isinstance(home, KeyColumn | MemberActive) or not is_of_profile(home):
        return home
    kinds = {SingleValue: SharedElement, Rows: SharedRows, Computed: SharedComputed}
    found = (mixin for kind, mixin in kinds.items() if isinstance(home, kind))
    return _mixed(next(found, SharedValue), home)


def _mixed(mixin: Any, home: Home) -> Home:
    kind: Any = type(home)
    made: Home = object.__new__(_class(mixin, kind))
    vars(made).update(vars(home))
    return made


@cache
def _class(mixin: Any, kind: Any) -> Any:
    return type(f"Shared{kind.__name__}", (mixin, kind), {})


def _reads(expression: Any, written: set[str]) -> bool:
    """Whether an expression reads any of the paths; what conditions and sub-queries read, nobody
    can tell, so they do.
    """
    flatten = getattr(expression, "flatten", None)
    for part in flatten() if flatten else (expression,):
        if isinstance(part, F):
            steps = str(vars(part)["name"]).split("__")
            prefixes = {"__".join(steps[:count]) for count in range(1, len(steps) + 1)}
            if prefixes & written:
                return True
        elif isinstance(part, Q) or hasattr(part, "query") or hasattr(part, "get_compiler"):
            return True
    return False
