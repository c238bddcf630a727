from __future__ import annotations

from typing import Any

from django import forms

from scim_provider.forms import ManagedFieldsMixin

from .models import Account


class ProfileForm(ManagedFieldsMixin, forms.ModelForm):
    """What people may change about themselves; what their identity provider owns is locked."""

    class Meta:
        model = Account
        fields = ["first_name", "last_name", "location", "mobile"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locations = self.fields["location"].queryset
        self.fields["location"].queryset = locations.filter(organization=self.instance.organization)
