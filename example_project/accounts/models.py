"""The example's own people and organizations: nothing in here knows SCIM."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Plan(models.TextChoices):
    STARTER = "starter", "Starter"
    BUSINESS = "business", "Business"
    ENTERPRISE = "enterprise", "Enterprise"


class Organization(models.Model):
    """A customer of the site."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(unique=True)
    plan = models.CharField(max_length=20, choices=Plan, default=Plan.ENTERPRISE)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """A place where people of an organization work.

    The location named "Default" is made when a person first needs it.
    """

    name = models.CharField(max_length=100)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="locations"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_location_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Account(AbstractUser):
    """A person who may sign in."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="accounts"
    )
    is_organization_admin = models.BooleanField(
        default=False, help_text="Sees the settings of the organization."
    )
    location = models.ForeignKey(
        Location, on_delete=models.SET_NULL, null=True, blank=True, related_name="accounts"
    )
    mobile = models.CharField(max_length=100, blank=True)
