"""Exams: when a class is examined, who may sit, and what they scored."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal, policies
from people.days import local_day
from people.models import User
from people.refusals import IdTaken, Refusal, require_status
from training import attendance_rates
from training.models import Enrolment, Exam, ExamResult, TrainingClass

PASSED, FAILED, ABSENT = (
    ExamResult.Outcome.PASSED,
    ExamResult.Outcome.FAILED,
    ExamResult.Outcome.ABSENT,
)


class AttemptsUsedUp(Refusal):
    code = "attempts_used_up"
    title = _("This class has no further attempt at the exam.")


class ExamOutOfOrder(Refusal):
    code = "exam_out_of_order"
    title = _("An exam is held after the class begins, and a resit not before the exam.")


class ExamNotHeldYet(Refusal):
    code = "exam_not_held_yet"
    title = _("Results can be entered from the day of the exam on.")


class NotAdmitted(Refusal):
    code = "not_admitted"
    title = _("Only those who are admitted to the class can have a result.")


class AttendanceTooLow(Refusal):
    code = "attendance_too_low"
    title = _("Whoever attended too little may not sit the exam.")


class NotForResit(Refusal):
    code = "not_for_resit"
    title = _("A resit is for those who failed the exam before or were absent from it.")


class ResitRecorded(Refusal):
    code = "resit_recorded"
    title = _("A result stays as it is once the resit after it has one.")


@dataclass(frozen=True)
class Mark:
    """What one person scored, in points of 100; ``None`` is absent."""

    enrolment_id: UUID
    score: Decimal | None


@transaction.atomic
def schedule(
    training_class: TrainingClass,
    *,
    held_on: date,
    name: str,
    by: User,
    at: datetime,
    id: UUID | None = None,  # noqa: A002  # the client's name for the row
) -> Exam:
    """Set the day of the next attempt; the pass mark of that day's policy goes with it.

    :raises WrongStatus: unless the class is in progress
    :raises IdTaken: if an exam has the id
    :raises AttemptsUsedUp: if the policy gives no further attempt
    :raises ExamOutOfOrder: before the class begins or before the previous attempt
    """
    _lock_in_progress(training_class)
    if id and Exam.objects.filter(pk=id).exists():
        raise IdTaken(id=str(id))
    governing = policies.governing(policies.ExamRules, training_class.region_id, held_on)
    previous = training_class.exams.order_by("-attempt").first()
    attempt = previous.attempt + 1 if previous else 1
    if attempt > governing.rules.attempts:
        raise AttemptsUsedUp(attempts=governing.rules.attempts)
    earliest = previous.held_on if previous else training_class.starts_on
    if held_on < earliest:
        raise ExamOutOfOrder(earliest=str(earliest))
    given = {"id": id} if id else {}
    exam = Exam.objects.create(
        **given,
        training_class=training_class,
        attempt=attempt,
        held_on=held_on,
        name=name,
        pass_mark=governing.rules.pass_mark,
        policy_id=governing.policy_id,
        created_by=by,
        created_at=at,
    )
    journal.record("exam.schedule", exam, by=by, at=at, attempt=attempt, held_on=str(held_on))
    return exam


@transaction.atomic
def record_results(
    exam: Exam, marks: Iterable[Mark], *, by: User, at: datetime
) -> list[ExamResult]:
    """Enter or change what these people scored; others keep theirs. All of it or nothing.

    :raises WrongStatus: unless the class is in progress
    :raises ExamNotHeldYet: before the day of the exam
    :raises NotAdmitted: naming those who are not admitted to the class
    :raises AttendanceTooLow: naming those who attended too little, with their rates
    :raises NotForResit: naming those who passed before or have no result before
    :raises ResitRecorded: naming those whose later attempt has a result
    """
    _lock_in_progress(exam.training_class)
    if exam.held_on > local_day(at):
        raise ExamNotHeldYet(held_on=str(exam.held_on))
    by_enrolment = {mark.enrolment_id: mark for mark in marks}
    _refuse_strangers(exam, by_enrolment)
    _refuse_low_attendance(exam, by_enrolment.values(), at=at)
    earlier = _results_of(exam, by_enrolment)
    _refuse_out_of_turn(exam, by_enrolment, earlier)
    before = {
        enrolment_id: outcome
        for (attempt, enrolment_id), outcome in earlier.items()
        if attempt == exam.attempt
    }
    rows = [_result(exam, mark, by=by, at=at) for mark in by_enrolment.values()]
    ExamResult.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["exam", "enrolment"],
        update_fields=["score", "outcome", "recorded_by", "recorded_at"],
    )
    changed = {
        str(row.enrolment_id): [before.get(row.enrolment_id), row.outcome]
        for row in rows
        if before.get(row.enrolment_id) != row.outcome
    }
    journal.record("exam.record_results", exam, by=by, at=at, entered=len(rows), changed=changed)
    return rows


def _lock_in_progress(training_class: TrainingClass) -> None:
    # The class, not the exam: closing it and entering results queue here.
    training_class.refresh_from_db(from_queryset=TrainingClass.objects.select_for_update())
    require_status(training_class.status, [TrainingClass.Status.IN_PROGRESS])


def _refuse_strangers(exam: Exam, enrolment_ids: Collection[UUID]) -> None:
    admitted = set(
        Enrolment.objects.filter(
            training_class=exam.training_class_id,
            status=Enrolment.Status.ADMITTED,
            pk__in=enrolment_ids,
        ).values_list("pk", flat=True)
    )
    if strangers := sorted(str(pk) for pk in enrolment_ids if pk not in admitted):
        raise NotAdmitted(enrolment_ids=strangers)


def _refuse_low_attendance(exam: Exam, marks: Iterable[Mark], *, at: datetime) -> None:
    rates = attendance_rates.rates_of(exam.training_class, at=at)
    low = [
        {
            "enrolment_id": str(mark.enrolment_id),
            "rate": attendance_rates.shown(rates[mark.enrolment_id].rate),
            "required_rate": attendance_rates.shown(rates[mark.enrolment_id].required_rate),
        }
        for mark in marks
        if mark.score is not None and not reached(rates[mark.enrolment_id])
    ]
    if low:
        raise AttendanceTooLow(enrolments=low)


def reached(rate: attendance_rates.Rate) -> bool:
    """Tell whether the rate of a whole class is high enough; without sessions there is none."""
    return rate.rate is not None and rate.rate >= rate.required_rate


def _results_of(exam: Exam, enrolment_ids: Collection[UUID]) -> dict[tuple[int, UUID], str]:
    rows = ExamResult.objects.filter(
        exam__training_class=exam.training_class_id, enrolment__in=enrolment_ids
    )
    return {
        (attempt, enrolment_id): outcome
        for attempt, enrolment_id, outcome in rows.values_list(
            "exam__attempt", "enrolment_id", "outcome"
        )
    }


def _refuse_out_of_turn(
    exam: Exam, enrolment_ids: Iterable[UUID], results: dict[tuple[int, UUID], str]
) -> None:
    settled, out_of_turn = [], []
    for pk in enrolment_ids:
        if (exam.attempt + 1, pk) in results:
            settled.append(str(pk))
        # Whoever failed attempt n-1 had to fail all those before it to sit it.
        if exam.attempt > 1 and results.get((exam.attempt - 1, pk)) not in {FAILED, ABSENT}:
            out_of_turn.append(str(pk))
    if out_of_turn:
        raise NotForResit(enrolment_ids=sorted(out_of_turn))
    if settled:
        raise ResitRecorded(enrolment_ids=sorted(settled))


def _result(exam: Exam, mark: Mark, *, by: User, at: datetime) -> ExamResult:
    outcome = ABSENT
    if mark.score is not None:
        outcome = PASSED if mark.score >= exam.pass_mark else FAILED
    return ExamResult(
        exam=exam,
        enrolment_id=mark.enrolment_id,
        score=mark.score,
        outcome=outcome,
        recorded_by=by,
        recorded_at=at,
    )
