"""How much one client may ask in a while: ``THROTTLE_RATE``; no limit by default."""

from __future__ import annotations

import logging
import time
from hashlib import sha256

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from scim_provider.conf import scim_settings

logger = logging.getLogger("scim_provider")


class WindowThrottle(BaseThrottle):
    """Counts requests in periods of the clock, one number in the site's cache for each.

    Two operations that every shared cache does atomically, so that no request of several
    processes goes uncounted.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        rate = scim_settings.throttle_rate
        if rate is None:
            return True
        whom = self.whom(request)
        if whom is None:
            return True
        most, self._period = rate
        key = f"scim_provider:throttle:{whom}:{int(time.time()) // self._period}"
        try:
            return _counted(key, self._period) <= most
        except Exception:  # Every cache has its own for being away; people matter more than rates.
            logger.exception("A SCIM request could not be counted")
            return True

    def wait(self) -> float:
        """Seconds to the next period."""
        return self._period - time.time() % self._period

    def whom(self, request: Request) -> str | None:
        """Who is counted, None for nobody."""
        raise NotImplementedError


class ConnectionThrottle(WindowThrottle):
    """The requests of one connection, whichever of its keys they bring."""

    def whom(self, request: Request) -> str | None:
        connection = getattr(request, "connection", None)
        return f"connection:{connection.pk}" if connection is not None else None


class RefusedKeyThrottle(WindowThrottle):
    """The requests from one address whose key was refused.

    Never the others from there: identity providers send for many organizations from one address.
    """

    def whom(self, request: Request) -> str | None:
        # Anybody may send X-Forwarded-For: it tells nothing unless the site says by how many.
        trusted = api_settings.NUM_PROXIES is not None
        address = self.get_ident(request) if trusted else request.META.get("REMOTE_ADDR")
        return f"address:{sha256(str(address).encode()).hexdigest()[:32]}"


def _counted(key: str, seconds: int) -> int:
    """The requests under ``key`` with this one."""
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # It expired in between.
        return 1
