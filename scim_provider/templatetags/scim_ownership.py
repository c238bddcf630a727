"""``{% load scim_ownership %}``: who manages an account, for the site's own templates."""

from __future__ import annotations

from typing import Any

from django import template

from scim_provider.ownership import management_of

register = template.Library()


@register.simple_tag
def managed_by(account: Any, field: str = "") -> str:
    """What manages the account, or one of its fields, by name; "" where nothing does.

    ``{% managed_by user as manager %}{% if manager %}…{% endif %}``,
    ``{% managed_by user "email" %}``.
    """
    management = management_of(account)
    if management is None or (field and field not in management.fields):
        return ""
    return management.name
