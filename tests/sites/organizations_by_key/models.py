from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Organization(models.Model):
    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Person(AbstractUser):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True)
