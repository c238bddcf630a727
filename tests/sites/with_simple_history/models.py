from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from simple_history.models import HistoricalRecords


class Person(AbstractUser):
    history = HistoricalRecords()
