"""Rows that refer to what SCIM has, in an app that is migrated after ours."""

from __future__ import annotations

from django.db import models


class Badge(models.Model):
    """Goes with the person that it was printed for."""

    person = models.ForeignKey("scim_provider.ScimUser", on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"Badge of {self.person}"


class Desk(models.Model):
    """Stays when whose it is, a person or a group, is gone."""

    holder = models.ForeignKey(
        "scim_provider.Resource", on_delete=models.SET_NULL, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"Desk of {self.holder}"
