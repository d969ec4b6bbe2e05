"""Closing a class: the decision table drawn by hand, all of it or nothing, and what follows."""

from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils import timezone

from people.models import JournalEntry, Notice
from people.refusals import WrongStatus
from tests import factories
from training import certificates, closings
from training.closings import Known
from training.models import Certificate, Enrolment, FollowUpTask

pytestmark = pytest.mark.django_db

# reached the rate | ever came | passed an exam | has a result in the last one -> outcome, reason
DECISIONS = """
reached came passed last   completed  -
reached came passed -      completed  -
reached came -      last   failed     exam_failed
reached came -      -      -          result_missing
reached -    passed last   completed  -
reached -    passed -      completed  -
reached -    -      last   no_show    never_came
reached -    -      -      no_show    never_came
-       came passed last   failed     low_attendance
-       came passed -      failed     low_attendance
-       came -      last   failed     low_attendance
-       came -      -      failed     low_attendance
-       -    passed last   failed     low_attendance
-       -    passed -      failed     low_attendance
-       -    -      last   no_show    never_came
-       -    -      -      no_show    never_came
"""


@pytest.mark.parametrize("line", DECISIONS.split("\n")[1:-1])
def test_the_decision_table(line):
    *known, outcome, reason = line.split()

    decided = closings.decide(Known(*(word != "-" for word in known)))

    assert decided == (outcome.replace("-", ""), reason.replace("-", ""))


@pytest.fixture
def over(institution):
    return factories.over_class(institution=institution)


def somebody(over, status="present", minutes=None):
    enrolment = factories.enrolment(over)
    if status:
        factories.attended(over.sessions.get(), enrolment, status, minutes)
    return enrolment


def close(over, by):
    return closings.close(over, by=by, at=timezone.now())


def test_everybody_gets_an_outcome_with_the_rate_and_the_reason(over, institution_admin):
    exam = factories.exam(over)
    passed, failed = somebody(over), somebody(over)
    factories.result(exam, passed, "60")
    factories.result(exam, failed, "59")
    rarely_came, never_came = somebody(over, "late", 100), somebody(over, "absent")
    on_leave, waiting = somebody(over, "on_leave"), factories.enrolment(over, status="waitlisted")
    dropped = factories.enrolment(over, status="dropped")

    close(over, institution_admin)

    found = {
        row.pk: (row.status, row.reason, row.final_rate)
        for row in Enrolment.objects.filter(training_class=over)
    }
    assert found == {
        passed.pk: ("completed", "", Decimal("1.000000")),
        failed.pk: ("failed", "exam_failed", Decimal("1.000000")),
        rarely_came.pk: ("failed", "low_attendance", Decimal("0.555555")),
        never_came.pk: ("no_show", "never_came", Decimal(0)),
        on_leave.pk: ("no_show", "never_came", Decimal(0)),
        waiting.pk: ("rejected", "class_closed", None),
        dropped.pk: ("dropped", "", None),
    }
    over.refresh_from_db()
    assert over.status == "closed"
    assert over.closed_at is not None


def test_the_completed_get_a_certificate_questions_and_a_notice(over, institution_admin):
    exam = factories.exam(over)
    passed, failed = somebody(over), somebody(over)
    factories.result(exam, passed)
    factories.result(exam, failed, None)

    close(over, institution_admin)

    certificate = Certificate.objects.get()
    assert certificate.enrolment == passed
    tasks = FollowUpTask.objects.filter(enrolment=passed).order_by("due_on")
    assert [(task.checkpoint, task.status) for task in tasks] == [
        ("D7", "open"),
        ("D30", "scheduled"),
        ("D60", "scheduled"),
        ("D90", "scheduled"),
        ("D180", "scheduled"),
        ("D365", "scheduled"),
    ]
    assert not FollowUpTask.objects.filter(enrolment=failed).exists()
    told = {(n.person_id, n.code) for n in Notice.objects.all()}
    assert told == {
        (passed.person_id, "certificate_issued"),
        (passed.person_id, "follow_up_open"),
        (failed.person_id, "class_not_completed"),
    }


def test_who_still_waited_is_told_that_they_have_no_place(over, institution_admin):
    waiting = factories.enrolment(over, status="waitlisted")
    offered = factories.enrolment(over, status="offered")

    close(over, institution_admin)

    told = {(n.person_id, n.code) for n in Notice.objects.all()}
    assert told == {
        (waiting.person_id, "enrolment.rejected"),
        (offered.person_id, "enrolment.lapsed"),
    }


