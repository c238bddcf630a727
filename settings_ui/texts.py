"""What the pages say of a connection: badges, sentences, the file with the key, status.json."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from scim_provider.connections import Overview, State
from scim_provider.existing import Outlook
from scim_provider.keys import NewKey, authorization_value
from scim_provider.models import UnlistedReason

from .conf import ui_settings

Tone = Literal["neutral", "info", "good", "warn", "bad"]


@dataclass(frozen=True)
class Badge:
    """A state in words, with a colour and an icon of its tone."""

    text: str
    tone: Tone


_BADGES: dict[State, tuple[Any, Tone]] = {
    State.NOT_ENTITLED: (_("Not in your plan"), "neutral"),
    State.PREVIEW: (_("Limited availability"), "info"),
    State.SUSPENDED: (_("Paused"), "bad"),
    State.OFF_NEVER: (_("Off"), "neutral"),
    State.KEY_EXPIRED: (_("No working key"), "bad"),
    State.WAITING: (_("Waiting for first request"), "info"),
    State.ATTENTION: (_("Needs attention"), "warn"),
    State.ROTATING: (_("Connected – key change in progress"), "info"),
    State.CONNECTED: (_("Connected"), "good"),
}


def badge(overview: Overview) -> Badge:
    """The state of ``overview`` in a few words."""
    if overview.state is State.OFF_PREVIOUSLY:
        kept = overview.users
        text = ngettext("Off – %(n)d person kept", "Off – %(n)d people kept", kept) % {"n": kept}
        return Badge(text if kept else gettext("Off"), "neutral")
    if overview.state is State.KEY_EXPIRING:
        return Badge(_expires_in(overview), "warn")
    text, tone = _BADGES[overview.state]
    return Badge(str(text), tone)


def _expires_in(overview: Overview) -> str:
    key = overview.expiring_key
    left = key.expires_at - timezone.now() if key and key.expires_at else None
    days = max(left.days, 0) if left else 0
    if days == 0:
        return gettext("Key expires today")
    return ngettext("Key expires in %(n)d day", "Key expires in %(n)d days", days) % {"n": days}


@dataclass(frozen=True)
class Person:
    """A person as the list of the newest shows them."""

    id: str
    name: str
    user_name: str
    active: bool
    created: Any


def people(overview: Overview) -> list[Person]:
    """The people who came last, newest first."""
    return [_person(user) for user in overview.newest_people]


def _person(user: Any) -> Person:
    full_name = getattr(user.account, "get_full_name", str)()
    return Person(
        id=user.scim_id,
        name=full_name or user.name,
        user_name=user.name,
        active=getattr(user.account, "is_active", True),
        created=user.created,
    )


def status_document(overview: Overview) -> dict[str, Any]:
    """What the open page asks for every few seconds."""
    connection, mark = overview.connection, badge(overview)
    return {
        "state": overview.state.value,
        "badge": {"text": mark.text, "tone": mark.tone},
        "users": overview.users,
        "groups": overview.groups,
        "last_request_at": _iso(connection.last_request_at),
        "last_request": last_request(overview),
        "last_success_at": _iso(connection.last_success_at),
        "last_failure_at": _iso(connection.last_failure_at),
        "last_failure": connection.last_failure,
        "people": [
            {
                "id": person.id,
                "name": person.name,
                "user_name": person.user_name,
                "active": gettext("Active") if person.active else gettext("Deactivated"),
                "tone": "good" if person.active else "neutral",
                "created": _iso(person.created),
            }
            for person in people(overview)
        ],
    }


def list_members(outlook: Outlook) -> str:
    """The choice to list the members who are there, with how many they are."""
    number = outlook.missing
    text = ngettext("List the existing member (%(n)s)", "List the existing members (%(n)s)", number)
    return text % {"n": grouped(number)}


def obstacles(counts: Mapping[str, int]) -> list[str]:
    """How many members are not listed for which reason, a sentence each."""
    return [
        _reason(reason, counts[reason]) % {"n": grouped(counts[reason])}
        for reason in UnlistedReason
        if counts.get(reason)
    ]


def _reason(reason: str, n: int) -> str:
    match reason:
        case UnlistedReason.NO_NAME:
            return ngettext("%(n)s has no login name", "%(n)s have no login name", n)
        case UnlistedReason.TOO_LONG:
            return ngettext(
                "%(n)s has a login name that is too long",
                "%(n)s have a login name that is too long",
                n,
            )
        case UnlistedReason.SAME_NAME:
            return ngettext(
                "%(n)s has the login name of somebody else in another spelling",
                "%(n)s have the login name of somebody else in another spelling",
                n,
            )
        case UnlistedReason.UNLINKED:
            return ngettext(
                "%(n)s was unlinked by an administrator",
                "%(n)s were unlinked by an administrator",
                n,
            )
        case _:
            return ngettext(
                "%(n)s is an administrator of the site",
                "%(n)s are administrators of the site",
                n,
            )


def listing_document(outlook: Outlook, *, finished: bool) -> dict[str, Any]:
    """How far listing the members is, for the open page."""
    numbers = {"done": grouped(outlook.done), "total": grouped(outlook.members)}
    return {
        "done": outlook.done,
        "total": outlook.members,
        "finished": finished,
        "text": gettext("%(done)s of %(total)s") % numbers,
    }


def last_request(overview: Overview) -> str:
    """``GET /Users → 200``, or nothing where nothing came."""
    connection = overview.connection
    if connection.last_status is None:
        return ""
    return f"{connection.last_request} → {connection.last_status}"


@sensitive_variables()
def key_file(new: NewKey, *, organization: str, base_url: str, by: str) -> dict[str, str]:
    """Name and ``data:`` URL of the text file with the key."""
    words = [slugify(organization)[:40], "scim-key", new.key.last4]
    text = _file_text(new, organization=organization, base_url=base_url, by=by)
    encoded = base64.b64encode(text.encode()).decode()
    return {
        "name": "-".join(word for word in words if word) + ".txt",
        "href": f"data:text/plain;charset=utf-8;base64,{encoded}",
    }


@sensitive_variables()
def _file_text(new: NewKey, *, organization: str, base_url: str, by: str) -> str:
    expires = new.key.expires_at
    lines = [
        gettext("SCIM access key"),
        "",
        _line(gettext("Product"), ui_settings.product_name),
        _line(gettext("Organization"), organization),
        _line(gettext("Base URL"), base_url),
        _line(gettext("Access key"), authorization_value(new.secret)),
        "",
        gettext("How your provider wants the key:"),
        _line("Okta (HTTP Header: Authorization)", authorization_value(new.secret)),
        _line("OneLogin (SCIM Bearer Token)", new.secret),
        _line("Microsoft Entra ID (Secret Token)", new.secret),
        "",
        _line(gettext("Key name"), new.key.name),
        _line(gettext("Created"), _local(new.key.created_at)),
        _line(gettext("Created by"), by),
        _line(
            gettext("Expires"),
            _local(expires) if expires else gettext("Never"),
        ),
        "",
        gettext("Delete this file when you have stored the key in a password manager."),
        "",
    ]
    return "\r\n".join(line for line in lines if line is not None)


def _local(moment: datetime) -> str:
    return date_format(timezone.localtime(moment) if timezone.is_aware(moment) else moment, "c")


def _line(label: str, value: str) -> str | None:
    return f"{label}: {value}" if value else None


def grouped(number: int) -> str:
    """The number as people of the page's language write it."""
    return number_format(number, force_grouping=True)


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
