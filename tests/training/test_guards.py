"""The guards of the database: impossible orders of events, with every verb bypassed."""

import pytest
from django.db import connection, transaction
from django.db.migrations import RunPython
from django.utils import timezone

from people import journal
from people.guards import lifted
from people.models import JournalEntry, User
from tests import factories
from tests.training.raw_rows import certificate, event, exam_result, record, refused_by
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    Certificate,
    Enrolment,
    ExamResult,
    TrainingClass,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def running() -> TrainingClass:
    return factories.training_class("in_progress")


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


def test_no_certificate_before_the_day_of_the_exam(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running, status="completed")
    exam_result(enrolment).save(force_insert=True)

    with refused_by("certificate_only_after_passing"), transaction.atomic():
        certificate(enrolment, issued_on=factories.day(-1)).save(force_insert=True)


def test_certificate_whose_ground_is_gone_is_revoked_for_good(running: TrainingClass) -> None:
    enrolment = factories.enrolment(running, status="completed")
    passed = exam_result(enrolment)
    passed.save(force_insert=True)
    issued = certificate(enrolment)
    issued.save(force_insert=True)

    Certificate.objects.filter(pk=issued.pk).update(status="revoked")
    ExamResult.objects.filter(pk=passed.pk).update(outcome="failed")

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
    "attempt_is_never_changed",
    "certificate_keeps_what_it_says",
    "certificate_only_after_passing",
    "certificate_valid_only_after_passing",
    "class_keeps_its_approval_start_and_end",
    "enrolment_certified_stays_completed",
    "enrolment_decided_only_after_class_start",
    "enrolment_stays_in_its_class",
    "event_accepted_is_of_the_class",
    "event_accepted_only_after_approval",
    "event_is_never_changed",
    "exam_stays_in_its_class",
    "filing_is_never_changed",
    "journal_is_never_changed",
    "observation_is_never_changed",
    "policy_is_never_changed",
    "record_is_of_the_class",
    "record_only_after_approval",
    "result_certified_is_kept",
    "result_is_of_the_class",
    "result_passed_only_by_the_admitted",
    "session_stays_in_its_class",
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
