"""The life of a training class: planned, published, filed, approved, run, ended."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal, policies
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import Organisation, User
from people.notices import tell
from people.policies import ClassRules
from people.refusals import Refusal, require_status
from people.roles import covers
from training import accreditations, bookings, filings, independence, seats, waiting_lists
from training.models import ClassFiling, ClassSession, Programme, TrainingClass

Status = TrainingClass.Status
LIFECYCLE = Lifecycle(
    publish=([Status.DRAFT], Status.ENROLLING),
    file=([Status.ENROLLING, Status.RETURNED], Status.FILED),
    approve=([Status.FILED], Status.APPROVED),
    start=([Status.APPROVED], Status.IN_PROGRESS),
    suspend=([Status.IN_PROGRESS], Status.SUSPENDED),
    resume=([Status.SUSPENDED], Status.IN_PROGRESS),
    close=([Status.IN_PROGRESS], Status.CLOSED),
    cancel=(
        [Status.DRAFT, Status.ENROLLING, Status.RETURNED, Status.FILED, Status.APPROVED],
        Status.CANCELLED,
    ),
    **{"return": ([Status.FILED], Status.RETURNED)},
)
# While the institution may still change the plan.
PLANNABLE = [Status.DRAFT, Status.ENROLLING, Status.RETURNED]

# Province, city and county in a 12-digit region code.
COUNTY_DIGITS = 6
# What decides whether a published class still fits policy and accreditation.
FITTED = {"seats", "starts_on", "ends_on"}


class TooManySeats(Refusal):
    code = "too_many_seats"
    title = _("The class has more seats than the bureau allows.")


class SeatsAreTaken(Refusal):
    code = "seats_are_taken"
    title = _("More seats are taken than would be left.")


class DatesOutOfOrder(Refusal):
    code = "dates_out_of_order"
    title = _("Enrolment opens, then closes by the last day; the class starts, then ends.")


class SessionsOutsideDays(Refusal):
    code = "sessions_outside_days"
    title = _("Some sessions would lie outside of the days of the class.")


class TooEarlyToStart(Refusal):
    code = "too_early_to_start"
    title = _("The first day of the class has not come yet.")


def may_teach_in(institution: Organisation, region_id: str) -> bool:
    """Tell whether a class can be held there: in the institution's county, or below its region.

    The region decides the bureau, so it is not for the institution to choose freely.
    """
    county = institution.region_id[:COUNTY_DIGITS]
    return region_id.startswith(county) or covers(institution.region_id, region_id)


@transaction.atomic
def plan(
    institution: Organisation, programme: Programme, *, by: User, at: datetime, **particulars: Any
) -> TrainingClass:
    """Draft a class; nobody outside the institution and its bureau sees it yet.

    :raises DatesOutOfOrder: if the days do not follow one another
    :raises NotAvailable: if the venue is another institution's
    """
    training_class = TrainingClass(
        institution=institution, programme=programme, created_by=by, created_at=at, **particulars
    )
    _refuse_disorder(training_class)
    bookings.require_own_venue(institution.pk, training_class.venue)
    training_class.save(force_insert=True)
    journal.record("trainingclass.plan", training_class, by=by, at=at)
    return training_class


def lock_plan(training_class: TrainingClass) -> TrainingClass:
    """Lock the class while its plan is to be changed; needs a transaction.

    :raises WrongStatus: once it is filed, runs or has ended
    """
    training_class.refresh_from_db(from_queryset=TrainingClass.objects.select_for_update())
    require_status(training_class.status, PLANNABLE)
    return training_class


@transaction.atomic
def amend(
    training_class: TrainingClass, *, by: User, at: datetime, **changes: Any
) -> TrainingClass:
    """Change the plan; seats that this frees are offered to the waiting list.

    :raises WrongStatus: once it is filed, runs or has ended
    :raises DatesOutOfOrder: if the days would not follow one another
    :raises SessionsOutsideDays: if sessions would lie outside of the new days
    :raises SeatsAreTaken: if fewer seats than people would be left
    :raises NotAvailable: if the venue is another institution's
    :raises TooManySeats: if a published class would grow beyond policy
    :raises NotAccredited: if a published class would leave its accreditation
    """
    lock_plan(training_class)
    seats_before = training_class.seats
    for name, value in changes.items():
        setattr(training_class, name, value)
    _refuse_disorder(training_class)
    _refuse_sessions_outside(training_class)
    bookings.require_own_venue(training_class.institution_id, changes.get("venue"))
    if training_class.seats < training_class.seats_taken:
        raise SeatsAreTaken(seats_taken=training_class.seats_taken)
    if training_class.status != Status.DRAFT and changes.keys() & FITTED:
        _refuse_unfit(training_class, at)
    training_class.save(update_fields=list(changes))
    journal.record("trainingclass.amend", training_class, by=by, at=at, members=sorted(changes))
    if training_class.seats > seats_before:
        waiting_lists.offer_free_seats(training_class, by=by, at=at)
        training_class.refresh_from_db()
    return training_class


def _refuse_disorder(training_class: TrainingClass) -> None:
    opens, closes = training_class.enrolment_opens_on, training_class.enrolment_closes_on
    if not (opens <= closes <= training_class.ends_on) or (
        training_class.starts_on > training_class.ends_on
    ):
        raise DatesOutOfOrder


def _refuse_sessions_outside(training_class: TrainingClass) -> None:
    outside = training_class.sessions.planned().outside(
        training_class.starts_on, training_class.ends_on
    )
    if count := outside.count():
        raise SessionsOutsideDays(sessions=count)


def _refuse_unfit(training_class: TrainingClass, at: datetime) -> None:
    rules = policies.governing(ClassRules, training_class.region_id, local_day(at)).rules
    if training_class.seats > rules.maximum_size:
        raise TooManySeats(seats=training_class.seats, maximum_size=rules.maximum_size)
    accreditations.require(training_class)


@transaction.atomic
def publish(training_class: TrainingClass, *, by: User, at: datetime) -> TrainingClass:
    """Open the class to the public.

    :raises NotAccredited: if no accreditation covers it on all class days
    :raises TooManySeats: if it has more seats than policy allows
    """
    LIFECYCLE.lock(training_class, "publish")
    _refuse_unfit(training_class, at)
    return LIFECYCLE.move(training_class, "publish", by=by, at=at, published_at=at)


@transaction.atomic
def file(training_class: TrainingClass, *, by: User, at: datetime) -> ClassFiling:
    """Ask the bureau to let the class run, with a roster that is frozen here.

    :raises NotAccredited: if no accreditation covers it on all class days
    :raises TooFewHours: if the sessions plan fewer hours than policy
    :raises SessionsIncomplete: if a session lacks its trainer or its venue
    :raises TooFewAdmitted: if fewer people than the minimum size are admitted
    :raises LeadDaysMissing: if the first session is too near
    """
    LIFECYCLE.lock(training_class, "file")
    accreditations.require(training_class)
    policy = filings.refuse_incomplete(training_class, at)
    filing = filings.freeze(training_class, by=by, at=at)
    LIFECYCLE.move(training_class, "file", by=by, at=at, filed_by=by, filed_at=at, reason="")
    journal.record(
        "classfiling.freeze",
        training_class,
        by=by,
        at=at,
        number=filing.number,
        sha256=filing.sha256,
        policy_id=str(policy) if policy else None,
    )
    return filing


@transaction.atomic
def send_back(
    training_class: TrainingClass, *, reason: str, by: User, at: datetime
) -> TrainingClass:
    """Return a filed class to the institution; seats that came free meanwhile are offered.

    :raises OwnInstitution: if the officer belongs to the institution
    :raises OwnRequest: if the officer filed it
    """
    _decide(training_class, "return", by=by, at=at, reason=reason)
    waiting_lists.offer_free_seats(training_class, by=by, at=at)
    training_class.refresh_from_db()
    return training_class


@transaction.atomic
def approve(training_class: TrainingClass, *, by: User, at: datetime) -> TrainingClass:
    """Let a filed class run; raises what ``send_back`` raises."""
    return _decide(
        training_class, "approve", by=by, at=at, approved_by=by, approved_at=at, reason=""
    )


def _decide(
    training_class: TrainingClass, verb: str, *, by: User, at: datetime, **changes: Any
) -> TrainingClass:
    LIFECYCLE.lock(training_class, verb)
    independence.require(
        by,
        institution_id=training_class.institution_id,
        asked_by_id=training_class.filed_by_id,
    )
    return LIFECYCLE.move(training_class, verb, by=by, at=at, **changes)


@transaction.atomic
def start(training_class: TrainingClass, *, by: User, at: datetime) -> TrainingClass:
    """Begin teaching; whoever still waits for a seat is told that there is none.

    :raises TooEarlyToStart: before the first day
    """
    LIFECYCLE.lock(training_class, "start")
    if local_day(at) < training_class.starts_on:
        raise TooEarlyToStart(starts_on=training_class.starts_on)
    waiting_lists.end(training_class, by=by, at=at)
    return LIFECYCLE.move(training_class, "start", by=by, at=at, started_at=at)


@transaction.atomic
def suspend(training_class: TrainingClass, *, reason: str, by: User, at: datetime) -> TrainingClass:
    """Interrupt a class that runs."""
    return LIFECYCLE.move(training_class, "suspend", by=by, at=at, reason=reason)


@transaction.atomic
def resume(training_class: TrainingClass, *, reason: str, by: User, at: datetime) -> TrainingClass:
    """Go on after an interruption."""
    return LIFECYCLE.move(training_class, "resume", by=by, at=at, reason=reason)


@transaction.atomic
def cancel(training_class: TrainingClass, *, reason: str, by: User, at: datetime) -> TrainingClass:
    """Call the class off: its rooms are free again, everyone in it or waiting is told."""
    LIFECYCLE.lock(training_class, "cancel")
    sessions = training_class.sessions.filter(status=ClassSession.Status.SCHEDULED).update(
        status=ClassSession.Status.CANCELLED, reason="class_cancelled"
    )
    rows = training_class.enrolments.select_related("training_class")
    ended = seats.LIFECYCLE.move_all(
        rows, "withdraw", by=by, at=at, ended_at=at, reason="class_cancelled", offer_expires_at=None
    )
    people = [enrolment.person_id for enrolment in ended]
    tell(people, "class_cancelled", training_class, at=at, name=training_class.name, reason=reason)
    LIFECYCLE.move(training_class, "cancel", by=by, at=at, reason=reason, seats_taken=0)
    journal.record(
        "trainingclass.call_off",
        training_class,
        by=by,
        at=at,
        enrolments_ended=len(ended),
        sessions_cancelled=sessions,
    )
    return training_class
