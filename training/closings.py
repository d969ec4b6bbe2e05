"""Closing a class: everybody admitted gets an outcome, the completed a certificate as well."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import notices
from people.models import User
from people.models.persons import sealed
from people.refusals import Refusal
from training import attendance_rates, certificates, classes, enrolments, exams, follow_ups, seats
from training.models import (
    AttendanceRecord,
    Certificate,
    ClassSession,
    Enrolment,
    Exam,
    ExamResult,
    TrainingClass,
)

COMPLETED, FAILED, NO_SHOW = (
    Enrolment.Status.COMPLETED,
    Enrolment.Status.FAILED,
    Enrolment.Status.NO_SHOW,
)
LOW_ATTENDANCE = "low_attendance"
EXAM_FAILED = "exam_failed"
NEVER_CAME = "never_came"
CLASS_CLOSED = "class_closed"
RESULT_MISSING = "result_missing"
# A person who came is one of these in at least one session; leave alone is not coming.
CAME = [
    AttendanceRecord.Status.PRESENT,
    AttendanceRecord.Status.LATE,
    AttendanceRecord.Status.LEFT_EARLY,
    AttendanceRecord.Status.EXEMPT,
]
VERBS = {COMPLETED: "complete", FAILED: "fail", NO_SHOW: "no_show"}


class SessionsNotOver(Refusal):
    code = "sessions_not_over"
    title = _("Some sessions are neither finished nor cancelled.")


class ResultsMissing(Refusal):
    code = "results_missing"
    title = _("Some who may sit the exam have neither passed it nor a result in the last attempt.")


@dataclass(frozen=True)
class Known:
    """What decides about one person."""

    reached: bool
    came: bool
    passed: bool
    in_last_exam: bool


@dataclass(frozen=True)
class Decision:
    """What closing does with one person, and why; ``outcome`` is empty while it cannot."""

    enrolment: Enrolment
    outcome: str
    reason: str
    rate: attendance_rates.Rate
    # Characters of the name that the certificate's font cannot draw.
    undrawable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What closing would do now."""

    training_class: TrainingClass
    sessions_open: int
    decisions: Sequence[Decision]

    @property
    def can_close(self) -> bool:
        """Tell whether nothing stands in the way."""
        right_status = self.training_class.status in classes.LIFECYCLE.moves["close"][0]
        return right_status and not self.sessions_open and not self.missing

    @property
    def missing(self) -> list[Decision]:
        """Those whose result is still missing."""
        return [decision for decision in self.decisions if not decision.outcome]


@dataclass(frozen=True)
class Closing:
    """What closing did."""

    training_class: TrainingClass
    decisions: Sequence[Decision]
    certificates: Sequence[Certificate]


def decide(known: Known) -> tuple[str, str]:
    """Decide the outcome of one person and its reason; an empty outcome waits for a result."""
    if not known.came and not known.passed:
        return NO_SHOW, NEVER_CAME
    if not known.reached:
        return FAILED, LOW_ATTENDANCE
    if known.passed:
        return COMPLETED, ""
    if known.in_last_exam:
        return FAILED, EXAM_FAILED
    return "", RESULT_MISSING


def preview(training_class: TrainingClass, *, at: datetime) -> Preview:
    """Tell what closing would do with everybody, and what stands in its way."""
    sessions = training_class.sessions.planned()
    return Preview(
        training_class=training_class,
        sessions_open=sessions.exclude(status=ClassSession.Status.FINISHED).count(),
        decisions=_decisions(training_class, at=at),
    )


def _decisions(training_class: TrainingClass, *, at: datetime) -> list[Decision]:
    rates = attendance_rates.rates_of(training_class, at=at)
    came = set(
        AttendanceRecord.objects.filter(enrolment__training_class=training_class, status__in=CAME)
        .exclude(session__status=ClassSession.Status.CANCELLED)
        .values_list("enrolment_id", flat=True)
    )
    passed, in_last_exam = _results(training_class)
    decisions = []
    for enrolment in _admitted(training_class):
        rate = rates[enrolment.pk]
        known = Known(
            reached=exams.reached(rate),
            came=enrolment.pk in came,
            passed=enrolment.pk in passed,
            in_last_exam=enrolment.pk in in_last_exam,
        )
        outcome, reason = decide(known)
        undrawable = certificates.undrawable(enrolment.person.name) if outcome == COMPLETED else ()
        decisions.append(Decision(enrolment, outcome, reason, rate, tuple(undrawable)))
    return decisions


