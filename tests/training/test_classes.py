"""Training classes: the life cycle against the card, and what each move asks for."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from people.models import JournalEntry, Notice, Policy
from people.refusals import Refusal, WrongStatus
from people.roles import Role
from tests import factories
from tests.factories import day, moment
from training import accreditations, bookings, classes, filings, independence
from training.models import ClassFiling, TrainingClass

pytestmark = pytest.mark.django_db

# Drawn from the card, not from the code.
DRAWING = """
            publish    file   return    approve   start        suspend    resume       close   cancel
draft       enrolling  -      -         -         -            -          -            -       cancelled
enrolling   -          filed  -         -         -            -          -            -       cancelled
returned    -          filed  -         -         -            -          -            -       cancelled
filed       -          -      returned  approved  -            -          -            -       cancelled
approved    -          -      -         -         in_progress  -          -            -       cancelled
in_progress -          -      -         -         -            suspended  -            closed  -
suspended   -          -      -         -         -            -          in_progress  -       -
closed      -          -      -         -         -            -          -            -       -
cancelled   -          -      -         -         -            -          -            -       -
"""  # noqa: E501
HEADER, *ROWS = [line.split() for line in DRAWING.strip().splitlines()]
MOVES = [
    (row[0], verb, target) for row in ROWS for verb, target in zip(HEADER, row[1:], strict=True)
]
WITH_REASON = {"return", "suspend", "resume", "cancel"}


def do(verb: str, training_class: TrainingClass, *, by: Any, at: Any) -> None:
    if verb == "close":
        classes.LIFECYCLE.move(training_class, "close", by=by, at=at, closed_at=at)
        return
    act = getattr(classes, {"return": "send_back"}.get(verb, verb))
    given = {"reason": "样例原因"} if verb in WITH_REASON else {}
    act(training_class, **given, by=by, at=at)


def complete(state: str, **given: Any) -> TrainingClass:
    """Make a class with all that filing asks for."""
    training_class = factories.training_class(state, **given)
    factories.session(training_class)
    factories.enrolment(training_class)
    return training_class


@pytest.mark.parametrize(("status", "verb", "target"), MOVES)
def test_the_life_of_a_class_is_as_drawn(status, verb, target, officer):
    training_class = complete(status)
    by = officer if verb in {"return", "approve"} else training_class.created_by
    at = timezone.now() + timedelta(days=8 if verb == "start" else 0)

    if target == "-":
        with pytest.raises(WrongStatus):
            do(verb, training_class, by=by, at=at)
    else:
        do(verb, training_class, by=by, at=at)

    training_class.refresh_from_db()
    assert training_class.status == (status if target == "-" else target)


def test_every_move_is_on_record(officer):
    training_class = complete("filed")

    classes.approve(training_class, by=officer, at=timezone.now())

    entry = JournalEntry.objects.get(verb="trainingclass.approve")
    assert (entry.object_id, entry.by_id) == (str(training_class.pk), officer.pk)
    assert entry.facts["before"] == "filed"


# -- publish ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "given"),
    [
        ("there is none", None),
        ("it is only applied for", {"status": "applied"}),
        ("it was revoked", {"status": "revoked"}),
        ("it begins a day late", {"valid_from": 8}),
        ("it ends a day early", {"valid_to": 36}),
        ("it is for another level", {"level": "senior"}),
        ("it is for another occupation", {"occupation": True}),
        ("it is another institution's", {"institution": True}),
    ],
)
def test_publishing_needs_an_accreditation_that_covers_every_day(gap, given):
    training_class = factories.training_class("draft", accredited=False)
    if given is not None:
        given = {name: day(v) if name.startswith("valid") else v for name, v in given.items()}
        if "occupation" in given:
            given["occupation"] = factories.occupation()
        holder = (
            factories.institution() if given.pop("institution", 0) else training_class.institution
        )
        factories.accreditation(holder, training_class.programme, **given)

    with pytest.raises(accreditations.NotAccredited) as refused:
        classes.publish(training_class, by=training_class.created_by, at=timezone.now())

    assert refused.value.facts["level"] == "junior", gap


def test_an_accreditation_that_holds_exactly_the_class_days_suffices():
    training_class = factories.training_class("draft", accredited=False)
    factories.accreditation(
        training_class.institution,
        training_class.programme,
        valid_from=training_class.starts_on,
        valid_to=training_class.ends_on,
    )

    classes.publish(training_class, by=training_class.created_by, at=timezone.now())

    assert training_class.status == "enrolling"
    assert training_class.published_at is not None


def test_publishing_refuses_more_seats_than_the_bureau_allows(officer):
    training_class = factories.training_class("draft", seats=41)
    allow(training_class, officer, maximum_size=40)

    with pytest.raises(classes.TooManySeats) as refused:
        classes.publish(training_class, by=training_class.created_by, at=timezone.now())

    assert refused.value.facts == {"seats": 41, "maximum_size": 40}


# -- file -------------------------------------------------------------------------------------


def allow(training_class: TrainingClass, officer: Any, **values: Any) -> None:
    """Set the county's numbers for classes."""
    Policy.objects.create(
        kind="class",
        region=training_class.region,
        depth=3,
        effective_from=day(-1),
        values=values,
        basis="样例文件",
        approved_by=officer,
        published_at=timezone.now(),
    )


