"""Exams: how many attempts, who may sit, what passes."""

from decimal import Decimal

import pytest
from django.utils import timezone

from people.models import JournalEntry, Policy
from people.refusals import WrongStatus
from tests import factories
from training import exams
from training.exams import Mark
from training.models import ExamResult

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def policy(region, **values):
    return Policy.objects.create(
        kind="exam",
        region=region,
        depth=3,
        effective_from=factories.day(-400),
        values=values,
        basis="样例",
        approved_by=factories.user(),
        published_at=NOW,
    )


@pytest.fixture
def over(institution):
    return factories.over_class(2, institution=institution)


@pytest.fixture
def people(over):
    return list(over.enrolments.order_by("id"))


@pytest.fixture
def first(over):
    return factories.exam(over)


def enter(exam, by, *pairs):
    marks = [Mark(e.pk, None if s is None else Decimal(s)) for e, s in pairs]
    return exams.record_results(exam, marks, by=by, at=timezone.now())


def test_the_pass_mark_in_force_on_the_day_is_kept_with_the_exam(over, institution_admin):
    ruled = policy(over.region, pass_mark="75.50")

    exam = exams.schedule(
        over, held_on=factories.day(-1), name="考试", by=institution_admin, at=NOW
    )

    assert (exam.attempt, exam.pass_mark, exam.policy_id) == (1, Decimal("75.50"), ruled.pk)


def test_attempts_count_up_to_what_the_policy_gives(over, institution_admin):
    def schedule():
        return exams.schedule(
            over, held_on=factories.day(0), name="考试", by=institution_admin, at=NOW
        )

    assert [schedule().attempt, schedule().attempt] == [1, 2]

    with pytest.raises(exams.AttemptsUsedUp) as refused:
        schedule()

    assert refused.value.facts == {"attempts": 2}


@pytest.mark.parametrize("state", ["draft", "enrolling", "filed", "approved", "closed"])
def test_only_a_class_in_progress_is_examined(state, institution_admin):
    training_class = factories.training_class(state)

    with pytest.raises(WrongStatus):
        exams.schedule(
            training_class,
            held_on=factories.day(60),
            name="考试",
            by=institution_admin,
            at=NOW,
        )


def test_no_exam_before_the_class_and_no_resit_before_the_exam(over, first, institution_admin):
    for training_class, held_on in [
        (factories.training_class("in_progress"), factories.day(-6)),
        (over, factories.day(-2)),
    ]:
        with pytest.raises(exams.ExamOutOfOrder):
            exams.schedule(
                training_class, held_on=held_on, name="考试", by=institution_admin, at=NOW
            )


@pytest.mark.parametrize(
    ("score", "outcome"),
    [("60", "passed"), ("59.99", "failed"), ("0", "failed"), ("100", "passed"), (None, "absent")],
)
def test_a_score_passes_from_the_pass_mark_on(first, people, institution_admin, score, outcome):
    [row] = enter(first, institution_admin, (people[0], score))

    row.refresh_from_db()
    assert row.outcome == outcome


def test_results_are_merged_and_who_changed_what_is_on_record(first, people, institution_admin):
    enter(first, institution_admin, (people[0], "40"), (people[1], "70"))
    enter(first, institution_admin, (people[0], "90"))

    found = dict(ExamResult.objects.values_list("enrolment_id", "outcome"))
    assert found == {people[0].pk: "passed", people[1].pk: "passed"}
    facts = JournalEntry.objects.filter(verb="exam.record_results").order_by("id").last().facts
    assert facts["changed"] == {str(people[0].pk): ["failed", "passed"]}


def test_no_result_before_the_day_of_the_exam(over, people, institution_admin):
    tomorrow = factories.exam(over, held_on=factories.day(1))

    with pytest.raises(exams.ExamNotHeldYet):
        enter(tomorrow, institution_admin, (people[0], "80"))


def test_whoever_attended_too_little_may_not_sit_but_may_be_absent(over, first, institution_admin):
    held = over.sessions.get()
    low = factories.enrolment(over)
    factories.attended(held, low, "left_early", minutes=143)
    enough = factories.enrolment(over)
    factories.attended(held, enough, "left_early", minutes=144)

    with pytest.raises(exams.AttendanceTooLow) as refused:
        enter(first, institution_admin, (low, "100"), (enough, "100"))

    assert refused.value.facts == {
        "enrolments": [{"enrolment_id": str(low.pk), "rate": "0.7944", "required_rate": "0.8000"}]
    }
    assert not ExamResult.objects.exists()
    enter(first, institution_admin, (low, None), (enough, "100"))
    assert ExamResult.objects.count() == 2


def test_only_the_admitted_have_results(over, first, institution_admin):
    dropped = factories.enrolment(over, status="dropped")

    with pytest.raises(exams.NotAdmitted) as refused:
        enter(first, institution_admin, (dropped, "80"))

    assert refused.value.facts == {"enrolment_ids": [str(dropped.pk)]}


def test_a_resit_is_for_those_who_failed_or_were_absent(over, first, people, institution_admin):
    passed, failed = people
    unexamined = factories.enrolment(over)
    factories.attended(over.sessions.get(), unexamined)
    enter(first, institution_admin, (passed, "80"), (failed, "20"))
    resit = factories.exam(over, 2)

    with pytest.raises(exams.NotForResit) as refused:
        enter(resit, institution_admin, (passed, "90"), (failed, "90"), (unexamined, "90"))

    assert refused.value.facts == {"enrolment_ids": sorted([str(passed.pk), str(unexamined.pk)])}
    enter(resit, institution_admin, (failed, "90"))


def test_a_result_is_settled_once_its_resit_has_one(over, first, people, institution_admin):
    enter(first, institution_admin, (people[0], None))
    enter(factories.exam(over, 2), institution_admin, (people[0], "70"))

    with pytest.raises(exams.ResitRecorded):
        enter(first, institution_admin, (people[0], "70"))


def test_as_many_statements_for_thirty_as_for_two(
    institution, institution_admin, django_assert_num_queries
):
    for trainees in (2, 30):
        training_class = factories.over_class(trainees, institution=institution)
        exam = factories.exam(training_class)
        marks = [Mark(e.pk, Decimal(70)) for e in training_class.enrolments.all()]

        with django_assert_num_queries(11):
            exams.record_results(exam, marks, by=institution_admin, at=timezone.now())
