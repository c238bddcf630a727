"""The models as django-scim2's documentation wants them: its mixins on the site's own."""

from __future__ import annotations

from django.contrib.auth import models as auth
from django.db.models import QuerySet
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin


class Group(AbstractSCIMGroupMixin, auth.Group):
    """Django's groups, with an id for SCIM."""


class User(AbstractSCIMUserMixin, auth.AbstractUser):
    """Django's users, with an id for SCIM."""

    @property
    def scim_groups(self) -> QuerySet[Group]:
        return Group.objects.filter(user=self)
