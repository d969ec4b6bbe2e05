"""The timetable of a class: nobody and no room in two places at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import SHANGHAI, local_time
from people.ids import uuid7
from people.lifecycle import Lifecycle
from people.models import User
from people.notices import tell
from people.refusals import Refusal, require_status
from training import bookings, classes, totp
from training.models import ClassSession, Trainer, TrainingClass, Venue

Status = ClassSession.Status
LIFECYCLE = Lifecycle(
    finish=([Status.SCHEDULED], Status.FINISHED),
    cancel=([Status.SCHEDULED], Status.CANCELLED),
)
MOVABLE = [
    *classes.PLANNABLE,
    TrainingClass.Status.APPROVED,
    TrainingClass.Status.IN_PROGRESS,
    # What a suspension makes impossible has to be moved before the class goes on.
    TrainingClass.Status.SUSPENDED,
]
AT_ONCE = 200


class NothingToSchedule(Refusal):
    code = "nothing_to_schedule"
    title = _("No day of the period is one of these weekdays.")


class TooManySessions(Refusal):
    code = "too_many_sessions"
    title = _("These are more sessions than can be made at once.")


class SessionHasBegun(Refusal):
    code = "session_has_begun"
    title = _("The session has already begun.")


@dataclass(frozen=True)
class Recurrence:
    """Every week on some weekdays (1 is Monday), from a day to a day, except some days."""

    weekdays: frozenset[int]
    starts_time: time
    ends_time: time
    first: date
    last: date
    skip: frozenset[date] = frozenset()

    def periods(self) -> list[tuple[datetime, datetime]]:
        """List the periods, one more than may be made at once at most."""
        found = []
        for offset in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=offset)
            if day.isoweekday() in self.weekdays and day not in self.skip:
                found.append(
                    (
                        datetime.combine(day, self.starts_time, SHANGHAI),
                        datetime.combine(day, self.ends_time, SHANGHAI),
                    )
                )
            if len(found) > AT_ONCE:
                break
        return found


@transaction.atomic
def schedule(
    training_class: TrainingClass,
    periods: Sequence[tuple[datetime, datetime]],
    *,
    trainer: Trainer | None = None,
    venue: Venue | None = None,
    planned_minutes: int | None = None,
    id: UUID | None = None,  # noqa: A002  # the client's name for a single session
    by: User,
    at: datetime,
    **particulars: Any,
) -> list[ClassSession]:
    """Put sessions on the timetable, all of them or none.

    ``planned_minutes`` count towards the attendance rate; the whole length unless told.

    :raises WrongStatus: once the class is filed, runs or has ended
    :raises NothingToSchedule: if there is no period
    :raises TooManySessions: if there are more than 200
    :raises OutsideClassDays: naming the first session outside of the days of the class
    :raises NotAvailable: if the trainer or venue is not active, or another institution's
    :raises BookingConflict: with the other booking, named if the caller can see it
    """
    if not periods:
        raise NothingToSchedule
    if len(periods) > AT_ONCE:
        raise TooManySessions(maximum=AT_ONCE)
    classes.lock_plan(training_class)
    made = [
        ClassSession(
            id=id or uuid7(),
            training_class=training_class,
            starts_at=starts_at,
            ends_at=ends_at,
            planned_minutes=planned_minutes or minutes(starts_at, ends_at),
            trainer=trainer,
            venue=venue,
            secret=totp.new_secret(),
            created_at=at,
            **particulars,
        )
        for starts_at, ends_at in periods
    ]
    bookings.require(training_class, made, trainer, venue, by=by)
    ClassSession.objects.bulk_create(made)
    journal.record_all("classsession.schedule", made, by=by, at=at)
    return made


def minutes(starts_at: datetime, ends_at: datetime) -> int:
    """Count the whole minutes of a period, at least one."""
    return max(int((ends_at - starts_at).total_seconds()) // 60, 1)


@transaction.atomic
def reschedule(session: ClassSession, *, by: User, at: datetime, **changes: Any) -> ClassSession:
    """Move a session that has not begun, or give it another trainer or venue.

    Everyone with a seat is told if it moves. Raises what ``schedule`` raises, and:

    :raises SessionHasBegun: if it has
    """
    _lock(session, at)
    before = (session.starts_at, session.ends_at, session.venue_id)
    length = minutes(session.starts_at, session.ends_at)
    for name, value in changes.items():
        setattr(session, name, value)
    if "planned_minutes" not in changes and minutes(session.starts_at, session.ends_at) != length:
        changes["planned_minutes"] = session.planned_minutes = minutes(
            session.starts_at, session.ends_at
        )
    bookings.require(session.training_class, [session], session.trainer, session.venue, by=by)
    session.save(update_fields=list(changes))
    journal.record("classsession.reschedule", session, by=by, at=at, members=sorted(changes))
    if before != (session.starts_at, session.ends_at, session.venue_id):
        _tell_seated(session, "session_rescheduled", at)
    return session


@transaction.atomic
def cancel(session: ClassSession, *, reason: str, by: User, at: datetime) -> ClassSession:
    """Take a session off the timetable; it counts in no rate any more.

    :raises WrongStatus: if the session or its class is past that
    :raises SessionHasBegun: if it has
    """
    _lock(session, at)
    LIFECYCLE.move(session, "cancel", by=by, at=at, reason=reason)
    _tell_seated(session, "session_cancelled", at)
    return session


def _lock(session: ClassSession, at: datetime) -> None:
    """Lock the class, then the session: the same order as everywhere.

    :raises WrongStatus: if the session or its class is past changing
    :raises SessionHasBegun: if it has
    """
    training_class = session.training_class
    training_class.refresh_from_db(from_queryset=TrainingClass.objects.select_for_update())
    # What can be moved is what can be cancelled.
    LIFECYCLE.lock(session, "cancel")
    session.training_class = training_class
    require_status(training_class.status, MOVABLE)
    if training_class.status not in classes.PLANNABLE and session.starts_at <= at:
        raise SessionHasBegun(starts_at=session.starts_at)


def _tell_seated(session: ClassSession, code: str, at: datetime) -> None:
    seated = session.training_class.enrolments.holding_a_seat()
    tell(
        seated.values_list("person_id", flat=True),
        code,
        session,
        at=at,
        name=session.training_class.name,
        starts_at=local_time(session.starts_at),
        ends_at=local_time(session.ends_at),
    )
