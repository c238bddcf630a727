"""What belongs to people, teams and devices; the last two with one column for SCIM."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Handle(models.Model):
    """What a person is called elsewhere; the site keeps since when."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="handles"
    )
    name = models.CharField(max_length=30)
    service = models.CharField(max_length=20, blank=True)
    is_main = models.BooleanField(default=False)
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A team of the site; its members have a seat each."""

    name = models.CharField(max_length=60)
    motto = models.CharField(max_length=60, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Seat", related_name="teams")
    scim = models.OneToOneField(
        "scim_provider.Resource",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="team",
    )

    def __str__(self) -> str:
        return self.name


class Seat(models.Model):
    """A person in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    rank = models.CharField(max_length=20, default="member")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "person"], name="one_seat")]

    def __str__(self) -> str:
        return f"{self.person} in {self.team}"


class Device(models.Model):
    """A door lock, a coffee machine."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=60)
    serial = models.CharField(max_length=30, unique=True)
    floor = models.SmallIntegerField(default=0)
    is_on = models.BooleanField(default=True)
    scim = models.OneToOneField(
        "scim_provider.Resource",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="device",
    )

    def __str__(self) -> str:
        return self.label
