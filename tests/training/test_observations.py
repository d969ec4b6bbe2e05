"""Observations: a person's own word, what others prove, and who may stand up for it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from people.employment import Job
from people.models import EmploymentSpell
from people.refusals import NotYours, WrongStatus
from people.roles import Role
from tests import factories
from training import follow_ups, independence, observations
from training.models import OutcomeObservation
from training.observations import Finding

pytestmark = pytest.mark.django_db


def now():
    return timezone.now()


def job(**given) -> Job:
    values = {
        "form": "unit_contract",
        "employer_name": "样例制造厂",
        "starts_on": factories.day(-3),
        "monthly_wage": Decimal("4500.00"),
    }
    return Job(**(values | given))


def working(**given) -> Finding:
    return Finding("employed", job(**given))


@pytest.fixture
def task(trainee, institution):
    return factories.follow_up(factories.completion(trainee.person, institution=institution))


def second_officer(institution):
    return factories.user(roles=[(Role.OFFICER, factories.bureau(institution.region))])


def observe(task, by, **given):
    situation = given.pop("situation", "employed")
    found = job() if situation == "employed" else None
    return observations.observe(task, Finding(situation, found, **given), by=by, at=now())


# source, document attached, somebody was reached -> grade
GRADES = """
trainee     - -       1
trainee     - reached 1
officer     - -       1
officer     d -       2
institution - -       0
institution - reached 1
institution d -       1
institution d reached 1
third_party d -       3
registry    d -       4
"""


@pytest.mark.parametrize("line", GRADES.strip().split("\n"))
def test_the_grade_follows_from_the_evidence(line):
    source, document, reached, grade = line.split()

    computed = observations.grade(
        source, has_document=document == "d", in_contact=reached == "reached"
    )

    assert computed == int(grade)


def test_an_answer_is_a_self_report_and_reports_the_job(task, trainee):
    said = Finding("employed", job(), relation="same_field", satisfaction=4, help_wanted=True)

    answered = observations.answer(task, said, by=trainee, at=now())

    assert (answered.source, answered.grade, answered.as_of) == ("trainee", 1, factories.day())
    assert (answered.spell.status, answered.spell.person) == ("reported", trainee.person)
    task.refresh_from_db()
    assert task.status == "observed"


def test_the_same_job_said_again_is_one_spell_and_its_end_is_noted(task, trainee):
    observations.answer(task, working(), by=trainee, at=now())
    again = observations.answer(task, working(), by=trainee, at=now())
    over = observations.answer(task, working(ends_on=factories.day(-1)), by=trainee, at=now())

    assert EmploymentSpell.objects.get().ends_on == factories.day(-1)
    assert (again.as_of, over.as_of) == (factories.day(), factories.day(-1))


@pytest.mark.parametrize(
    ("status", "after"),
    [
        ("scheduled", "observed"),
        ("open", "observed"),
        ("in_contact", "observed"),
        ("observed", "observed"),
        ("refused", "observed"),
        ("verified", None),
        ("closed", None),
        ("unreachable", None),
        ("missed", None),
    ],
)
def test_when_an_answer_counts(trainee, institution, status, after):
    enrolment = factories.completion(trainee.person, institution=institution)
    task = factories.follow_up(enrolment, status)

    if after is None:
        with pytest.raises(WrongStatus):
            observations.answer(task, Finding("seeking"), by=trainee, at=now())
        assert not OutcomeObservation.objects.exists()
    else:
        observations.answer(task, Finding("seeking"), by=trainee, at=now())
        task.refresh_from_db()
        assert task.status == after


@pytest.mark.parametrize(("opens", "closes"), [(1, 9), (-9, -1)])
def test_no_answer_outside_the_window(trainee, institution, opens, closes):
    task = factories.follow_up(
        factories.completion(trainee.person, institution=institution),
        "open" if opens < 0 else "scheduled",
        window_opens_on=factories.day(opens),
        window_closes_on=factories.day(closes),
    )

    with pytest.raises(follow_ups.WindowNotOpen):
        observations.answer(task, Finding("seeking"), by=trainee, at=now())


@pytest.mark.parametrize("situation", ["unknown", "refused"])
@pytest.mark.parametrize(
    ("status", "after"),
    [
        ("scheduled", "in_contact"),
        ("open", "in_contact"),
        ("in_contact", "in_contact"),
        ("observed", "observed"),
        ("refused", "in_contact"),
        ("verified", None),
        ("closed", None),
        ("missed", None),
    ],
)
def test_an_answer_that_says_nothing_is_kept_and_asked_again(
    trainee, institution, situation, status, after
):
    enrolment = factories.completion(trainee.person, institution=institution)
    task = factories.follow_up(enrolment, status)

    if after is None:
        with pytest.raises(WrongStatus):
            observations.answer(task, Finding(situation), by=trainee, at=now())
        assert not OutcomeObservation.objects.exists()
    else:
        said = observations.answer(task, Finding(situation), by=trainee, at=now())
        task.refresh_from_db()
        assert (said.grade, task.status) == (0, after)
        observations.answer(task, Finding("seeking"), by=trainee, at=now())
        assert task.status == "observed"


def test_an_answer_that_says_nothing_proves_nothing(task, trainee, officer):
    observe(task, officer, situation="unknown")
    observations.answer(task, Finding("unknown"), by=trainee, at=now())

    with pytest.raises(observations.OwnEvidence):
        observations.verify(task, by=officer, at=now())


def test_nobody_answers_for_somebody_else(task, officer, institution_admin):
    for by in (officer, institution_admin, factories.user(person=factories.person())):
        with pytest.raises(NotYours):
            observations.answer(task, Finding("seeking"), by=by, at=now())


def test_the_institution_speaks_as_the_institution_only(task, institution, institution_admin):
    said = observe(task, institution_admin, document=factories.stored_file(institution_admin))

    assert (said.source, said.grade) == ("institution", 1)
    for source in ("officer", "third_party", "registry", "trainee"):
        with pytest.raises(NotYours):
            observe(task, institution_admin, source=source)


def test_an_officer_of_the_institution_is_the_institution(task, institution):
    both = factories.user(
        roles=[
            (Role.OFFICER, factories.bureau(institution.region)),
            (Role.TRAINER, institution),
        ]
    )

    with pytest.raises(NotYours):
        observe(task, both, source="registry", document=factories.stored_file(both))


@pytest.mark.parametrize("source", ["third_party", "registry"])
def test_a_document_has_to_be_there(task, officer, source):
    with pytest.raises(observations.DocumentRequired):
        observe(task, officer, source=source)


@pytest.mark.parametrize(("offset", "fine"), [(0, True), (1, False), (-1, False)])
def test_an_observation_is_of_a_day_between_completion_and_today(task, officer, offset, fine):
    if fine:
        assert observe(task, officer, as_of=factories.day(offset)).as_of == factories.day(offset)
    else:
        with pytest.raises(observations.AsOfImpossible):
            observe(task, officer, as_of=factories.day(offset))


def test_verifying_takes_a_second_person_and_confirms_the_job(task, officer, institution):
    observe(task, officer, document=factories.stored_file(officer))

    with pytest.raises(observations.OwnEvidence):
        observations.verify(task, by=officer, at=now())
    observations.verify(task, by=second_officer(institution), at=now())

    assert task.status == "verified"
    assert EmploymentSpell.objects.get().status == "confirmed"


def test_work_needs_the_grade_of_the_checkpoint(task, trainee, officer):
    observations.answer(task, working(), by=trainee, at=now())

    with pytest.raises(observations.EvidenceTooWeak) as refused:
        observations.verify(task, by=officer, at=now())

    assert refused.value.facts == {"grade": 1, "required_grade": 2}
    assert EmploymentSpell.objects.get().status == "reported"


def test_looking_for_work_needs_no_document(task, trainee, officer):
    observations.answer(task, Finding("seeking"), by=trainee, at=now())

    assert observations.verify(task, by=officer, at=now()).status == "verified"


def test_the_institution_does_not_verify_its_own(task, trainee, institution_admin):
    observations.answer(task, Finding("seeking"), by=trainee, at=now())

    with pytest.raises(independence.OwnInstitution):
        observations.verify(task, by=institution_admin, at=now())


def test_nothing_is_verified_before_it_is_observed(task, officer):
    with pytest.raises(WrongStatus):
        observations.verify(task, by=officer, at=now() + timedelta(days=1))
