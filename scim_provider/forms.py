"""For the site's own profile page: what the identity provider owns is locked, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.utils.translation import gettext

from .ownership import management_of

if TYPE_CHECKING:  # Django's forms take no parameters at run time
    _ModelForm = ModelForm[Any]
else:
    _ModelForm = ModelForm


class ManagedFieldsMixin(_ModelForm):
    """For any ``ModelForm`` of the user model; put it first.

    Locked fields are disabled and have the name of what manages them as their help text. A value
    that comes all the same is refused, and so is what a page sent that was opened before.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.management = management_of(self.instance)
        for name in self.managed_fields:
            self.fields[name].disabled = True
            self.fields[name].help_text = str(self.management)

    @property
    def managed_fields(self) -> list[str]:
        """The form's fields that are locked."""
        locked = self.management.fields if self.management else frozenset()
        return [name for name in self.fields if name in locked]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name in self.managed_fields:
            if self._is_tampered(name):
                self.add_error(name, ValidationError(self._refusal(), code="managed"))
        return cleaned

    def _is_tampered(self, name: str) -> bool:
        """Whether the data holds another value; browsers leave disabled fields out."""
        field, key = self.fields[name], self.add_prefix(name)
        if key not in self.data:
            return False
        sent = field.widget.value_from_datadict(self.data, self.files, key)
        held = field.prepare_value(self.get_initial_for_field(field, name))
        return str(sent or "") != str("" if held is None else held)

    def _refusal(self) -> str:
        name = self.management.name if self.management else ""
        return gettext("This is managed by %(name)s. Have it changed there.") % {"name": name}
