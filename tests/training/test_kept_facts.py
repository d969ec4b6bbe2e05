"""What the database keeps as it was, and whose it is, with every verb bypassed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from people import policies
from people.models import Policy, User
from people.policies import AttendanceRules
from tests import factories
from tests.training.raw_rows import certificate, event, exam_result, record, refused_by
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    Certificate,
    ClassFiling,
    ClassSession,
    ContactAttempt,
    Enrolment,
    Exam,
    ExamResult,
    OutcomeObservation,
    TrainingClass,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def running() -> TrainingClass:
    return factories.training_class("in_progress")


@pytest.fixture
def certified(running: TrainingClass) -> Enrolment:
    """Somebody who completed the class, passed, and holds a valid certificate."""
    enrolment = factories.enrolment(running, status="completed")
    exam_result(enrolment).save(force_insert=True)
    certificate(enrolment).save(force_insert=True)
    return enrolment


def refuse(guard: str, rows: Any, **changes: Any) -> None:
    assert rows.exists()
    with refused_by(guard), transaction.atomic():
        rows.update(**changes)


# -- the class ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["approved", "in_progress", "suspended", "closed"])
@pytest.mark.parametrize("mark", ["filed_at", "filed_by", "approved_at", "approved_by"])
def test_no_class_runs_that_nobody_filed_and_approved(state: str, mark: str) -> None:
    with refused_by("class_(runs|starts)_only_after_approval"), transaction.atomic():
        factories.training_class(state, **{mark: None})


@pytest.mark.parametrize("state", ["draft", "enrolling", "filed", "returned"])
def test_no_class_is_planned_again_after_approval(state: str) -> None:
    with refused_by("class_once_approved_is_not_planned_again"), transaction.atomic():
        factories.training_class(state, approved_at=timezone.now())


def test_no_class_starts_before_approval() -> None:
    now = timezone.now()

    with refused_by("class_starts_only_after_approval"), transaction.atomic():
        factories.training_class("in_progress", approved_at=now, started_at=now - HOUR)


@pytest.mark.parametrize(
    ("state", "closed_at"),
    [
        ("closed", None),
        ("closed", timezone.now() - timedelta(days=400)),
        ("in_progress", timezone.now()),
        ("draft", timezone.now()),
    ],
)
def test_a_class_is_closed_at_a_moment_after_its_start(state: str, closed_at: Any) -> None:
    with refused_by("class_closed_at_a_moment_after_start"), transaction.atomic():
        factories.training_class(state, closed_at=closed_at)


def test_a_class_that_started_is_not_cancelled(running: TrainingClass) -> None:
    rows = TrainingClass.objects.filter(pk=running.pk)

    refuse("class_cancelled_never_started", rows, status="cancelled")


@pytest.mark.parametrize("mark", ["approved_at", "started_at", "closed_at"])
@pytest.mark.parametrize("value", [None, timezone.now() + HOUR])
def test_a_class_keeps_its_approval_its_start_and_its_end(mark: str, value: Any) -> None:
    rows = TrainingClass.objects.filter(pk=factories.training_class("closed").pk)

    refuse("class_keeps_its_approval_start_and_end", rows, **{mark: value})


def test_a_class_may_be_rewritten_as_it_is() -> None:
    for state in ("draft", "approved", "closed"):
        factories.training_class(state).save()


# -- attendance -----------------------------------------------------------------------------------


def test_no_accepted_punch_of_a_moment_before_approval() -> None:
    at = timezone.now() - HOUR
    enrolment = factories.enrolment(factories.training_class("approved", approved_at=at))

    with refused_by("event_accepted_only_after_approval"), transaction.atomic():
        event(enrolment, happened_at=at - timedelta(seconds=1)).save(force_insert=True)
    event(enrolment, happened_at=at).save(force_insert=True)


def test_no_accepted_punch_in_a_cancelled_class() -> None:
    marks = {"filed_at": timezone.now(), "approved_at": timezone.now()}
    enrolment = factories.enrolment(factories.training_class("cancelled", **marks))

    with refused_by("event_accepted_only_after_approval"), transaction.atomic():
        event(enrolment).save(force_insert=True)


def test_no_accepted_punch_without_an_enrolment_of_the_class(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running)
    elsewhere = factories.session(factories.training_class("in_progress"))

    with refused_by("event_accepted_is_of_the_class"), transaction.atomic():
        event(enrolment, session=elsewhere).save(force_insert=True)
    nobodys = event(enrolment)
    nobodys.enrolment = None
    with refused_by("event_accepted_is_of_the_class"), transaction.atomic():
        nobodys.save(force_insert=True)
    nobodys.verdict, nobodys.reason = "refused", "not_enrolled"
    nobodys.save(force_insert=True)

    assert AttendanceEvent.objects.count() == 1


def test_no_record_of_another_class(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running)
    elsewhere = factories.session(factories.training_class("in_progress"))

    with refused_by("record_is_of_the_class"), transaction.atomic():
        record(enrolment, session=elsewhere).save(force_insert=True)
    record(enrolment).save(force_insert=True)
    refuse("record_is_of_the_class", AttendanceRecord.objects.all(), session=elsewhere)


def test_nothing_moves_to_another_class(certified: Enrolment) -> None:
    record(certified).save(force_insert=True)
    other = factories.training_class("in_progress")

    refuse("session_stays_in_its_class", ClassSession.objects.all(), training_class=other)
    refuse("enrolment_stays_in_its_class", Enrolment.objects.all(), training_class=other)
    refuse("exam_stays_in_its_class", Exam.objects.all(), training_class=other)


def test_nobody_leaves_before_coming(running: TrainingClass) -> None:
    now = timezone.now()

    with refused_by("record_leaves_after_coming"), transaction.atomic():
        record(factories.enrolment(running), in_at=now, out_at=now - HOUR).save(force_insert=True)


def test_absence_earns_nothing(running: TrainingClass) -> None:
    absent = record(factories.enrolment(running), status="absent", credited_minutes=1)

    with refused_by("record_absent_earns_nothing"), transaction.atomic():
        absent.save(force_insert=True)


# -- what came of it ------------------------------------------------------------------------------


def test_no_result_in_the_exam_of_another_class(running: TrainingClass) -> None:
    other = exam_result(factories.enrolment(factories.training_class("in_progress")))
    result = exam_result(factories.enrolment(running), "failed")
    result.exam = other.exam

    with refused_by("result_is_of_the_class"), transaction.atomic():
        result.save(force_insert=True)


@pytest.mark.parametrize("status", ["withdrawn", "failed", "admitted"])
def test_whoever_holds_a_certificate_stays_completed(certified: Enrolment, status: str) -> None:
    rows = Enrolment.objects.filter(pk=certified.pk)
    refuse("enrolment_certified_stays_completed", rows, status=status)

    Certificate.objects.update(status="revoked")

    assert rows.update(status=status) == 1


def test_what_was_passed_stays_while_it_is_certified(certified: Enrolment) -> None:
    refuse("result_certified_is_kept", ExamResult.objects.all(), outcome="failed")
    assert ExamResult.objects.update(score=90) == 1
    Certificate.objects.update(status="revoked")

    assert ExamResult.objects.update(outcome="failed") == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("serial", "PX-0"),
        ("code", "X"),
        ("person_name", "张冒名"),
        ("id_number_masked", "430***********0001"),
        ("issued_on", factories.day(1)),
        ("expires_on", factories.day(1)),
        ("hours", 400),
        ("institution_name", "别的单位"),
    ],
)
def test_a_certificate_keeps_what_it_says(certified: Enrolment, member: str, value: Any) -> None:
    refuse("certificate_keeps_what_it_says", Certificate.objects.all(), **{member: value})


def test_a_certificate_stays_whose_it_is(certified: Enrolment) -> None:
    other = factories.enrolment(certified.training_class, status="completed")
    rows = Certificate.objects.all()
    rows.update(status="revoked", reason="样例", status_since=timezone.now())

    refuse("certificate_keeps_what_it_says", rows, enrolment=other)


# -- evidence -------------------------------------------------------------------------------------


def test_what_was_filed_and_learnt_is_never_changed(officer: User) -> None:
    task = factories.follow_up()
    told = {"task": task, "by": officer, "at": timezone.now()}
    ContactAttempt.objects.create(channel="phone", result="reached", **told)
    OutcomeObservation.objects.create(
        source="officer", situation="seeking", as_of=factories.day(), grade=2, **told
    )

    refuse("filing_is_never_changed", ClassFiling.objects.all(), roster=[{}])
    refuse("attempt_is_never_changed", ContactAttempt.objects.all(), result="no_answer")
    refuse("observation_is_never_changed", OutcomeObservation.objects.all(), grade=4)


def test_a_published_rule_is_never_changed(officer: User) -> None:
    Policy.objects.create(
        kind=AttendanceRules.kind,
        region=factories.region(),
        depth=3,
        effective_from=factories.day(),
        values=policies.dump(AttendanceRules()),
        basis="测试文件",
        approved_by=officer,
        published_at=timezone.now(),
    )

    refuse("policy_is_never_changed", Policy.objects.all(), values={})
    refuse("policy_is_never_changed", Policy.objects.all(), effective_to=factories.day(9))


def test_evidence_is_never_deleted(certified: Enrolment) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite guards changes only: emptying a test database deletes row by row")
    for rows in (ClassFiling.objects.all(), Certificate.objects.all(), ExamResult.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows._raw_delete(using="default")
    Certificate.objects.update(status="revoked")

    ExamResult.objects.all().delete()

    assert not ExamResult.objects.exists()
