from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns

from tests.sites.stock.urls import urlpatterns as without_prefix

urlpatterns = i18n_patterns(*without_prefix)
