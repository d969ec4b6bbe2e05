"""The guards of the database: impossible orders of events, with every verb bypassed."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations import RunPython
from django.utils import timezone

from people import journal
from people.guards import lifted
from people.models import JournalEntry, User
from tests import factories
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    Certificate,
    Enrolment,
    Exam,
    ExamResult,
    TrainingClass,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def running() -> TrainingClass:
    return factories.training_class("in_progress")


def refused_by(guard: str) -> Any:
    """Expect the database to refuse, naming the guard, in a savepoint of its own."""
    return pytest.raises(IntegrityError, match=guard)


def event(enrolment: Enrolment, **given: Any) -> AttendanceEvent:
    at = timezone.now()
    values = {
        "id": uuid.uuid4(),
        "session": factories.session(enrolment.training_class),
        "enrolment": enrolment,
        "by": enrolment.created_by,
        "kind": "in",
        "mode": "rotating_code",
        "verdict": "accepted",
        "happened_at": at,
        "captured_at": at,
        "received_at": at,
    }
    return AttendanceEvent(**(values | given))


def record(enrolment: Enrolment, **given: Any) -> AttendanceRecord:
    values = {
        "session": factories.session(enrolment.training_class),
        "enrolment": enrolment,
        "status": "present",
        "original_status": "present",
        "updated_at": timezone.now(),
    }
    return AttendanceRecord(**(values | given))


def exam_result(enrolment: Enrolment, outcome: str = "passed") -> ExamResult:
    by = enrolment.created_by
    exam = Exam.objects.create(
        training_class=enrolment.training_class,
        attempt=1,
        held_on=factories.day(),
        name="结业考核",
        pass_mark=60,
        created_by=by,
        created_at=timezone.now(),
    )
    score = 80 if outcome == "passed" else 20
    return ExamResult(
        exam=exam,
        enrolment=enrolment,
        score=score,
        outcome=outcome,
        recorded_by=by,
        recorded_at=timezone.now(),
    )


def certificate(enrolment: Enrolment, **given: Any) -> Certificate:
    values: dict[str, Any] = {
        "enrolment": enrolment,
        "serial": uuid.uuid4().hex,
        "code": uuid.uuid4().hex,
        "issued_on": factories.day(),
        "status_since": timezone.now(),
    }
    known = {field.name for field in Certificate._meta.fields}
    told = {
        "person_name": "张样例",
        "id_number_masked": "430***********0000",
        "programme_name": "测试课程",
        "occupation_name": "测试工种",
        "level": "junior",
        "hours": 4,
        "started_on": factories.day(-5),
        "ended_on": factories.day(),
        "institution_name": "测试单位",
    }
    values |= {name: value for name, value in told.items() if name in known}
    return Certificate(**(values | given))


NEVER_APPROVED = ["draft", "enrolling", "filed", "returned", "cancelled"]


@pytest.mark.parametrize("state", NEVER_APPROVED)
def test_no_accepted_punch_before_approval(state: str) -> None:
    enrolment = factories.enrolment(factories.training_class(state))

    with refused_by("event_accepted_only_after_approval"), transaction.atomic():
        event(enrolment).save(force_insert=True)


@pytest.mark.parametrize("state", NEVER_APPROVED)
def test_refused_punch_is_kept_whatever_the_class(state: str) -> None:
    enrolment = factories.enrolment(factories.training_class(state))

    event(enrolment, verdict="refused", reason="class_not_approved").save(force_insert=True)

    assert AttendanceEvent.objects.count() == 1


@pytest.mark.parametrize("state", NEVER_APPROVED)
def test_no_record_before_approval(state: str) -> None:
    enrolment = factories.enrolment(factories.training_class(state))

    with refused_by("record_only_after_approval"), transaction.atomic():
        record(enrolment).save(force_insert=True)
    with refused_by("record_only_after_approval"), transaction.atomic():
        AttendanceRecord.objects.bulk_create([record(enrolment)])


def test_no_record_moves_to_a_class_before_approval(running: TrainingClass) -> None:
    kept = record(factories.enrolment(running))
    kept.save(force_insert=True)
    planned = factories.session(factories.training_class("filed"))

    with refused_by("record_only_after_approval"), transaction.atomic():
        AttendanceRecord.objects.filter(pk=kept.pk).update(session=planned)


@pytest.mark.parametrize("state", ["approved", "in_progress", "suspended", "closed"])
def test_after_approval_both_are_kept(state: str) -> None:
    enrolment = factories.enrolment(factories.training_class(state))

    event(enrolment).save(force_insert=True)
    record(enrolment).save(force_insert=True)

    assert AttendanceRecord.objects.count() == AttendanceEvent.objects.count() == 1


@pytest.mark.parametrize("status", ["completed", "failed", "no_show"])
@pytest.mark.parametrize("state", ["enrolling", "filed", "approved"])
def test_nobody_is_decided_before_the_class_starts(state: str, status: str) -> None:
    enrolment = factories.enrolment(factories.training_class(state))
    guard = "enrolment_decided_only_after_class_start"

    with refused_by(guard), transaction.atomic():
        Enrolment.objects.filter(pk=enrolment.pk).update(status=status)
    with refused_by(guard), transaction.atomic():
        factories.enrolment(enrolment.training_class, status=status)


@pytest.mark.parametrize("status", ["completed", "failed", "no_show"])
def test_after_the_start_everybody_can_be_decided(running: TrainingClass, status: str) -> None:
    enrolment = factories.enrolment(running)

    assert Enrolment.objects.filter(pk=enrolment.pk).update(status=status) == 1


@pytest.mark.parametrize("status", ["admitted", "failed"])
def test_no_certificate_without_completion(running: TrainingClass, status: str) -> None:
    enrolment = factories.enrolment(running, status=status)
    exam_result(enrolment).save(force_insert=True)

    with refused_by("certificate_only_after_passing"), transaction.atomic():
        certificate(enrolment).save(force_insert=True)


def test_no_certificate_without_a_passed_exam(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running, status="completed")

    with refused_by("certificate_only_after_passing"), transaction.atomic():
        certificate(enrolment).save(force_insert=True)
    exam_result(enrolment, "failed").save(force_insert=True)
    with refused_by("certificate_only_after_passing"), transaction.atomic():
        certificate(enrolment).save(force_insert=True)


def test_certificate_whose_ground_is_gone_is_revoked_for_good(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running, status="completed")
    passed = exam_result(enrolment)
    passed.save(force_insert=True)
    issued = certificate(enrolment)
    issued.save(force_insert=True)
    ExamResult.objects.filter(pk=passed.pk).update(outcome="failed")

    Certificate.objects.filter(pk=issued.pk).update(status="revoked")

    with refused_by("certificate_valid_only_after_passing"), transaction.atomic():
        Certificate.objects.filter(pk=issued.pk).update(status="valid")


@pytest.mark.parametrize("status", ["applied", "waitlisted", "rejected", "withdrawn", "dropped"])
def test_nobody_passes_without_being_admitted(running: TrainingClass, status: str) -> None:
    enrolment = factories.enrolment(running, status=status)
    result = exam_result(enrolment)

    with refused_by("result_passed_only_by_the_admitted"), transaction.atomic():
        result.save(force_insert=True)
    result.outcome = "failed"
    result.save(force_insert=True)
    with refused_by("result_passed_only_by_the_admitted"), transaction.atomic():
        ExamResult.objects.filter(pk=result.pk).update(outcome="passed")


def test_punch_is_never_changed(running: TrainingClass) -> None:
    kept = event(factories.enrolment(running))
    kept.save(force_insert=True)

    with refused_by("event_is_never_changed"), transaction.atomic():
        AttendanceEvent.objects.filter(pk=kept.pk).update(verdict="refused", reason="wrong_code")
    with refused_by("event_is_never_changed"), transaction.atomic():
        kept.save()


def test_journal_is_never_changed(officer: User) -> None:
    journal.record("test.write", officer, by=officer, at=timezone.now())

    with refused_by("journal_is_never_changed"), transaction.atomic():
        JournalEntry.objects.filter(verb="test.write").update(verb="test.forge")


def test_punches_and_journal_are_never_deleted(running: TrainingClass, officer: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite guards changes only: emptying a test database deletes row by row")
    event(factories.enrolment(running)).save(force_insert=True)
    journal.record("test.write", officer, by=officer, at=timezone.now())

    with refused_by("event_is_never_changed"), transaction.atomic():
        AttendanceEvent.objects.all().delete()
    with refused_by("journal_is_never_changed"), transaction.atomic():
        JournalEntry.objects.all().delete()


GUARDS = {
    "event_accepted_only_after_approval",
    "record_only_after_approval",
    "certificate_only_after_passing",
    "certificate_valid_only_after_passing",
    "enrolment_decided_only_after_class_start",
    "result_passed_only_by_the_admitted",
    "event_is_never_changed",
    "journal_is_never_changed",
}


def standing() -> set[str]:
    catalogue = {
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        names = {name for (name,) in cursor.fetchall()}
    return {name.removesuffix("_insert").removesuffix("_update") for name in names}


def test_every_guard_stands_after_all_migrations() -> None:
    """A migration that rebuilds a table on SQLite loses its triggers without a word."""
    assert standing() >= GUARDS


def test_guards_are_away_while_sqlite_rebuilds_and_stand_again_after() -> None:
    class Editor:
        def __init__(self) -> None:
            self.connection = connection

        def execute(self, sql: str, params: None = None) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql)

    meanwhile: list[set[str]] = []
    before = standing()

    for operation in lifted(RunPython(lambda _apps, _editor: meanwhile.append(standing()))):
        operation.code(None, Editor())

    assert meanwhile == [set() if connection.vendor == "sqlite" else before]
    assert standing() == before
