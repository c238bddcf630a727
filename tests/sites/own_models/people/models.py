"""The site's own models: nothing in here knows SCIM."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Manager(BaseUserManager):
    """Makes accounts, and remembers how many: a site's own way to do so."""

    def create_user(self, email: str, **values: object) -> Staff:
        person = self.model(email=self.normalize_email(email), **values)
        person.set_unusable_password()
        person.welcomed = True
        person.save(using=self._db)
        return person


class Site(models.Model):
    """Where people work."""

    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Staff(AbstractBaseUser):
    """What both user models have: an e-mail address to log in with, and columns of every kind."""

    email = models.EmailField(unique=True, max_length=200)
    full_name = models.CharField(max_length=40, blank=True)
    cost_center = models.IntegerField()
    staff_number = models.PositiveIntegerField(null=True, blank=True)
    badge = models.UUIDField(null=True, blank=True)
    hired_on = models.DateField(null=True, blank=True)
    contract_end = models.DateField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    band = models.IntegerField(null=True, choices=[(1, "one"), (2, "two")], blank=True)
    day_rate = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    rating = models.FloatField(null=True, blank=True)
    contractor = models.BooleanField(null=True)
    employment = models.CharField(
        max_length=20, blank=True, choices=[("full-time", "Full time"), ("part-time", "Part time")]
    )
    notes = models.TextField(blank=True)
    site = models.ForeignKey(Site, on_delete=models.SET_NULL, null=True, blank=True)
    mobile = models.CharField(max_length=20, blank=True)
    welcomed = models.BooleanField(default=False)

    objects = Manager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["cost_center"]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.email


class Person(Staff):
    """A UUID for a key, and a status for who may come in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, default="new")


class Clerk(Staff):
    """An integer for a key, and Django's ``is_active``."""

    is_active = models.BooleanField(default=True)
