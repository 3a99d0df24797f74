"""So many requests a minute for each token, counted in Redis for all processes together."""

import logging
import time

import redis
from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


class PerToken(BaseThrottle):
    """Redis carries hints: while it is away, nobody is turned away."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.at = time.time()
        key = f"api:{request.auth.pk}:{int(self.at // WINDOW_SECONDS)}"
        try:
            return counted(key) <= settings.API_REQUESTS_PER_MINUTE
        except redis.RedisError as error:
            logger.warning("Requests can't be counted, so none is refused: %r", error)
            return True

    def wait(self) -> float:
        """Seconds until the next window."""
        return WINDOW_SECONDS - int(self.at % WINDOW_SECONDS)


def counted(key: str) -> int:
    """One more; how many there are now."""
    shared = caches["shared"]
    shared.add(key, 0, 2 * WINDOW_SECONDS)
    return int(shared.incr(key))
