"""Let time act: offers lapse, follow-up windows open and close, what was left behind goes."""

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from people import uploads
from training import enrolments, follow_ups, roster_imports

logger = logging.getLogger(__name__)
# Each may run again at any time, by several timekeepers at once, without a second effect.
DUTIES: Mapping[str, Callable[..., Any]] = {
    "offers": enrolments.lapse_expired_offers,
    "follow-ups": follow_ups.keep_time,
    "roster imports": roster_imports.give_up_stale,
    "uploads": uploads.discard_expired,
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Make one round and end.")
        parser.add_argument("--every", type=float, default=60, help="Seconds between two rounds.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            make_round()
            return
        ended = threading.Event()
        # A round that has begun is finished, so no duty is left half-way.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        while not ended.is_set():
            make_round()
            close_old_connections()
            ended.wait(options["every"])


def make_round() -> None:
    """Do every duty once; one that fails is logged and keeps no other from being done."""
    for name, duty in DUTIES.items():
        try:
            logger.debug("%s: %s", name, duty(at=timezone.now()))
        except Exception:
            logger.exception("%s: this round failed", name)