def _admitted(training_class: TrainingClass) -> list[Enrolment]:
    return list(
        Enrolment.objects.filter(training_class=training_class, status=Enrolment.Status.ADMITTED)
        .select_related(
            "person", "training_class__programme__occupation", "training_class__institution"
        )
        .defer(*sealed("person"))
        .order_by("person__name_initials", "id")
    )


def _results(training_class: TrainingClass) -> tuple[Collection[UUID], Collection[UUID]]:
    last = Exam.objects.filter(training_class=training_class).order_by("-attempt").first()
    passed, in_last_exam = set(), set()
    results = ExamResult.objects.filter(exam__training_class=training_class)
    for exam_id, enrolment_id, outcome in results.values_list("exam_id", "enrolment_id", "outcome"):
        if outcome == ExamResult.Outcome.PASSED:
            passed.add(enrolment_id)
        if last and exam_id == last.pk:
            in_last_exam.add(enrolment_id)
    return passed, in_last_exam


@transaction.atomic
def close(training_class: TrainingClass, *, by: User, at: datetime) -> Closing:
    """Close the class: decide everybody, certify the completed, plan their follow-up.

    :raises WrongStatus: unless the class is in progress
    :raises SessionsNotOver: with how many
    :raises ResultsMissing: naming the enrolments
    """
    classes.LIFECYCLE.lock(training_class, "close")
    found = preview(training_class, at=at)
    if found.sessions_open:
        raise SessionsNotOver(sessions=found.sessions_open)
    if found.missing:
        raise ResultsMissing(enrolment_ids=[str(each.enrolment.pk) for each in found.missing])
    completed = _apply(found.decisions, by=by, at=at)
    _end_waiting(training_class, by=by, at=at)
    issued = certificates.issue(completed, by=by, at=at)
    follow_ups.plan(completed, by=by, at=at)
    classes.LIFECYCLE.move(training_class, "close", by=by, at=at, closed_at=at)
    return Closing(training_class, found.decisions, issued)


def _apply(decisions: Sequence[Decision], *, by: User, at: datetime) -> list[Enrolment]:
    """Move everybody to their outcome, in a few statements; return the completed in order."""
    for outcome, reason in sorted(set(map(_group, decisions))):
        group = [each.enrolment for each in decisions if _group(each) == (outcome, reason)]
        rows = Enrolment.objects.filter(pk__in=[each.pk for each in group])
        enrolments.LIFECYCLE.move_all(
            rows.select_related("training_class"),
            VERBS[Enrolment.Status(outcome)],
            by=by,
            at=at,
            ended_at=at,
            reason=reason,
        )
        if outcome != COMPLETED:
            told = ((each.person_id, each) for each in group)
            notices.tell_each(told, "class_not_completed", at=at, reason=reason)
    completed = []
    for each in decisions:
        each.enrolment.final_rate = _six_decimals(each.rate.rate)
        each.enrolment.attendance_policy_id = each.rate.policy_id
        each.enrolment.status = each.outcome
        each.enrolment.ended_at = at
        if each.outcome == COMPLETED:
            completed.append(each.enrolment)
    Enrolment.objects.bulk_update(
        [each.enrolment for each in decisions], ["final_rate", "attendance_policy_id"]
    )
    return completed


def _end_waiting(training_class: TrainingClass, *, by: User, at: datetime) -> None:
    """End the places that nobody took up: a closed class keeps no one waiting."""
    rows = Enrolment.objects.filter(training_class=training_class).select_related("training_class")
    for verb in ("reject", "lapse"):
        ended = enrolments.LIFECYCLE.move_all(
            rows, verb, by=by, at=at, ended_at=at, reason=CLASS_CLOSED, offer_expires_at=None
        )
        seats.tell(ended, training_class, by=by, at=at)


def _group(decision: Decision) -> tuple[str, str]:
    return decision.outcome, decision.reason


def _six_decimals(rate: Fraction | None) -> Decimal | None:
    # Cut off, not rounded: a rate just below the threshold must not look as if it had reached it.
    return None if rate is None else Decimal(int(rate * 1_000_000)) / 1_000_000
