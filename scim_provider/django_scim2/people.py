"""People of django-scim2: who is to be carried over, under which id, and who stays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from scim_provider.mapping.existing import Listing
from scim_provider.models import FormerUser, Resource, UnlistedReason

from .report import Report
from .source import text_of

if TYPE_CHECKING:
    from .carrying import Import

_ID_LENGTH = Resource._meta.get_field("scim_id").max_length or 0
_EXTERNAL_ID_LENGTH = Resource._meta.get_field("external_id").max_length or 0


class People(Listing):
    """Accounts under the ids that they had."""

    def __init__(self, carrying: Import, accounts: Sequence[Any]) -> None:
        super().__init__(carrying.users, carrying.context)
        self.report = Report()
        field_name = carrying.source.user_id_field
        self.ids = {account.pk: text_of(getattr(account, field_name)) for account in accounts}
        self.new = self._new(carrying, accounts)

    @property
    def why(self) -> str:
        return gettext("Carried over from django-scim2")

    def _new(self, carrying: Import, accounts: Sequence[Any]) -> list[Any]:
        """Those who are to be carried over; the report has the others."""
        listed = dict(
            carrying.resources("User")
            .filter(account__in=[account.pk for account in accounts])
            .values_list("account", "scim_id")
        )
        there = set(carrying.there("User", [scim_id for scim_id in self.ids.values() if scim_id]))
        former = FormerUser.objects.using(carrying.using).filter(
            connection=carrying.connection, account__in=[account.pk for account in accounts]
        )
        gone = set(former.values_list("account", flat=True))
        return [account for account in accounts if self._is_new(account, listed, there, gone)]

    def _is_new(
        self, account: Any, listed: dict[Any, str], there: set[str], gone: set[Any]
    ) -> bool:
        scim_id = self.ids[account.pk]
        if not scim_id:
            self.report.counts["users_without_id"] += 1
        elif listed.get(account.pk) == scim_id:
            self.report.counts["users_there_already"] += 1
        elif account.pk in listed:
            other = listed[account.pk]
            self._refuse(account, gettext(_LISTED_OTHERWISE) % {"id": other})
        elif account.pk in gone:
            self.report.counts["users_deleted_since"] += 1
        elif scim_id in there:
            self._refuse(account, gettext("Another person of this connection has the same id."))
        elif reason := wrong_ids(scim_id, account):
            self._refuse(account, reason)
        else:
            there.add(scim_id)
            return True
        return False

    def row(self, account: Any, name: str) -> Resource:
        row = super().row(account, name)
        row.scim_id = self.ids[account.pk]
        row.external_id = external_id_of(account) or None
        row.created = getattr(account, "date_joined", None) or row.created
        return row

    def pass_over(self, account: Any, reason: UnlistedReason) -> None:
        self._refuse(account, gettext(_REASONS[reason]))

    def _refuse(self, account: Any, reason: str) -> None:
        name = str(account.get_username() or "")
        self.report.refuse("User", self.ids[account.pk], name, reason)


_LISTED_OTHERWISE = (
    "The account is listed here already, under the id %(id)s, which the identity provider does "
    "not know. Unlink it, then run this again."
)
_REASONS = {
    UnlistedReason.PRIVILEGED: (
        "It is an administrator of the site, whom SCIM does not touch: the identity provider will "
        "get 404. Take the account out of the identity provider, or set ALLOW_PRIVILEGED."
    ),
    UnlistedReason.NO_NAME: "It has no login name. Give it one, or clear its scim_id.",
    UnlistedReason.TOO_LONG: "Its login name is too long. Shorten it.",
    UnlistedReason.SAME_NAME: (
        "Another person has the same login name in another spelling, and userName is compared "
        "without case. Rename one of them."
    ),
}


def external_id_of(row: Any) -> str:
    return text_of(getattr(row, "scim_external_id", ""))


def wrong_ids(scim_id: str, row: Any) -> str:
    """Why the ids of a user or a group cannot be kept, "" where they can."""
    if len(scim_id) > _ID_LENGTH:
        return gettext("Its id is too long: at most %(most)s characters.") % {"most": _ID_LENGTH}
    if len(external_id_of(row)) > _EXTERNAL_ID_LENGTH:
        return gettext("Its external id is too long: at most %(most)s characters.") % {
            "most": _EXTERNAL_ID_LENGTH
        }
    return ""
