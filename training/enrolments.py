"""Enrolments: asking for a place in a class, getting it, giving it up."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from people import journal, person_categories, person_claims
from people.days import local_day, local_time
from people.models import Acquaintance, Person, User
from people.policies import EnrolmentRules
from people.refusals import IdTaken, Refusal
from training import eligibility, seats
from training.eligibility import AlreadyEnrolled, EnrolmentClosed
from training.models import Enrolment, TrainingClass
from training.models.enrolments import HOLDING_A_SEAT, LIVE
from training.seats import LIFECYCLE, ClassFull
from training.waiting_lists import lapse, lapse_expired_offers, offer, offer_free_seats

__all__ = [
    "LIFECYCLE",
    "accept",
    "admit",
    "apply",
    "drop",
    "lapse",
    "lapse_expired_offers",
    "offer",
    "offer_free_seats",
    "reject",
    "waitlist",
    "withdraw",
]
S = Enrolment.Status


class OfferExpired(Refusal):
    code = "offer_expired"
    title = _("The offer was not confirmed in time.")


class ClassHasNotStarted(Refusal):
    code = "class_has_not_started"
    title = _("The class has not started yet.")


def apply(
    training_class: TrainingClass,
    person: Person | None,
    *,
    by: User,
    at: datetime,
    enrolment_id: UUID | None = None,
) -> Enrolment:
    """Ask for a place: admitted, on the waiting list, or for the institution to look at.

    :raises EnrolmentClosed: outside the class's enrolment window
    :raises PersonUnknown: without a person
    :raises PersonUnconfirmed: while the claim to be one waits
    :raises AlreadyEnrolled: while an enrolment of the person in the class lives
    :raises NotEligible: naming every rule that failed
    :raises OverlappingClass: with the time, and the class if the caller may see the enrolment
    :raises IdTaken: if another enrolment has the id
    """
    try:
        return _apply(training_class, person, by=by, at=at, enrolment_id=enrolment_id)
    except IntegrityError as error:
        # The unique indexes catch what no check could see yet.
        if training_class.enrolments.live().filter(person=person).exists():
            raise AlreadyEnrolled from error
        if enrolment_id and Enrolment.objects.filter(pk=enrolment_id).exists():
            raise IdTaken(id=str(enrolment_id)) from error
        raise


def is_served(person_id: UUID, institution_ids: Collection[UUID]) -> bool:
    """Tell whether the person learns at one of the institutions, waits to, or has completed."""
    return Enrolment.objects.filter(
        person=person_id,
        training_class__institution__in=institution_ids,
        status__in=[*LIVE, S.COMPLETED],
    ).exists()


@transaction.atomic
def _apply(
    training_class: TrainingClass,
    person: Person | None,
    *,
    by: User,
    at: datetime,
    enrolment_id: UUID | None,
) -> Enrolment:
    person = person and _lock_person(person.pk, training_class)
    is_waiting = person is None and person_claims.is_waiting(by)
    assessment = eligibility.assess(training_class, person, at=at, is_waiting=is_waiting)
    policy = assessment.policy
    eligibility.require(assessment.rules, policy_id=policy.policy_id, by=by)
    assert person is not None, "person_known"
    _acquaint(person, training_class, at=at)
    categories = person_categories.categories_on([person.pk], at=at)[person.pk]
    reason = _priority_reason(categories, policy.rules)
    # Last, because everyone who wants a seat in this class queues here.
    status = _place(training_class, at=at)
    enrolment = Enrolment(
        training_class=training_class,
        person=person,
        status=status,
        applied_at=at,
        priority=1 if reason else 0,
        priority_reason=reason,
        categories=categories.held,
        admitted_at=at if status == S.ADMITTED else None,
        enrolment_policy_id=policy.policy_id,
        created_by=by,
    )
    if enrolment_id:
        enrolment.pk = enrolment_id
    enrolment.save(force_insert=True)
    journal.record("enrolment.apply", enrolment, by=by, at=at, status=status)
    seats.tell([enrolment], training_class, by=by, at=at)
    return enrolment


def _lock_person(person_id: UUID, training_class: TrainingClass) -> Person:
    """Let one person's bookings queue, so that no two of them overlap."""
    known = Acquaintance.objects.filter(
        person=OuterRef("pk"), organisation=training_class.institution_id
    )
    # A full lock would also stop others from writing a mere notice to the person.
    return (
        Person.objects.select_for_update(no_key=True)
        .defer("id_number", "phone")
        .annotate(is_known_here=Exists(known))
        .get(pk=person_id)
    )


def _acquaint(person: Person, training_class: TrainingClass, *, at: datetime) -> None:
    if person.is_known_here:  # type: ignore[attr-defined]  # annotated by _lock_person
        return
    new = Acquaintance(person=person, organisation_id=training_class.institution_id, since=at)
    Acquaintance.objects.bulk_create([new], ignore_conflicts=True)


def _priority_reason(categories: person_categories.Categories, rules: EnrolmentRules) -> str:
    needs_recognition = rules.priority_needs_recognition
    counting = categories.recognised if needs_recognition else categories.held
    return next((name for name in rules.priority_categories if name in counting), "")


