"""The ORM broker of django-q2, but for one thing: after an outage of the database it looks again at once.

The original raises, whereupon the pusher sleeps for ten seconds, and every reply leaves that much later.
"""

import logging
import time
from typing import Any

from django.db import InterfaceError, OperationalError, connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5


class Broker(ORM):  # type: ignore[misc]
    def dequeue(self) -> Any:
        try:
            return super().dequeue()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The queue cannot be read now: %s", error)
            connections[Conf.ORM].close()
            time.sleep(AGAIN_SECONDS)
            return None
