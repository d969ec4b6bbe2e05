"""Waiting lists: the order, the offers, and what holds whatever happens."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from people import policies
from people.models import JournalEntry, Notice, PersonCategory, Policy, User
from people.refusals import Refusal
from people.roles import Role
from tests import factories
from training import classes, enrolments, waiting_lists
from training.models import Enrolment, TrainingClass

pytestmark = pytest.mark.django_db


def waiting(training_class: TrainingClass, minutes: int, priority: int = 0) -> Enrolment:
    """Put somebody on the list so many minutes from now."""
    return factories.enrolment(
        training_class,
        status="waitlisted",
        applied_at=timezone.now() + timedelta(minutes=minutes),
        priority=priority,
    )


def positions(training_class: TrainingClass) -> dict[Any, int | None]:
    rows = training_class.enrolments.with_waitlist_position()
    return dict(rows.values_list("pk", "waitlist_position"))


def test_priority_comes_first_then_time_then_identity():
    training_class = factories.training_class("enrolling")
    at = timezone.now()
    twins = [
        factories.enrolment(training_class, status="waitlisted", applied_at=at) for _ in range(2)
    ]
    late = waiting(training_class, 5)
    first_in_need = waiting(training_class, 8, priority=1)
    second_in_need = waiting(training_class, 9, priority=1)
    admitted = factories.enrolment(training_class)

    found = positions(training_class)

    line = [first_in_need, second_in_need, *sorted(twins, key=lambda row: row.pk), late]
    assert [found[row.pk] for row in line] == [1, 2, 3, 4, 5]
    assert found[admitted.pk] is None


def test_positions_count_within_the_class_only():
    training_class = factories.training_class("enrolling")
    waiting(factories.training_class("enrolling"), -60)
    here = waiting(training_class, 0)

    assert positions(training_class) == {here.pk: 1}


def test_every_free_seat_is_offered_to_the_next_in_line():
    training_class = factories.training_class("enrolling", seats=2)
    last, first, second = (waiting(training_class, minutes) for minutes in (9, 1, 5))

    offered = waiting_lists.offer_free_seats(training_class, by=None, at=timezone.now())

    training_class.refresh_from_db()
    last.refresh_from_db()
    assert {row.pk for row in offered} == {first.pk, second.pk}
    assert (training_class.seats_taken, last.status) == (2, "waitlisted")
    assert set(Notice.objects.values_list("person_id", "code")) == {
        (row.person_id, "enrolment.offered") for row in (first, second)
    }


def test_many_offers_cost_no_more_than_one(django_assert_max_num_queries):
    training_class = factories.training_class("enrolling", seats=40)
    for minutes in range(30):
        waiting(training_class, minutes)

    with django_assert_max_num_queries(12):
        waiting_lists.offer_free_seats(training_class, by=None, at=timezone.now())


def test_raising_the_seats_offers_the_new_ones():
    training_class = factories.training_class("enrolling", seats=1)
    factories.enrolment(training_class)
    first, second = waiting(training_class, 0), waiting(training_class, 1)

    classes.amend(training_class, seats=2, by=training_class.created_by, at=timezone.now())

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("offered", "waitlisted")


@pytest.mark.parametrize("leaves", ["withdraw", "lapse"])
def test_a_seat_that_comes_free_after_filing_is_offered_once_the_class_is_returned(officer, leaves):
    training_class = factories.training_class("filed", seats=1)
    at = timezone.now()
    leaving = factories.enrolment(
        training_class,
        status="admitted" if leaves == "withdraw" else "offered",
        offer_expires_at=at if leaves == "lapse" else None,
    )
    first = waiting(training_class, 0)

    if leaves == "withdraw":
        enrolments.withdraw(leaving, reason="样例", by=training_class.created_by, at=at)
    else:
        assert waiting_lists.lapse_expired_offers(at=at) == 1
    first.refresh_from_db()
    training_class.refresh_from_db()
    assert (first.status, training_class.seats_taken) == ("waitlisted", 0)

    classes.send_back(training_class, reason="样例原因", by=officer, at=at)

    first.refresh_from_db()
    assert (first.status, training_class.status, training_class.seats_taken) == (
        "offered",
        "returned",
        1,
    )
    assert Notice.objects.filter(person=first.person, code="enrolment.offered").exists()


@pytest.mark.parametrize("state", ["filed", "approved", "in_progress", "suspended", "cancelled"])
def test_nobody_moves_up_in_a_class_that_takes_nobody(state):
    training_class = factories.training_class(state, seats=2)
    first = waiting(training_class, 0)

    assert waiting_lists.offer_free_seats(training_class, by=None, at=timezone.now()) == []

    first.refresh_from_db()
    assert first.status == "waitlisted"


def test_starting_a_class_ends_its_line():
    training_class = factories.training_class(
        "approved", starts_on=factories.day(0), enrolment_closes_on=factories.day(0)
    )
    left = waiting(training_class, 0)

    classes.start(training_class, by=training_class.created_by, at=timezone.now())

    left.refresh_from_db()
    assert (left.status, left.reason) == ("rejected", "class_started")


@pytest.mark.parametrize("hours", [24, 6])
def test_an_offer_holds_as_long_as_policy_says(officer, hours):
    training_class = factories.training_class("enrolling", seats=1)
    row, at = waiting(training_class, 0), timezone.now()
    if hours != 24:
        policies.publish(
            Policy.Kind.ENROLMENT,
            training_class.region,
            {"offer_hold_hours": hours},
            effective_from=factories.day(),
            effective_to=None,
            basis="样例文件",
            by=officer,
            at=at,
        )

    waiting_lists.offer(row, by=training_class.created_by, at=at)

    row.refresh_from_db()
    assert row.offer_expires_at == at + timedelta(hours=hours)


def offered(training_class: TrainingClass, expires_at: datetime) -> Enrolment:
    return factories.enrolment(training_class, status="offered", offer_expires_at=expires_at)


def test_an_offer_lapses_when_its_time_is_over_and_not_before():
    at = timezone.now()
    training_class = factories.training_class("enrolling", seats=2)
    over = offered(training_class, at)
    holding = offered(training_class, at + timedelta(seconds=1))
    next_in_line = waiting(training_class, 0)

    count = waiting_lists.lapse_expired_offers(at=at)

    for row in (over, holding, next_in_line):
        row.refresh_from_db()
    training_class.refresh_from_db()
    assert count == 1
    assert (over.status, holding.status, next_in_line.status) == ("lapsed", "offered", "offered")
    assert training_class.seats_taken == 2


def test_lapsing_twice_changes_nothing_more():
    at = timezone.now()
    training_class = factories.training_class("enrolling", seats=3)
    for _ in range(2):
        offered(training_class, at - timedelta(hours=1))
    offered(factories.training_class("enrolling"), at - timedelta(hours=1))
    assert waiting_lists.lapse_expired_offers(at=at) == 3
    entries = JournalEntry.objects.count()

    assert waiting_lists.lapse_expired_offers(at=at) == 0

    training_class.refresh_from_db()
    assert training_class.seats_taken == 0
    assert JournalEntry.objects.count() == entries


def test_nobody_can_end_an_offer_before_its_time():
    at = timezone.now()
    row = offered(factories.training_class("enrolling"), at + timedelta(minutes=1))

    with pytest.raises(waiting_lists.OfferStillHolds):
        waiting_lists.lapse(row, by=row.created_by, at=at)


# -- whatever happens ---------------------------------------------------------------------------

STEPS = 120


class Walk:
    """One class, some people, and a random step after the other."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.at = timezone.now()
        self.training_class = factories.training_class(
            "enrolling",
            seats=3,
            starts_on=factories.day(300),
            ends_on=factories.day(330),
            enrolment_closes_on=factories.day(299),
        )
        factories.session(self.training_class)
        self.admin: User = self.training_class.created_by
        self.officer = factories.user(
            roles=[(Role.OFFICER, factories.bureau(self.training_class.region))]
        )
        self.people = [factories.person() for _ in range(14)]
        for person in self.people[::4]:
            PersonCategory.objects.create(
                person=person, category="veteran", valid_from=factories.day(-1)
            )

    def step(self) -> str:
        """Do something that people do; being refused is part of it."""
        self.at += timedelta(minutes=self.random.choice([1, 60, 600]))
        name = self.random.choice(
            ["apply"] * 3
            + ["withdraw", "accept", "lapse", "offer", "raise", "lower", "file", "return", "return"]
        )
        try:
            getattr(self, f"do_{name}")()
        except Refusal as refusal:
            return f"{name}: {refusal.code}"
        return name

    def do_apply(self) -> None:
        person = self.random.choice(self.people)
        enrolments.apply(self.training_class, person, by=self.admin, at=self.at)

    def do_withdraw(self) -> None:
        if row := self.any_of("applied", "waitlisted", "offered", "admitted"):
            enrolments.withdraw(row, reason="样例", by=self.admin, at=self.at)

    def do_accept(self) -> None:
        if row := self.any_of("offered"):
            enrolments.accept(row, by=self.admin, at=self.at)

    def do_offer(self) -> None:
        if row := self.any_of("waitlisted"):
            waiting_lists.offer(row, by=self.admin, at=self.at)

    def do_lapse(self) -> None:
        waiting_lists.lapse_expired_offers(at=self.at)

    def do_raise(self) -> None:
        self.amend(self.training_class.seats + self.random.randint(1, 2))

    def do_lower(self) -> None:
        now = TrainingClass.objects.get(pk=self.training_class.pk)
        self.amend(self.random.randint(max(1, now.seats_taken - 1), now.seats))

    def do_file(self) -> None:
        classes.file(self.training_class, by=self.admin, at=self.at)

    def do_return(self) -> None:
        classes.send_back(self.training_class, reason="样例", by=self.officer, at=self.at)
        # Otherwise nobody could apply any more, and the walk would come to rest.
        TrainingClass.objects.update(status="enrolling")

    def amend(self, seats: int) -> None:
        classes.amend(self.training_class, seats=seats, by=self.admin, at=self.at)

    def any_of(self, *statuses: str) -> Enrolment | None:
        rows = list(self.training_class.enrolments.filter(status__in=statuses).order_by("id"))
        return self.random.choice(rows) if rows else None

    def check(self, after: list[str]) -> None:
        now = TrainingClass.objects.get(pk=self.training_class.pk)
        holding = now.enrolments.holding_a_seat().count()
        line = now.enrolments.waiting().with_waitlist_position()
        places = [row.waitlist_position for row in line]
        assert now.seats_taken == holding <= now.seats, after
        assert places == list(range(1, len(places) + 1)), after
        assert now.status == "filed" or not places or now.seats_taken == now.seats, after


@pytest.mark.parametrize("seed", range(5))
def test_seats_and_line_agree_after_every_step(seed):
    walk, steps = Walk(seed), []

    for _ in range(STEPS):
        steps.append(walk.step())
        walk.check(steps[-5:])

    # A walk that was refused all the time would prove nothing.
    done = {"apply", "withdraw", "accept", "lapse", "raise", "lower", "file", "return"}
    assert set(steps) >= done
    assert TrainingClass.objects.filter(seats__gte=F("seats_taken")).exists()
