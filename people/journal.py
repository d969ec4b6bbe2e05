"""Recording what was done: one entry per change, in the transaction of the change."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from people.models import JournalEntry, User
from people.tracing import request_id


def entry(
    verb: str, row: models.Model, *, by: User | None, at: datetime, **facts: Any
) -> JournalEntry:
    """Make an unsaved entry; ``facts`` never carry personal data in the clear."""
    scope = getattr(row, "scope", None)
    organisations = sorted(scope.organisation_ids, key=str) if scope else []
    return JournalEntry(
        at=at,
        verb=verb,
        object_id=str(row.pk),
        by_id=by.pk if by else None,
        organisation_id=organisations[0] if organisations else None,
        region_id=scope.region_id if scope else "",
        request_id=request_id.get(),
        facts=facts,
    )


def record(verb: str, row: models.Model, *, by: User | None, at: datetime, **facts: Any) -> None:
    """Write one entry."""
    entry(verb, row, by=by, at=at, **facts).save(force_insert=True)


def record_all(
    verb: str, rows: Iterable[models.Model], *, by: User | None, at: datetime, **facts: Any
) -> None:
    """Write one entry for each row, in one statement."""
    JournalEntry.objects.bulk_create(entry(verb, row, by=by, at=at, **facts) for row in rows)
