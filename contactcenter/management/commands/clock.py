import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from contactcenter import clock
from contactcenter.lib import life


class Command(BaseCommand):
    help = "Promotes what is due, each second: held messages, lost nudges, crashed work, seals. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(1):
            clock.tick(timezone.now())
            life.sign()
