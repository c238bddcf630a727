"""People whom several connections have: one of them owns the account's profile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from functools import cached_property

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError

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
from .transactions import database, locking, together

logger = logging.getLogger("scim_provider")


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
        if row.pk is not None and self._takes_over(row, after, context):
            row.owns_profile = True
            return profiles.place_whole(row, after, self.placed)
        return profiles.place_apart(row, before, after, self._kept_apart)

    def _takes_over(self, row: Resource, after: Document, context: Context) -> bool:
        """Whether the profile of the row's account is free, and its name and address can be had.

        What a row holds apart was held against nobody else's.
        """
        if not profiles.may_own(row.account, context):
            return False
        email = get_user_model().get_email_field_name()
        try:
            account = profiles.account_of_heir(row, after, self.placed)
            address = getattr(account, email, "") if self._writes(email) else ""
            refuse_claims(account, account.get_username(), address or "", context)
            account.validate_unique()
        except (ScimError, ValidationError):
            return False
        return True

    def _writes(self, column: str) -> bool:
        return any(column in home.account_fields for _, home in self.placed)

    def pass_on(self, row: Resource, context: Context) -> None:
        """Let another connection own the profile, whose owner ``row`` is gone.

        What stands against that is told with the next write there: not to who lets go.
        """
        if not (row.owns_profile and organizations().shares_accounts):
            return
        using = database()
        rows = Resource.objects.using(using).filter(account=row.account, resource_type=self.name)
        locked = rows.select_related("connection").select_for_update(**locking(using))
        heir = locked.order_by("pk").first()
        if heir is None or heir.owns_profile:
            return
        heir.account = copy(row.account)
        try:
            with together():
                self._inherit(heir, Context(heir.connection, context.base_url))
        except (ScimError, IntegrityError):
            logger.exception("The profile of an account could not be passed on")

    def _inherit(self, heir: Resource, context: Context) -> None:
        document = self.document(heir, context)
        written = self.place(heir, document, document, context)
        self.save(heir, written, context)
        sync_index(heir, written.stored_before, written.stored_after, self.resource_schema)
        save_beside([(heir, written)])
