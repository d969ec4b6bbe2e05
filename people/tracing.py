"""The id of the request being served, for the journal, for errors and for every log line."""

import logging
from contextvars import ContextVar

# Set at the door for the length of a request, empty in commands.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class RefusalFilter(logging.Filter):
    """Takes down to INFO what Django warns of: a refused request is nobody's fault of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500 and record.levelno == logging.WARNING:
            record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger().isEnabledFor(record.levelno)


class RequestIdFilter(logging.Filter):
    """Gives every log line the id of the request that caused it."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django tells of an answer after the request has left its context.
        named = getattr(getattr(record, "request", None), "request_id", "")
        record.request_id = named or request_id.get() or "-"
        return True
