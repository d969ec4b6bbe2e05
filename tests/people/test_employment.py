"""Employment spells: a job from a day to a day at an employer."""

import pytest
from django.utils import timezone

from people import employment
from people.employment import Job
from people.models import EmploymentSpell, JournalEntry
from people.refusals import WrongStatus
from tests import factories

pytestmark = pytest.mark.django_db


def now():
    return timezone.now()


def job(**given) -> Job:
    values = {
        "form": "unit_contract",
        "employer_name": "样例制造厂",
        "starts_on": factories.day(-30),
    }
    return Job(**(values | given))


def report(trainee, **given):
    return employment.report(trainee.person, job(**given), by=trainee, at=now())


def test_a_report_is_unconfirmed_and_on_record(trainee):
    spell = report(trainee)

    assert (spell.status, spell.employer, spell.reported_by) == ("reported", None, trainee)
    assert JournalEntry.objects.get().verb == "employmentspell.report"


def test_the_employer_is_matched_by_its_credit_code(trainee):
    employer = factories.organisation("employer")

    known = report(trainee, employer_credit_code=employer.credit_code)
    unknown = report(
        trainee, employer_name="另一样例厂", employer_credit_code=factories.credit_code(999_999)
    )

    assert (known.employer, unknown.employer) == (employer, None)
    assert known.employer_name == "样例制造厂"


@pytest.mark.parametrize(
    ("starts", "ends", "fine"),
    [(0, None, True), (0, 0, True), (1, None, False), (-5, -6, False), (-5, 1, False)],
)
def test_days(trainee, starts, ends, fine):
    given = {
        "starts_on": factories.day(starts),
        "ends_on": None if ends is None else factories.day(ends),
    }

    if fine:
        report(trainee, **given)
    else:
        with pytest.raises(employment.SpellDatesWrong):
            report(trainee, **given)


def test_the_same_running_job_is_reported_once(trainee):
    spell = report(trainee)

    with pytest.raises(employment.SpellExists) as refused:
        report(trainee, starts_on=factories.day(-29))

    assert refused.value.facts == {"spell_id": str(spell.pk)}
    report(trainee, employer_name="第二份工作")
    assert EmploymentSpell.objects.count() == 2


def test_a_void_report_does_not_stand_in_the_way(trainee):
    report(trainee)
    EmploymentSpell.objects.update(status="void")

    report(trainee)


def test_an_end_is_noted_once(trainee):
    spell = report(trainee)

    employment.end(spell, ends_on=factories.day(), by=trainee, at=now())

    with pytest.raises(employment.SpellEnded):
        employment.end(spell, ends_on=factories.day(-1), by=trainee, at=now())


@pytest.mark.parametrize("ends", [1, -31])
def test_an_end_lies_between_the_beginning_and_today(trainee, ends):
    with pytest.raises(employment.SpellDatesWrong):
        employment.end(report(trainee), ends_on=factories.day(ends), by=trainee, at=now())


# Drawn by hand: what evidence does to a report.
@pytest.mark.parametrize(
    ("status", "after"),
    [("reported", "confirmed"), ("confirmed", "confirmed"), ("disputed", None), ("void", None)],
)
def test_confirming(trainee, status, after):
    spell = report(trainee)
    EmploymentSpell.objects.update(status=status)

    if after is None:
        with pytest.raises(WrongStatus):
            employment.confirm(spell, by=trainee, at=now())
    else:
        assert employment.confirm(spell, by=trainee, at=now()).status == after


def test_traineeships_are_no_work_and_the_last_day_is_a_working_day(trainee):
    report(trainee, ends_on=factories.day(-1))
    report(trainee, form="traineeship", employer_name="见习单位")

    covering = EmploymentSpell.objects.covering

    assert covering(factories.day(-1)).count() == 1
    assert covering(factories.day()).count() == 0
