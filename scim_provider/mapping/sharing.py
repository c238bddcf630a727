"""People whom several connections have: one of them owns the account's profile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from scim_provider.models import Resource
from scim_provider.organizations import organizations
from scim_provider.protocol.errors import ScimError

from . import profiles
from .access import GuardedPeople
from .beside import save_beside
from .claims import refuse_claims
from .context import Context
from .document import Document, Placed, Written
from .index import sync_index
from .shared_homes import kept_apart
from .transactions import database


class SharedPeople(GuardedPeople):
    """Users whose accounts other connections may have, too."""

    @cached_property
    def _kept_apart(self) -> tuple[Placed, ...]:
        return kept_apart(self.placed)

    def homes_of(self, row: Resource) -> Sequence[Placed]:
        return self.placed if row.owns_profile else self._kept_apart

    def place(self, row: Resource, before: Document, after: Document, context: Context) -> Written:
        if row.owns_profile:
            if profiles.is_lost(row, before, after, context):
                return profiles.give_up(row, before, after, self._kept_apart)
            return super().place(row, before, after, context)
        if row.pk is not None and self._takes_over(row, context):
            row.owns_profile = True
            return profiles.place_whole(row, after, self.placed)
        return profiles.place_apart(row, before, after, self._kept_apart)

    def _takes_over(self, row: Resource, context: Context) -> bool:
        """Whether the profile of the row's account is free, and its login name can be had."""
        if not profiles.may_own(row.account, context):
            return False
        try:
            refuse_claims(row.account, row.name, "", context)
        except ScimError:
            return False
        return True

    def pass_on(self, row: Resource, context: Context) -> None:
        """Let another connection own the profile, whose owner ``row`` is gone."""
        if not (row.owns_profile and organizations().shares_accounts):
            return
        rows = Resource.objects.using(database()).filter(
            account=row.account, resource_type=self.name
        )
        heir = rows.select_related("connection").order_by("pk").first()
        if heir is None or heir.owns_profile:
            return
        heir.account = row.account
        its_own = Context(heir.connection, context.base_url)
        document = self.document(heir, its_own)
        written = self.place(heir, document, document, its_own)
        self.save(heir, written, its_own)
        sync_index(heir, written.stored_before, written.stored_after, self.resource_schema)
        save_beside([(heir, written)])
