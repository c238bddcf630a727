from __future__ import annotations

from typing import Any

from django import forms

from .models import Account


class ProfileForm(forms.ModelForm):
    """A person's own location and mobile number."""

    class Meta:
        model = Account
        fields = ["location", "mobile"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locations = self.fields["location"].queryset
        self.fields["location"].queryset = locations.filter(organization=self.instance.organization)
