"""API tokens of other apps, deleted when their owner is locked out. None of the apps is needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db.models import Model

_KEYS_AT_ONCE = 1000


class TokenModel(NamedTuple):
    """A model whose rows let in the account that ``user`` of them names.

    ``setting`` is the Django setting with which the app lets a site swap it.
    """

    app: str
    model: str
    setting: str = ""

    def load(self) -> type[Model] | None:
        """The model, None where its app is not installed."""
        if not apps.is_installed(self.app):
            return None
        label: str = getattr(settings, self.setting, None) or self.model
        return apps.get_model(label)


#: What refers to another one comes first.
TOKEN_MODELS = (
    TokenModel("rest_framework.authtoken", "authtoken.Token"),
    TokenModel("knox", "knox.AuthToken", "KNOX_TOKEN_MODEL"),
    *(
        TokenModel("oauth2_provider", f"oauth2_provider.{name}", f"OAUTH2_PROVIDER_{setting}_MODEL")
        for name, setting in (
            ("AccessToken", "ACCESS_TOKEN"),
            ("RefreshToken", "REFRESH_TOKEN"),
            ("Grant", "GRANT"),
            ("IDToken", "ID_TOKEN"),
            ("DeviceGrant", "DEVICE_GRANT"),
        )
    ),
    TokenModel("allauth.idp.oidc", "allauth_idp_oidc.Token"),
)


def end_tokens(accounts: Collection[Any]) -> dict[str, int]:
    """Delete the tokens of the accounts with these keys: how many, by model, where any were."""
    keys, ended = list(accounts), dict[str, int]()
    for model in _installed():
        label = model._meta.label
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            rows = model._default_manager.filter(user__in=keys[at : at + _KEYS_AT_ONCE])
            deleted = rows.delete()[1].get(label, 0)
            if deleted:
                ended[label] = ended.get(label, 0) + deleted
    return ended


def _installed() -> Iterator[type[Model]]:
    for each in TOKEN_MODELS:
        try:
            model = each.load()
        except LookupError:  # A version of the app that has no such model.
            continue
        if model is not None:
            yield model
