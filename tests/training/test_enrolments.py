"""Enrolments: the life cycle against the card, applying, and leaving."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from people.models import Acquaintance, JournalEntry, Notice, PersonCategory, Policy
from people.refusals import IdTaken, WrongStatus
from tests import factories
from training import eligibility, enrolments, seats, waiting_lists
from training.models import Enrolment

pytestmark = pytest.mark.django_db

DRAWING = """
            admit    waitlist   reject   offer   accept   lapse  withdraw  drop    complete  fail   no_show
applied     admitted waitlisted rejected -       -        -      withdrawn -       -         -      -
waitlisted  admitted -          rejected offered -        -      withdrawn -       -         -      -
offered     -        -          -        -       admitted lapsed withdrawn -       -         -      -
admitted    -        -          -        -       -        -      withdrawn dropped completed failed no_show
rejected    -        -          -        -       -        -      -         -       -         -      -
lapsed      -        -          -        -       -        -      -         -       -         -      -
withdrawn   -        -          -        -       -        -      -         -       -         -      -
dropped     -        -          -        -       -        -      -         -       -         -      -
completed   -        -          -        -       -        -      -         -       -         -      -
failed      -        -          -        -       -        -      -         -       -         -      -
no_show     -        -          -        -       -        -      -         -       -         -      -
"""  # noqa: E501
HEADER, *ROWS = [line.split() for line in DRAWING.strip().splitlines()]
MOVES = [
    (row[0], verb, target) for row in ROWS for verb, target in zip(HEADER, row[1:], strict=True)
]
CLOSING = {"complete", "fail", "no_show"}
WITH_REASON = {"reject", "withdraw", "drop"}


def do(verb: str, enrolment: Enrolment, by: Any, at: Any) -> Enrolment:
    if verb in CLOSING:
        return enrolments.LIFECYCLE.move(enrolment, verb, by=by, at=at)
    given = {"reason": "样例原因"} if verb in WITH_REASON else {}
    return getattr(enrolments, verb)(enrolment, **given, by=by, at=at)


@pytest.mark.parametrize(("status", "verb", "target"), MOVES)
def test_the_life_of_an_enrolment_is_as_drawn(status, verb, target):
    runs = verb in {"drop", *CLOSING} or status in {"completed", "failed", "no_show"}
    training_class = factories.training_class("in_progress" if runs else "enrolling")
    enrolment = factories.enrolment(training_class, status=status)
    at = timezone.now() + timedelta(days=2 if verb == "lapse" else 0)

    if target == "-":
        with pytest.raises(WrongStatus):
            do(verb, enrolment, training_class.created_by, at)
    else:
        do(verb, enrolment, training_class.created_by, at)

    enrolment.refresh_from_db()
    assert enrolment.status == (status if target == "-" else target)


def test_the_drawing_has_every_status():
    assert {row[0] for row in ROWS} == set(Enrolment.Status.values)


@pytest.fixture
def apply(trainee):
    """Let a trainee, or whom one names, ask for a place now."""

    def ask(training_class, user=trainee, **given):
        at = given.pop("at", timezone.now())
        return enrolments.apply(training_class, user.person, by=user, at=at, **given)

    return ask


def open_class(**given: Any) -> Any:
    return factories.training_class("enrolling", **given)


def test_a_free_seat_in_an_automatic_class_is_given_at_once(apply):
    training_class = open_class(seats=1)

    enrolment = apply(training_class)

    training_class.refresh_from_db()
    assert enrolment.status == "admitted"
    assert enrolment.admitted_at
    assert training_class.seats_taken == 1


def test_without_a_free_seat_one_waits(apply):
    training_class = open_class(seats=1)
    factories.enrolment(training_class)

    assert apply(training_class).status == "waitlisted"


def test_nobody_overtakes_those_who_wait(apply):
    training_class = open_class(seats=2)
    factories.enrolment(training_class, status="waitlisted")

    assert apply(training_class).status == "waitlisted"


def test_a_class_that_reviews_looks_first(apply):
    training_class = open_class(seats=1, admission="review")

    assert apply(training_class).status == "applied"
    training_class.refresh_from_db()
    assert training_class.seats_taken == 0


@pytest.mark.parametrize(
    "state",
    ["draft", "filed", "returned", "approved", "in_progress", "suspended", "closed", "cancelled"],
)
def test_only_a_class_that_enrols_takes_people(apply, state):
    training_class = factories.training_class(
        state,
        enrolment_opens_on=factories.day(-70),
        enrolment_closes_on=factories.day(0 if state != "closed" else -10),
    )

    with pytest.raises(eligibility.EnrolmentClosed):
        apply(training_class)


@pytest.mark.parametrize(
    ("opens", "closes", "is_open"), [(0, 0, True), (1, 2, False), (-2, -1, False), (-1, 1, True)]
)
def test_the_window_counts_local_days_with_both_ends(apply, opens, closes, is_open):
    training_class = open_class(
        enrolment_opens_on=factories.day(opens), enrolment_closes_on=factories.day(closes)
    )

    if is_open:
        assert apply(training_class).status == "admitted"
    else:
        with pytest.raises(eligibility.EnrolmentClosed):
            apply(training_class)


def test_the_window_turns_at_midnight_in_shanghai(apply):
    training_class = open_class(enrolment_closes_on=factories.day(0))
    last_minute = factories.moment(factories.day(0), "23:59")

    with pytest.raises(eligibility.EnrolmentClosed):
        apply(training_class, at=last_minute + timedelta(minutes=1))
    assert apply(training_class, at=last_minute).status == "admitted"


def test_an_account_without_a_person_cannot_apply(apply):
    with pytest.raises(eligibility.PersonUnknown):
        apply(open_class(), factories.user())


def test_one_live_enrolment_per_class(apply, trainee):
    training_class = open_class()
    first = apply(training_class)

    with pytest.raises(eligibility.AlreadyEnrolled) as refused:
        apply(training_class)

    assert refused.value.facts == {"enrolment_id": str(first.pk), "status": "admitted"}
    assert training_class.enrolments.count() == 1


def test_after_withdrawing_one_may_apply_again(apply, trainee):
    training_class = open_class()
    enrolments.withdraw(apply(training_class), reason="样例原因", by=trainee, at=timezone.now())

    assert apply(training_class).status == "admitted"


def test_the_index_refuses_what_the_check_could_not_see(apply, monkeypatch, trainee):
    training_class = open_class(seats=5)
    apply(training_class)
    monkeypatch.setattr(eligibility, "require", lambda rules, **given: None)

    with pytest.raises(eligibility.AlreadyEnrolled):
        apply(training_class)

    training_class.refresh_from_db()
    assert training_class.seats_taken == 1


def test_the_client_may_choose_the_id_once(apply):
    chosen = factories.enrolment(open_class()).pk

    with pytest.raises(IdTaken):
        apply(open_class(), enrolment_id=chosen)


def test_categories_are_frozen_and_the_first_that_counts_gives_priority(apply, trainee):
    bureau = factories.bureau()
    for category, recognised_by in (
        ("veteran", bureau),
        ("disabled", bureau),
        ("dibao", bureau),
        ("hard_to_employ", None),
    ):
        PersonCategory.objects.create(
            person=trainee.person,
            category=category,
            valid_from=factories.day(-10),
            recognised_by=recognised_by,
        )
    training_class = open_class()

    enrolment = apply(training_class)
    PersonCategory.objects.all().delete()

    enrolment.refresh_from_db()
    assert enrolment.categories == ["dibao", "disabled", "hard_to_employ", "veteran"]
    assert (enrolment.priority, enrolment.priority_reason) == (1, "disabled")


def test_what_one_says_of_oneself_gives_priority_only_where_the_policy_lets_it(apply, trainee):
    PersonCategory.objects.create(
        person=trainee.person, category="disabled", valid_from=factories.day(-10)
    )
    doubted = apply(open_class())
    enrolments.withdraw(doubted, reason="-", by=trainee, at=timezone.now())
    Policy.objects.create(
        kind=Policy.Kind.ENROLMENT,
        region=doubted.training_class.region,
        depth=3,
        effective_from=factories.day(-10),
        values={"priority_needs_recognition": False},
        basis="-",
        approved_by=trainee,
        published_at=timezone.now(),
    )

    believed = apply(open_class())

    assert (doubted.priority, believed.priority_reason) == (0, "disabled")


def test_a_category_that_is_over_gives_nothing(apply, trainee):
    PersonCategory.objects.create(
        person=trainee.person,
        category="disabled",
        valid_from=factories.day(-10),
        valid_to=factories.day(-1),
    )

    enrolment = apply(open_class())

    assert (enrolment.categories, enrolment.priority) == ([], 0)


def test_the_institution_gets_to_know_who_enrols(apply, trainee):
    training_class = open_class()

    apply(training_class)

    known = Acquaintance.objects.get(person=trainee.person)
    assert known.organisation_id == training_class.institution_id


def test_applying_is_on_record_and_others_acts_are_told(apply, trainee):
    training_class = open_class()
    admin = training_class.created_by
    own = apply(training_class)
    other = enrolments.apply(training_class, factories.person(), by=admin, at=timezone.now())

    assert set(
        JournalEntry.objects.filter(verb="enrolment.apply").values_list("object_id", flat=True)
    ) == {str(own.pk), str(other.pk)}
    assert [notice.person_id for notice in Notice.objects.all()] == [other.person_id]


# -- deciding -----------------------------------------------------------------------------------


def test_admitting_needs_a_seat():
    training_class = open_class(seats=1, admission="review")
    factories.enrolment(training_class)
    enrolment = factories.enrolment(training_class, status="applied")

    with pytest.raises(seats.ClassFull):
        enrolments.admit(enrolment, by=training_class.created_by, at=timezone.now())

    training_class.refresh_from_db()
    assert training_class.seats_taken == 1


def test_no_seat_changes_hands_once_the_class_runs():
    training_class = factories.training_class("in_progress")
    by, at = training_class.created_by, timezone.now()

    for status, verb in [
        ("applied", "admit"),
        ("applied", "waitlist"),
        ("waitlisted", "offer"),
        ("offered", "accept"),
        ("admitted", "withdraw"),
    ]:
        with pytest.raises(seats.ClassHasStarted):
            do(verb, factories.enrolment(training_class, status=status), by, at)


@pytest.mark.parametrize("state", ["filed", "approved"])
def test_a_filed_roster_takes_nobody_but_those_who_hold_an_offer(state):
    training_class = factories.training_class(state, seats=5)
    by, at = training_class.created_by, timezone.now()
    refused = []

    for status, verb in [("applied", "admit"), ("waitlisted", "admit"), ("waitlisted", "offer")]:
        with pytest.raises(WrongStatus) as refusal:
            do(verb, factories.enrolment(training_class, status=status), by, at)
        refused.append(refusal.value.facts["status"])
    offered = factories.enrolment(training_class, status="offered")
    do("accept", offered, by, at)

    training_class.refresh_from_db()
    assert refused == [state] * 3
    assert (offered.status, training_class.seats_taken) == ("admitted", 1)


@pytest.mark.parametrize(("status", "verb"), [("applied", "admit"), ("waitlisted", "offer")])
def test_a_returned_class_takes_people_again(status, verb):
    training_class = factories.training_class("returned")
    enrolment = factories.enrolment(training_class, status=status)

    do(verb, enrolment, training_class.created_by, timezone.now())

    training_class.refresh_from_db()
    assert training_class.seats_taken == 1


def test_one_drops_out_only_of_a_class_that_runs():
    training_class = factories.training_class("approved")
    enrolment = factories.enrolment(training_class)

    with pytest.raises(enrolments.ClassHasNotStarted):
        do("drop", enrolment, training_class.created_by, timezone.now())


def test_dropping_out_frees_the_seat_and_lets_nobody_in():
    training_class = factories.training_class("in_progress", seats=1)
    enrolment = factories.enrolment(training_class)
    waiting = factories.enrolment(training_class, status="waitlisted")

    do("drop", enrolment, training_class.created_by, timezone.now())

    training_class.refresh_from_db()
    waiting.refresh_from_db()
    assert (training_class.seats_taken, waiting.status) == (0, "waitlisted")


@pytest.mark.parametrize("status", ["admitted", "offered"])
def test_leaving_gives_the_seat_to_the_next_in_line_at_once(status):
    training_class = open_class(seats=1)
    leaving = factories.enrolment(training_class, status=status)
    waiting = factories.enrolment(training_class, status="waitlisted")

    do("withdraw", leaving, training_class.created_by, timezone.now())

    training_class.refresh_from_db()
    waiting.refresh_from_db()
    assert (training_class.seats_taken, waiting.status) == (1, "offered")
    assert Notice.objects.get(person=waiting.person).code == "enrolment.offered"


@pytest.mark.parametrize("status", ["applied", "waitlisted"])
def test_leaving_without_a_seat_gives_none_back(status):
    training_class = open_class(seats=1)
    factories.enrolment(training_class)
    leaving = factories.enrolment(training_class, status=status)

    do("withdraw", leaving, training_class.created_by, timezone.now())

    training_class.refresh_from_db()
    assert training_class.seats_taken == 1


def test_an_offer_can_be_confirmed_until_it_ends():
    training_class = open_class(seats=2)
    by = training_class.created_by
    ends_at = timezone.now() + timedelta(hours=1)
    enrolment = factories.enrolment(training_class, status="offered", offer_expires_at=ends_at)
    late = factories.enrolment(training_class, status="offered", offer_expires_at=ends_at)

    enrolments.accept(enrolment, by=by, at=ends_at - timedelta(seconds=1))
    with pytest.raises(enrolments.OfferExpired):
        enrolments.accept(late, by=by, at=ends_at)

    training_class.refresh_from_db()
    assert training_class.seats_taken == 2


def test_two_offers_at_the_same_time_cannot_both_be_confirmed():
    person = factories.person()
    offered = []
    for _ in range(2):
        training_class = open_class()
        factories.session(training_class)
        offered.append(factories.enrolment(training_class, person, "offered"))
    first, second = offered
    own = factories.user(person=person)
    enrolments.accept(first, by=own, at=timezone.now())

    with pytest.raises(eligibility.OverlappingClass) as refused:
        enrolments.accept(second, by=own, at=timezone.now())

    assert refused.value.facts["class_id"] == str(first.training_class_id)


def test_the_limit_of_classes_holds_when_the_seat_is_given_too():
    person = factories.person()
    for _ in range(3):
        factories.enrolment(open_class(), person)
    waiting = factories.enrolment(open_class(), person, "waitlisted")

    with pytest.raises(eligibility.NotEligible) as refused:
        enrolments.admit(waiting, by=waiting.created_by, at=timezone.now())

    assert refused.value.facts["rules"] == ["classes_per_year"]


@pytest.mark.parametrize(
    ("verb", "state", "status", "code"),
    [
        ("reject", "enrolling", "applied", "enrolment.rejected"),
        ("withdraw", "enrolling", "admitted", "enrolment.withdrawn"),
        ("drop", "in_progress", "admitted", "enrolment.dropped"),
    ],
)
def test_whoever_is_sent_away_is_told_why(verb, state, status, code):
    enrolment = factories.enrolment(factories.training_class(state), status=status)

    do(verb, enrolment, enrolment.created_by, timezone.now())

    notice = Notice.objects.get(person=enrolment.person)
    assert (notice.code, notice.facts["reason"]) == (code, "样例原因")


def test_starting_the_class_ends_the_line():
    training_class = factories.training_class("approved", seats=2)
    admitted = factories.enrolment(training_class)
    ended = {
        status: factories.enrolment(training_class, status=status)
        for status in ("applied", "waitlisted", "offered")
    }

    waiting_lists.end(training_class, by=training_class.created_by, at=timezone.now())

    training_class.refresh_from_db()
    admitted.refresh_from_db()
    for row in ended.values():
        row.refresh_from_db()
    assert training_class.seats_taken == 1
    assert admitted.status == "admitted"
    assert [ended[status].status for status in ("applied", "waitlisted", "offered")] == [
        "rejected",
        "rejected",
        "lapsed",
    ]
    assert Notice.objects.count() == 3
    # What the rows keep is a code, not a sentence for people.
    assert not any("reason" in notice.facts for notice in Notice.objects.all())