def _place(training_class: TrainingClass, *, at: datetime) -> str:
    """Take a free seat that nobody waits for, or else say where the person stands.

    :raises EnrolmentClosed: if the class has stopped enrolling meanwhile
    """
    waiting = Enrolment.objects.filter(training_class=OuterRef("pk"), status=S.WAITLISTED)
    automatic = TrainingClass.objects.filter(
        ~Exists(waiting),
        status=TrainingClass.Status.ENROLLING,
        admission=TrainingClass.Admission.AUTOMATIC,
    )
    if seats.take(training_class.pk, among=automatic):
        return S.ADMITTED
    # Whoever joins the line must not miss a seat that comes free in the same moment.
    now = seats.lock_class(training_class.pk)
    if now.status != TrainingClass.Status.ENROLLING or not now.enrols_on(local_day(at)):
        raise EnrolmentClosed(status=now.status)
    if now.admission == TrainingClass.Admission.REVIEW:
        return S.APPLIED
    came_free = now.seats_taken < now.seats and seats.take(now.pk, among=automatic)
    return S.ADMITTED if came_free else S.WAITLISTED


@transaction.atomic
def admit(enrolment: Enrolment, *, by: User, at: datetime) -> Enrolment:
    """Give the person a seat.

    :raises ClassFull: if no seat is left
    :raises ClassHasStarted: once the class runs
    :raises WrongStatus: while the class is filed or approved
    :raises NotEligible: if the person may not take another seat
    :raises OverlappingClass: with the time, and the class if the caller may see the enrolment
    """
    person = _lock_person(enrolment.person_id, enrolment.training_class)
    training_class = seats.lock(enrolment, "admit")
    seats.require_open_roster(training_class)
    _require_seat_is_allowed(training_class, person, by=by, at=at)
    if not seats.take(training_class.pk):
        raise ClassFull(seats=training_class.seats)
    LIFECYCLE.move(enrolment, "admit", by=by, at=at, admitted_at=at)
    seats.tell([enrolment], training_class, by=by, at=at)
    return enrolment


@transaction.atomic
def waitlist(enrolment: Enrolment, *, by: User, at: datetime) -> Enrolment:
    """Put the person in line, in the order of priority and application.

    :raises ClassHasStarted: once the class runs
    """
    training_class = seats.lock(enrolment, "waitlist")
    seats.require_not_started(training_class)
    LIFECYCLE.move(enrolment, "waitlist", by=by, at=at)
    seats.tell([enrolment], training_class, by=by, at=at)
    return enrolment


@transaction.atomic
def reject(enrolment: Enrolment, *, reason: str, by: User, at: datetime) -> Enrolment:
    """Turn the person down, saying why."""
    training_class = seats.lock(enrolment, "reject")
    LIFECYCLE.move(enrolment, "reject", by=by, at=at, ended_at=at, reason=reason)
    seats.tell([enrolment], training_class, by=by, at=at, reason=reason)
    return enrolment


@transaction.atomic
def accept(enrolment: Enrolment, *, by: User, at: datetime) -> Enrolment:
    """Confirm an offer: the seat that it holds becomes the person's, also after filing.

    :raises OfferExpired: when the hold is over
    :raises ClassHasStarted: once the class runs
    :raises NotEligible: if the person may not take another seat
    :raises OverlappingClass: with the time, and the class if the caller may see the enrolment
    """
    person = _lock_person(enrolment.person_id, enrolment.training_class)
    training_class = seats.lock(enrolment, "accept")
    assert enrolment.offer_expires_at is not None, "enrolment_offer_has_an_end"
    if enrolment.offer_expires_at <= at:
        raise OfferExpired(offer_expires_at=local_time(enrolment.offer_expires_at))
    _require_seat_is_allowed(training_class, person, by=by, at=at)
    LIFECYCLE.move(enrolment, "accept", by=by, at=at, admitted_at=at)
    seats.tell([enrolment], training_class, by=by, at=at)
    return enrolment


def _require_seat_is_allowed(
    training_class: TrainingClass, person: Person, *, by: User, at: datetime
) -> None:
    """Look again at what may have changed since the person applied."""
    seats.require_not_started(training_class)
    policy = eligibility.rules_for(training_class, at=at)
    history = eligibility.history_of(person, training_class)
    # An offer elsewhere is no commitment: whichever is confirmed first counts.
    held = [S.ADMITTED, S.COMPLETED]
    rules = eligibility.before_a_seat(training_class, history, policy.rules, held=held)
    eligibility.require(rules, policy_id=policy.policy_id, by=by)


@transaction.atomic
def withdraw(enrolment: Enrolment, *, reason: str, by: User, at: datetime) -> Enrolment:
    """Leave before the class starts; a seat goes to the next in line at once.

    While the class is filed or approved nobody moves up: it is offered if the class comes back.

    :raises ClassHasStarted: afterwards one drops out
    """
    training_class = seats.lock(enrolment, "withdraw")
    seats.require_not_started(training_class)
    held_a_seat = enrolment.status in HOLDING_A_SEAT
    LIFECYCLE.move(enrolment, "withdraw", by=by, at=at, ended_at=at, reason=reason)
    seats.tell([enrolment], training_class, by=by, at=at, reason=reason)
    if held_a_seat:
        seats.give_back(training_class.pk)
        offer_free_seats(training_class, by=by, at=at)
    return enrolment


@transaction.atomic
def drop(enrolment: Enrolment, *, reason: str, by: User, at: datetime) -> Enrolment:
    """Note that somebody left a running class; nobody is let in after them.

    :raises ClassHasNotStarted: before that one withdraws
    """
    training_class = seats.lock(enrolment, "drop")
    if training_class.started_at is None:
        raise ClassHasNotStarted(starts_on=str(training_class.starts_on))
    LIFECYCLE.move(enrolment, "drop", by=by, at=at, ended_at=at, reason=reason)
    seats.give_back(training_class.pk)
    seats.tell([enrolment], training_class, by=by, at=at, reason=reason)
    return enrolment