def test_filing_refuses_a_class_without_sessions():
    training_class = factories.training_class("enrolling")
    factories.enrolment(training_class)

    with pytest.raises(filings.TooFewHours) as refused:
        file(training_class)

    assert refused.value.facts == {"planned_minutes": 0, "required_minutes": 45}


def file(training_class: TrainingClass, at: Any = None) -> ClassFiling:
    return classes.file(training_class, by=training_class.created_by, at=at or timezone.now())


def test_hours_are_class_hours_of_45_minutes_and_cancelled_sessions_give_none(officer):
    training_class = complete("enrolling")  # 180 minutes: four class hours
    factories.session(training_class, moment(day(9)), status="cancelled")
    allow(training_class, officer, minimum_hours=5)

    with pytest.raises(filings.TooFewHours) as refused:
        file(training_class)

    assert refused.value.facts == {"planned_minutes": 180, "required_minutes": 225}


def test_exactly_the_minimum_hours_suffice(officer):
    training_class = complete("enrolling")
    allow(training_class, officer, minimum_hours=4)

    file(training_class)

    assert training_class.status == "filed"


def test_filing_says_how_many_sessions_lack_a_trainer_or_a_venue():
    training_class = complete("enrolling")
    factories.session(training_class, moment(day(8)), trainer=None)
    factories.session(training_class, moment(day(9)), trainer=None, venue=None)
    factories.session(training_class, moment(day(10)), trainer=None, status="cancelled")

    with pytest.raises(filings.SessionsIncomplete) as refused:
        file(training_class)

    assert refused.value.facts == {"sessions": 3, "without_trainer": 2, "without_venue": 1}


def test_filing_counts_admitted_people_only(officer):
    training_class = complete("enrolling")
    allow(training_class, officer, minimum_size=2)
    for status in ("waitlisted", "offered", "applied", "withdrawn"):
        factories.enrolment(training_class, status=status)

    with pytest.raises(filings.TooFewAdmitted) as refused:
        file(training_class)

    assert refused.value.facts == {"admitted": 1, "minimum_size": 2}


@pytest.mark.parametrize(("lead", "kept"), [(7, True), (8, False)])
def test_lead_days_count_up_to_the_first_session(lead, kept, officer):
    training_class = complete("enrolling")  # the first session is seven days away
    allow(training_class, officer, filing_lead_days=lead)

    if kept:
        file(training_class)
    else:
        with pytest.raises(filings.LeadDaysMissing) as refused:
            file(training_class)
        assert refused.value.facts["lead_days"] == lead


