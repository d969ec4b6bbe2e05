"""Booking rooms and people: whoever comes second is told what is in the way."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.days import local_day
from people.models import User
from people.refusals import Refusal
from training.models import ClassSession, Enrolment, Trainer, TrainingClass, Venue
from training.models.enrolments import HOLDING_A_SEAT
from training.models.sessions import SessionQuerySet


class BookingConflict(Refusal):
    code = "booking_conflict"
    title = _("The room or a person is already booked at that time.")


class OutsideClassDays(Refusal):
    code = "outside_class_days"
    title = _("A session has to lie within the days of its class.")


class NotAvailable(Refusal):
    code = "not_available"
    title = _("This trainer or venue cannot be booked for this class.")


def require(
    training_class: TrainingClass,
    wanted: Sequence[ClassSession],
    trainer: Trainer | None,
    venue: Venue | None,
    *,
    by: User,
) -> None:
    """Refuse sessions that lie outside of the class or on somebody else's booking.

    Needs the class to be locked, and a transaction that then writes the sessions.

    :raises OutsideClassDays: naming the first session outside of the days of the class
    :raises NotAvailable: if the trainer or venue is not active, or another institution's
    :raises BookingConflict: with the other booking, named if the caller can see it
    """
    first, last = training_class.starts_on, training_class.ends_on
    for session in wanted:
        if local_day(session.starts_at) < first or local_day(session.ends_at) > last:
            raise OutsideClassDays(starts_at=session.starts_at, starts_on=first, ends_on=last)
    taken = _lock_bookable(training_class, trainer, venue)
    bookings = (
        _bookings(training_class, taken, venue)
        .exclude(pk__in=[session.pk for session in wanted])
        .overlapping(
            min(session.starts_at for session in wanted),
            max(session.ends_at for session in wanted),
        )
        .order_by("starts_at", "id")
    )
    _refuse_overlap(training_class, wanted, bookings, taken, venue, by=by)


def require_own_venue(institution_id: UUID, venue: Venue | None) -> None:
    """Refuse the room of somebody else, whose bookings would be in their way.

    :raises NotAvailable: if the venue is another institution's
    """
    if venue and venue.institution_id != institution_id:
        raise NotAvailable(kind="venue")


def _lock_bookable(
    training_class: TrainingClass, trainer: Trainer | None, venue: Venue | None
) -> set[UUID]:
    """Lock the room, then every record of the trainer's person, each in the order of ids.

    Two bookings of one room or person queue here, so that the second sees the first. An account
    may teach at several institutions: all its records are one person.
    """
    if venue:
        venue.refresh_from_db(from_queryset=Venue.objects.select_for_update())
        require_own_venue(training_class.institution_id, venue)
        if not venue.active:
            raise NotAvailable(kind="venue")
    if trainer is None:
        return set()
    same = Q(pk=trainer.pk) | (Q(user=trainer.user_id) if trainer.user_id else Q(pk__in=[]))
    records = {
        row.pk: row for row in Trainer.objects.filter(same).order_by("id").select_for_update()
    }
    engaged = records[trainer.pk]
    if not engaged.active or engaged.institution_id != training_class.institution_id:
        raise NotAvailable(kind="trainer")
    return set(records)


def _bookings(
    training_class: TrainingClass, trainers: set[UUID], venue: Venue | None
) -> SessionQuerySet:
    """Find what could be in the way: same class, room, trainer, or people with seats in both."""
    seated = training_class.enrolments.holding_a_seat().values("person")
    shared = Enrolment.objects.filter(
        person__in=seated, status__in=HOLDING_A_SEAT, training_class__sessions__isnull=False
    ).values("training_class")
    in_the_way = Q(training_class=training_class) | Q(training_class__in=shared)
    if trainers:
        in_the_way |= Q(trainer__in=trainers)
    if venue:
        in_the_way |= Q(venue=venue)
    return ClassSession.objects.filter(in_the_way)


def _refuse_overlap(
    training_class: TrainingClass,
    wanted: Iterable[ClassSession],
    bookings: Iterable[ClassSession],
    trainers: set[UUID],
    venue: Venue | None,
    *,
    by: User,
) -> None:
    booked = list(bookings)
    for session in wanted:
        for other in booked:
            if session.starts_at < other.ends_at and other.starts_at < session.ends_at:
                kinds = {
                    "venue": venue is not None and other.venue_id == venue.pk,
                    "trainer": other.trainer_id in trainers,
                    "class": other.training_class_id == training_class.pk,
                    "trainee": True,
                }
                named = {}
                if ClassSession.objects.visible_to(by).filter(pk=other.pk).exists():
                    named["session_id"] = other.pk
                raise BookingConflict(
                    kind=next(kind for kind, holds in kinds.items() if holds),
                    **named,
                    starts_at=other.starts_at,
                    ends_at=other.ends_at,
                )
