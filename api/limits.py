"""How often a caller may ask, told before it hurts (RateLimit header fields, IETF draft)."""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW = 60


def client_address(request: HttpRequest | Request) -> str:
    """Tell the caller's address: the header counts only as far as our own proxies wrote it."""
    hops = settings.TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(chain) >= hops and chain[-hops]:
            return str(chain[-hops])
    return str(request.META.get("REMOTE_ADDR", ""))


class PerCaller(BaseThrottle):
    """A fixed window a minute per account, or per address before sign-in.

    Counted in the cache: this is hygiene. What guards a secret is counted in the database.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        signed_in = request.user.is_authenticated
        policy = "user" if signed_in else "anonymous"
        quota: int = settings.REQUESTS_A_MINUTE[policy]
        now = int(time.time())
        self.reset = WINDOW - now % WINDOW
        caller = request.user.pk if signed_in else client_address(request)
        key = f"rate:{policy}:{caller}:{now // WINDOW}"
        cache.add(key, 0, WINDOW * 2)
        try:
            used = cache.incr(key)
        except ValueError:  # evicted between the two calls
            used = 1
        request._request.rate_limit = {  # type: ignore[attr-defined]
            "RateLimit-Policy": f'"{policy}";q={quota};w={WINDOW}',
            "RateLimit": f'"{policy}";r={max(0, quota - used)};t={self.reset}',
        }
        return used <= quota

    def wait(self) -> float:
        return float(self.reset)