def test_filing_freezes_the_admitted_in_the_order_of_names_with_a_hash_anyone_can_recompute():
    training_class = factories.training_class("enrolling")
    factories.session(training_class)
    second = factories.enrolment(training_class, factories.person(name="测试二"))
    first = factories.enrolment(training_class, factories.person(name="张样例"))
    factories.enrolment(training_class, status="waitlisted")

    filing = file(training_class)

    frozen = [
        {
            "enrolment_id": str(row.pk),
            "person_id": str(row.person_id),
            "name": row.person.name,
            "id_number_masked": row.person.id_number_masked,
        }
        for row in sorted([first, second], key=lambda row: row.person.name)
    ]
    assert sorted(filing.roster, key=lambda row: row["name"]) == frozen
    canonical = json.dumps(filing.roster, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert filing.sha256 == hashlib.sha256(canonical.encode()).hexdigest()


def test_filing_again_makes_a_new_version_and_leaves_the_old_one(officer):
    training_class = complete("enrolling")
    first = file(training_class)
    classes.send_back(training_class, reason="请补充材料", by=officer, at=timezone.now())
    factories.enrolment(training_class)

    second = file(training_class)

    first.refresh_from_db()
    assert (first.number, len(first.roster)) == (1, 1)
    assert (second.number, len(second.roster)) == (2, 2)
    assert training_class.reason == ""


def test_a_class_is_held_in_a_venue_of_its_institution():
    training_class = factories.training_class("draft")
    by, at, room = (
        training_class.created_by,
        timezone.now(),
        factories.venue(factories.institution()),
    )
    particulars = {
        name: getattr(training_class, name)
        for name in (
            "region",
            "name",
            "seats",
            "starts_on",
            "ends_on",
            "enrolment_opens_on",
            "enrolment_closes_on",
        )
    }

    with pytest.raises(bookings.NotAvailable):
        classes.amend(training_class, venue=room, by=by, at=at)
    with pytest.raises(bookings.NotAvailable):
        classes.plan(
            training_class.institution,
            training_class.programme,
            venue=room,
            **particulars,
            by=by,
            at=at,
        )

    assert TrainingClass.objects.get().venue is None


@pytest.mark.parametrize(
    ("home", "held_in", "fine"),
    [
        ("430202000000", "430202000000", True),
        ("430202000000", "430202001000", True),  # a township of the county
        ("430202001000", "430202000000", True),  # the county around the township
        ("430202001000", "430202002000", True),  # the next township
        ("430202000000", "430203000000", False),  # the neighbouring county
        ("430202000000", "430200000000", False),  # the city above
        ("430200000000", "430203000000", True),  # a county of the institution's city
        ("430200000000", "430300000000", False),
    ],
)
def test_the_region_lies_in_the_county_or_the_region_of_the_institution(home, held_in, fine):
    school = factories.institution(region=factories.region(home))

    assert classes.may_teach_in(school, held_in) is fine


# -- the bureau -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["approve", "return"])
def test_nobody_decides_about_an_institution_they_belong_to(verb, officer):
    training_class = complete("filed")
    insider = factories.user(
        roles=[
            (Role.OFFICER, factories.bureau(training_class.region)),
            (Role.TRAINER, training_class.institution),
        ]
    )

    with pytest.raises(independence.OwnInstitution):
        do(verb, training_class, by=insider, at=timezone.now())


@pytest.mark.parametrize("verb", ["approve", "return"])
def test_nobody_decides_about_what_they_filed(verb, officer):
    training_class = complete("filed", filed_by=officer)

    with pytest.raises(independence.OwnRequest):
        do(verb, training_class, by=officer, at=timezone.now())


# -- running ----------------------------------------------------------------------------------


def test_a_class_starts_on_its_first_day_by_the_local_calendar():
    training_class = complete("approved")
    by = training_class.created_by
    midnight = moment(training_class.starts_on, "00:00")

    with pytest.raises(classes.TooEarlyToStart) as refused:
        classes.start(training_class, by=by, at=midnight - timedelta(seconds=1))
    classes.start(training_class, by=by, at=midnight)

    assert refused.value.facts == {"starts_on": training_class.starts_on}
    assert training_class.started_at == midnight


def test_cancelling_ends_enrolments_frees_rooms_and_tells_everyone_waiting_or_admitted():
    training_class = complete("enrolling")
    told = {row.person_id for row in training_class.enrolments.all()}
    for status in ("offered", "waitlisted", "applied"):
        told.add(factories.enrolment(training_class, status=status).person_id)
    rejected = factories.enrolment(training_class, status="rejected")
    by = training_class.created_by

    classes.cancel(training_class, reason="人数不足", by=by, at=timezone.now())

    training_class.refresh_from_db()
    assert training_class.seats_taken == 0
    assert not training_class.enrolments.live().exists()
    withdrawn = training_class.enrolments.filter(status="withdrawn", reason="class_cancelled")
    assert withdrawn.count() == 4
    rejected.refresh_from_db()
    assert rejected.status == "rejected"
    assert not training_class.sessions.planned().exists()
    notices = Notice.objects.filter(code="class_cancelled")
    assert {notice.person_id for notice in notices} == told
    assert JournalEntry.objects.filter(verb="enrolment.withdraw").count() == 4


@pytest.mark.parametrize("people", [3, 60])
def test_cancelling_costs_the_same_however_many_are_told(people, django_assert_max_num_queries):
    training_class = factories.training_class("enrolling", seats=60)
    for _ in range(people):
        factories.enrolment(training_class)

    with django_assert_max_num_queries(13):
        classes.cancel(
            training_class, reason="人数不足", by=training_class.created_by, at=timezone.now()
        )


# -- planning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["filed", "approved", "in_progress", "closed", "cancelled"])
def test_the_plan_is_fixed_once_it_is_filed(state):
    training_class = factories.training_class(state)

    with pytest.raises(WrongStatus):
        amend(training_class, name="新名称")


def amend(training_class: TrainingClass, **changes: Any) -> TrainingClass:
    by = training_class.created_by
    return classes.amend(training_class, **changes, by=by, at=timezone.now())


def test_seats_do_not_fall_below_those_taken():
    training_class = factories.training_class("enrolling", seats=3)
    factories.enrolment(training_class)
    factories.enrolment(training_class, status="offered")

    with pytest.raises(classes.SeatsAreTaken) as refused:
        amend(training_class, seats=1)
    amend(training_class, seats=2)

    assert refused.value.facts == {"seats_taken": 2}


def test_new_seats_are_offered_to_the_line_at_once():
    training_class = factories.training_class("enrolling", seats=1)
    factories.enrolment(training_class)
    waiting = [factories.enrolment(training_class, status="waitlisted") for _ in range(3)]

    amend(training_class, seats=3)

    training_class.refresh_from_db()
    for row in waiting:
        row.refresh_from_db()
    assert [row.status for row in waiting] == ["offered", "offered", "waitlisted"]
    assert training_class.seats_taken == 3


def test_the_class_cannot_leave_its_sessions_behind():
    training_class = factories.training_class("draft")
    factories.session(training_class)

    with pytest.raises(classes.SessionsOutsideDays) as refused:
        amend(training_class, starts_on=day(8))

    assert refused.value.facts == {"sessions": 1}


def test_a_published_class_cannot_leave_its_accreditation():
    training_class = factories.training_class("enrolling")

    with pytest.raises(accreditations.NotAccredited):
        amend(training_class, ends_on=day(400))


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_on": 6},
        {"enrolment_opens_on": 7},
        {"enrolment_closes_on": 38},
    ],
)
def test_days_stay_in_order(changes):
    training_class = factories.training_class("draft")

    with pytest.raises(Refusal) as refused:
        amend(training_class, **{name: day(offset) for name, offset in changes.items()})

    assert refused.value.code == "dates_out_of_order"
