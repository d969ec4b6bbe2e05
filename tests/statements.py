"""Counting the SQL statements of a piece of work, transaction control aside."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that run inside, once it is over."""
    found: list[str] = []
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield found
    found.extend(query["sql"] for query in captured if not query["sql"].upper().startswith(CONTROL))