def test_every_decision_is_on_record(over, institution_admin):
    exam = factories.exam(over)
    factories.result(exam, somebody(over))
    factories.result(exam, somebody(over), None)
    somebody(over, None)

    close(over, institution_admin)

    verbs = set(JournalEntry.objects.values_list("verb", flat=True))
    assert {
        "enrolment.complete",
        "enrolment.fail",
        "enrolment.no_show",
        "certificate.issue",
        "followuptask.plan",
        "trainingclass.close",
    } <= verbs


def test_open_sessions_hold_it_up(over, institution_admin):
    factories.session(over, factories.moment(factories.day(-1)))
    factories.session(over, factories.moment(factories.day(-1), "13:00"), status="cancelled")

    with pytest.raises(closings.SessionsNotOver) as refused:
        close(over, institution_admin)

    assert refused.value.facts == {"sessions": 1}


def test_missing_results_hold_it_up_and_nothing_is_half_done(over, institution_admin):
    first = factories.exam(over)
    done, failed_once = somebody(over), somebody(over)
    factories.result(first, done)
    factories.result(first, failed_once, "10")
    factories.exam(over, 2)

    with pytest.raises(closings.ResultsMissing) as refused:
        close(over, institution_admin)

    assert refused.value.facts == {"enrolment_ids": [str(failed_once.pk)]}
    assert set(over.enrolments.values_list("status", flat=True)) == {"admitted"}
    assert not Certificate.objects.exists()


def test_no_exam_no_closing(over, institution_admin):
    somebody(over)

    with pytest.raises(closings.ResultsMissing):
        close(over, institution_admin)

    assert not Certificate.objects.exists()


def test_a_failure_at_the_end_takes_everything_back(over, institution_admin, monkeypatch):
    factories.result(factories.exam(over), somebody(over))

    def fail(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(closings.follow_ups, "plan", fail)
    with pytest.raises(IntegrityError):
        close(over, institution_admin)

    over.refresh_from_db()
    assert over.status == "in_progress"
    assert set(over.enrolments.values_list("status", flat=True)) == {"admitted"}
    assert not Certificate.objects.exists()


def test_twice_is_refused(over, institution_admin):
    close(over, institution_admin)

    with pytest.raises(WrongStatus):
        close(over, institution_admin)


@pytest.mark.parametrize("state", ["draft", "enrolling", "filed", "approved", "suspended"])
def test_only_a_class_in_progress_is_closed(state, institution_admin):
    with pytest.raises(WrongStatus):
        close(factories.training_class(state), institution_admin)


def test_the_preview_says_what_closing_then_does(over, institution_admin):
    factories.result(factories.exam(over), somebody(over))
    somebody(over, "absent")
    factories.enrolment(over)

    before = closings.preview(over, at=timezone.now())
    could_close = before.can_close
    after = close(over, institution_admin)

    assert could_close
    assert [(d.enrolment.pk, d.outcome) for d in before.decisions] == [
        (d.enrolment.pk, d.outcome) for d in after.decisions
    ]


def test_a_name_that_cannot_be_drawn_is_reported_and_certified(over, institution_admin):
    enrolment = factories.enrolment(over, factories.person(name="测\U0003ffff"))
    factories.attended(over.sessions.get(), enrolment)
    factories.result(factories.exam(over), enrolment)

    closing = close(over, institution_admin)

    assert closing.decisions[0].undrawable == ("U+3FFFF",)
    with pytest.raises(certificates.UndrawableCertificate) as refused:
        certificates.face(Certificate.objects.get())
    assert refused.value.facts == {"characters": ["U+3FFFF"]}


def test_as_many_statements_for_thirty_as_for_two(institution, django_assert_max_num_queries):
    counts = []
    for trainees in (2, 30):
        over = factories.over_class(trainees, institution=institution)
        exam = factories.exam(over)
        for enrolment in over.enrolments.all():
            factories.result(exam, enrolment)

        with django_assert_max_num_queries(60) as done:
            close(over, over.created_by)
        counts.append(len(done.captured_queries))

    assert counts[1] - counts[0] <= 4  # SQLite splits long inserts
