"""Eligibility: every rule, with the fact that it used."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from people import policies
from people.models import Policy
from tests import factories
from training import eligibility, enrolments

pytestmark = pytest.mark.django_db

RULES = {
    "class_open",
    "person_known",
    "minimum_age",
    "maximum_age",
    "classes_per_year",
    "same_skill_once",
    "no_overlap",
    "not_already_enrolled",
}


def assess(training_class, person):
    return eligibility.assess(training_class, person, at=timezone.now())


def rule(training_class, person, code):
    return next(r for r in assess(training_class, person).rules if r.code == code)


def failed(training_class, person):
    return {r.code for r in assess(training_class, person).rules if r.result == "fail"}


def years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, month=3, day=1)


@pytest.fixture
def open_class(db):
    return factories.training_class("enrolling")


def class_in_which_one_can_be(status, **given):
    """Make a class of the same year; nobody completes one that has not started."""
    over = status in {"dropped", "completed", "failed", "no_show"}
    return factories.training_class("closed" if over else "enrolling", **given)


def test_every_rule_is_answered_and_all_pass(open_class):
    assessment = assess(open_class, factories.person())

    assert {rule.code for rule in assessment.rules} == RULES
    assert {rule.result for rule in assessment.rules} == {"pass"}
    assert assessment.eligible is True


def test_without_a_person_what_depends_on_one_is_unknown(open_class):
    assessment = assess(open_class, None)

    results = {rule.code: rule.result for rule in assessment.rules}
    assert results.pop("class_open") == "pass"
    assert results.pop("person_known") == "fail"
    assert set(results.values()) == {"unknown"}
    assert assessment.eligible is False


def test_a_class_that_does_not_enrol_is_not_open():
    assert failed(factories.training_class("filed"), factories.person()) == {"class_open"}


@pytest.mark.parametrize(
    ("years", "days", "expected"),
    [
        (16, 0, set()),
        (16, 1, {"minimum_age"}),
        (60, 0, set()),
        (61, 1, set()),
        (61, 0, {"maximum_age"}),
    ],
)
def test_age_is_counted_in_full_years_on_the_first_day(open_class, years, days, expected):
    born_on = years_before(open_class.starts_on, years) + timedelta(days=days)

    assert failed(open_class, factories.person(born_on=born_on)) == expected


def test_the_fourth_class_of_a_year_is_one_too_many(open_class):
    person = factories.person()
    for status in ("admitted", "offered", "completed"):
        assert "classes_per_year" not in failed(open_class, person)
        other = class_in_which_one_can_be(
            status, starts_on=open_class.starts_on, ends_on=open_class.ends_on
        )
        factories.enrolment(other, person, status)

    found = rule(open_class, person, "classes_per_year")

    assert found.result == "fail"
    assert found.facts["classes"] == found.facts["classes_per_year"] == 3


@pytest.mark.parametrize(
    "status",
    ["applied", "waitlisted", "rejected", "lapsed", "withdrawn", "dropped", "failed", "no_show"],
)
def test_only_seats_and_completed_classes_count(open_class, status):
    person = factories.person()
    for _ in range(4):
        other = class_in_which_one_can_be(status, programme=open_class.programme)
        factories.enrolment(other, person, status)

    assert failed(open_class, person) == set()


def test_classes_of_another_year_do_not_count(open_class):
    person = factories.person()
    for _ in range(3):
        past = factories.training_class(
            "closed",
            starts_on=open_class.starts_on - timedelta(days=400),
            ends_on=open_class.starts_on - timedelta(days=380),
            enrolment_opens_on=open_class.starts_on - timedelta(days=420),
            enrolment_closes_on=open_class.starts_on - timedelta(days=410),
        )
        factories.enrolment(past, person, "completed")

    assert failed(open_class, person) == set()


@pytest.mark.parametrize(
    ("same_occupation", "level", "expected"),
    [(True, "junior", {"same_skill_once"}), (True, "senior", set()), (False, "junior", set())],
)
def test_the_same_occupation_and_level_once(open_class, same_occupation, level, expected):
    person = factories.person()
    given = {"occupation": open_class.programme.occupation} if same_occupation else {}
    learnt = factories.training_class("closed", programme=factories.programme(level=level, **given))
    factories.enrolment(learnt, person, "completed")

    assert failed(open_class, person) == expected


@pytest.mark.parametrize(
    ("begin", "end", "clashes"),
    [
        ("08:30", "11:30", True),
        ("09:00", "10:00", True),
        ("07:00", "12:00", True),
        ("11:29", "12:00", True),
        ("11:30", "12:30", False),
        ("07:30", "08:30", False),
    ],
)
@pytest.mark.parametrize("status", ["admitted", "offered"])
def test_sessions_may_touch_but_not_overlap(open_class, begin, end, clashes, status):
    person, day = factories.person(), open_class.starts_on
    factories.session(open_class, factories.moment(day, "08:30"))
    other = factories.training_class("enrolling")
    factories.session(other, factories.moment(day, begin), ends_at=factories.moment(day, end))
    factories.enrolment(other, person, status)

    found = rule(open_class, person, "no_overlap")

    assert found.result == ("fail" if clashes else "pass")
    assert found.facts.get("class_id") == (str(other.pk) if clashes else None)


def test_cancelled_sessions_and_mere_waiting_do_not_clash(open_class):
    person = factories.person()
    factories.session(open_class)
    for status, session_status in (("admitted", "cancelled"), ("waitlisted", "scheduled")):
        other = factories.training_class("enrolling")
        factories.session(other, status=session_status)
        factories.enrolment(other, person, status)

    assert failed(open_class, person) == set()


def test_other_peoples_bookings_do_not_matter(open_class):
    factories.session(open_class)
    other = factories.training_class("enrolling")
    factories.session(other)
    factories.enrolment(other)

    assert failed(open_class, factories.person()) == set()


def test_policy_moves_the_limits_and_is_named(open_class, officer):
    policy = policies.publish(
        Policy.Kind.ENROLMENT,
        open_class.region,
        {"minimum_age": 45, "same_skill_once": False},
        effective_from=factories.day(),
        effective_to=None,
        basis="样例文件",
        by=officer,
        at=timezone.now(),
    )
    person = factories.person(born_on=date(1985, 3, 1))
    learnt = factories.training_class("closed", programme=open_class.programme)
    factories.enrolment(learnt, person, "completed")

    assessment = assess(open_class, person)

    assert assessment.policy.policy_id == policy.pk
    assert failed(open_class, person) == {"minimum_age"}


def test_applying_refuses_by_the_same_rules(open_class):
    child = factories.person(born_on=years_before(open_class.starts_on, 12))
    learnt = factories.training_class("closed", programme=open_class.programme)
    factories.enrolment(learnt, child, "completed")

    with pytest.raises(eligibility.NotEligible) as refused:
        enrolments.apply(open_class, child, by=open_class.created_by, at=timezone.now())

    assert refused.value.facts["rules"] == ["minimum_age", "same_skill_once"]


@pytest.mark.parametrize("who", ["the person", "the other institution", "a stranger"])
def test_an_overlap_names_the_other_class_to_those_who_may_know(open_class, who):
    person = factories.person()
    factories.session(open_class)
    other = factories.training_class("enrolling")
    clash = factories.session(other)
    row = factories.enrolment(other, person)

    by = {
        "the person": factories.user(person=person),
        "the other institution": other.created_by,
        "a stranger": open_class.created_by,
    }[who]

    with pytest.raises(eligibility.OverlappingClass) as refused:
        enrolments.apply(open_class, person, by=by, at=timezone.now())

    facts = refused.value.facts
    assert datetime.fromisoformat(facts["starts_at"]) == clash.starts_at
    assert datetime.fromisoformat(facts["ends_at"]) == clash.ends_at
    if who == "a stranger":
        assert facts.keys() == {"starts_at", "ends_at"}
    else:
        assert (facts["class_id"], facts["class_name"]) == (str(other.pk), other.name)
        assert facts["enrolment_id"] == str(row.pk)


def test_the_sentence_says_what_was_found(open_class):
    person = factories.person(born_on=years_before(open_class.starts_on, 12))

    with override("en"):
        said = {rule.code: str(rule.message) for rule in assess(open_class, person).rules}
        unknown = {rule.code: str(rule.message) for rule in assess(open_class, None).rules}

    assert said["person_known"] == "Your account is linked to your person on the register."
    assert said["minimum_age"] == "One has to be at least 16 years old on the first day."
    assert said["maximum_age"] == "You are at most 60 years old on the first day."
    assert said["not_already_enrolled"] == "You are not enrolled in this class yet."
    assert unknown["person_known"].startswith("Your account has to be linked")
    assert unknown["not_already_enrolled"] == "One can be enrolled in a class only once."


@pytest.mark.parametrize("classes", [0, 20])
def test_the_number_of_statements_does_not_grow(open_class, classes, django_assert_num_queries):
    person = factories.person()
    for _ in range(classes):
        other = factories.training_class("enrolling")
        factories.session(other)
        factories.enrolment(other, person)
    factories.session(open_class)

    with django_assert_num_queries(2):
        assess(open_class, person)
