"""Putting rooms and workshops on record."""

from datetime import datetime
from typing import Any

from django.db import transaction

from people import journal
from people.models import Organisation, User
from training.models import Venue


@transaction.atomic
def add(institution: Organisation, *, by: User, at: datetime, **particulars: Any) -> Venue:
    """Add a venue of the institution."""
    venue = Venue(institution=institution, **particulars)
    venue.save(force_insert=True)
    journal.record("venue.add", venue, by=by, at=at)
    return venue


@transaction.atomic
def amend(venue: Venue, *, by: User, at: datetime, **changes: Any) -> Venue:
    """Change what is given; a venue that is not active takes no new bookings."""
    venue.refresh_from_db(from_queryset=Venue.objects.select_for_update())
    for name, value in changes.items():
        setattr(venue, name, value)
    venue.save(update_fields=list(changes))
    journal.record("venue.amend", venue, by=by, at=at, members=sorted(changes))
    return venue
