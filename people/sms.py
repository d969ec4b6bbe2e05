"""Sending a text message: a backend that settings choose."""

import logging
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


class Sms(Protocol):
    """What a gateway adapter has to offer."""

    def send(self, phone: str, text: str) -> None:
        """Send one message to a mainland mobile number."""


class ConsoleSms:
    """Prints instead of sending, masked in the log; for a laptop."""

    def send(self, phone: str, text: str) -> None:
        logger.info("SMS to %s****%s: %s", phone[:3], phone[7:], text)


def send(phone: str, text: str) -> None:
    """Send one message through the configured backend."""
    backend: Sms = import_string(settings.SMS_BACKEND)()
    backend.send(phone, text)
