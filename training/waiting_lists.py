"""Waiting lists: a free seat is offered to the next in line, and an offer holds for a while."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people.days import local_time
from people.models import User
from people.refusals import Refusal
from training import eligibility, seats
from training.models import Enrolment, TrainingClass
from training.seats import LIFECYCLE

# The reason that a row keeps when the start of its class ended it.
STARTED = "class_started"


class OfferStillHolds(Refusal):
    code = "offer_still_holds"
    title = _("There is still time to confirm the offer.")


@transaction.atomic
def offer(enrolment: Enrolment, *, by: User, at: datetime) -> Enrolment:
    """Hold a free seat for somebody on the waiting list until they confirm.

    :raises ClassFull: if no seat is left
    :raises ClassHasStarted: once the class runs
    :raises WrongStatus: while the class is filed or approved
    """
    training_class = seats.lock(enrolment, "offer")
    seats.require_open_roster(training_class)
    if not seats.take(training_class.pk):
        raise seats.ClassFull(seats=training_class.seats)
    expires_at = _expiry(training_class, at)
    LIFECYCLE.move(enrolment, "offer", by=by, at=at, offer_expires_at=expires_at)
    seats.tell([enrolment], training_class, by=by, at=at)
    return enrolment


@transaction.atomic
def offer_free_seats(
    training_class: TrainingClass, *, by: User | None, at: datetime
) -> Sequence[Enrolment]:
    """Offer every free seat at once to the next in line.

    Nobody gets one while the class is filed or later; returning it offers what came free.
    """
    training_class = seats.lock_class(training_class.pk)
    free = training_class.seats - training_class.seats_taken
    if free <= 0 or training_class.status not in seats.GIVING_SEATS:
        return []
    line = list(training_class.enrolments.waiting().values_list("pk", flat=True)[:free])
    if not line:
        return []
    seats.take(training_class.pk, count=len(line))
    rows = training_class.enrolments.filter(pk__in=line).select_related("training_class")
    expires_at = _expiry(training_class, at)
    offered = LIFECYCLE.move_all(rows, "offer", by=by, at=at, offer_expires_at=expires_at)
    seats.tell(offered, training_class, by=by, at=at)
    return offered


@transaction.atomic
def lapse(enrolment: Enrolment, *, by: User | None, at: datetime) -> Enrolment:
    """End an offer that nobody confirmed in time; its seat goes to the next in line.

    :raises OfferStillHolds: before its end
    """
    training_class = seats.lock(enrolment, "lapse")
    assert enrolment.offer_expires_at is not None, "enrolment_offer_has_an_end"
    if enrolment.offer_expires_at > at:
        raise OfferStillHolds(offer_expires_at=local_time(enrolment.offer_expires_at))
    LIFECYCLE.move(enrolment, "lapse", by=by, at=at, ended_at=at)
    seats.tell([enrolment], training_class, by=by, at=at)
    seats.give_back(training_class.pk)
    offer_free_seats(training_class, by=by, at=at)
    return enrolment


def lapse_expired_offers(*, at: datetime) -> int:
    """End every offer whose time is over, one class at a time; tell how many there were."""
    expired = Enrolment.objects.filter(
        status=Enrolment.Status.OFFERED, offer_expires_at__lte=at
    ).order_by("training_class_id")
    class_ids = list(expired.values_list("training_class_id", flat=True).distinct())
    return sum(_lapse_expired_in(class_id, at=at) for class_id in class_ids)


@transaction.atomic
def _lapse_expired_in(class_id: UUID, *, at: datetime) -> int:
    training_class = seats.lock_class(class_id)
    # Read under the lock: some may have been confirmed, or have lapsed, meanwhile.
    expired = training_class.enrolments.filter(offer_expires_at__lte=at)
    lapsed = LIFECYCLE.move_all(
        expired.select_related("training_class"), "lapse", by=None, at=at, ended_at=at
    )
    if lapsed:
        seats.tell(lapsed, training_class, by=None, at=at)
        seats.give_back(class_id, count=len(lapsed))
        offer_free_seats(training_class, by=None, at=at)
    return len(lapsed)


@transaction.atomic
def end(training_class: TrainingClass, *, by: User, at: datetime) -> None:
    """Close the line because the class starts: offers lapse, whoever waits is turned down."""
    training_class = seats.lock_class(training_class.pk)
    rows = training_class.enrolments.select_related("training_class")
    lapsed = LIFECYCLE.move_all(rows, "lapse", by=by, at=at, ended_at=at, reason=STARTED)
    rejected = LIFECYCLE.move_all(rows, "reject", by=by, at=at, ended_at=at, reason=STARTED)
    if lapsed:
        seats.give_back(training_class.pk, count=len(lapsed))
    for ended in (lapsed, rejected):
        seats.tell(ended, training_class, by=by, at=at)


def _expiry(training_class: TrainingClass, at: datetime) -> datetime:
    rules = eligibility.rules_for(training_class, at=at).rules
    return at + timedelta(hours=rules.offer_hold_hours)
