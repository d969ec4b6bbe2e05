"""The id of the request being served, for the journal, for errors and for every log line."""

import logging
from contextvars import ContextVar

# Set at the door for the length of a request, empty in commands.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    """Gives every log line the id of the request that caused it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True
