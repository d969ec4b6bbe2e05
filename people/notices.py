"""Telling people: a notice is a row, written with the fact that it tells."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from people.models import Notice


def tell(
    person_ids: Iterable[UUID], code: str, about: models.Model, *, at: datetime, **facts: Any
) -> None:
    """Write one notice to each person, in one statement."""
    Notice.objects.bulk_create(
        Notice(person_id=person, code=code, facts=facts, object_id=about.pk, created_at=at)
        for person in person_ids
    )
