"""Seats under a rush: everybody presses at once, each on a connection of their own."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from people.roles import Role
from tests import factories
from tests.contract import document
from training import enrolments, seats, waiting_lists
from training.models import Enrolment, TrainingClass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CROWD = 64
SEATS = [1, 2, 5, 10, 20]


def all_at_once(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do everything in the same moment, one thread each; an error counts as its answer."""
    barrier = threading.Barrier(len(actions))
    answers: list[Any] = [None] * len(actions)

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            answers[number] = actions[number]()
        except Exception as error:
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return answers


@pytest.fixture(autouse=True)
def _ready_and_tidy() -> Iterator[None]:
    document(settings.ROOT_URLCONF)  # made before the rush, because making it is not thread-safe
    yield
    if connection.vendor == "postgresql":  # a pooled connection would keep the database in use
        connection.close()
        connection.close_pool()


def said(answers: Sequence[Any]) -> Counter[Any]:
    """Count what was answered: status of the enrolment, or code of the refusal."""
    return Counter(
        repr(answer)
        if isinstance(answer, Exception)
        else (answer.status_code, answer.json().get("code") or answer.json()["status"])
        for answer in answers
    )


@pytest.mark.parametrize("free", SEATS)
def test_as_many_are_admitted_as_there_are_seats(as_, free):
    training_class = factories.training_class("enrolling", seats=free)
    people = [as_(factories.user(person=factories.person())) for _ in range(CROWD)]
    path = f"/api/v1/classes/{training_class.pk}/enrolments"

    answers = all_at_once([lambda client=client: client.post(path, {}) for client in people])

    training_class.refresh_from_db()
    assert said(answers) == {(201, "admitted"): free, (201, "waitlisted"): CROWD - free}
    assert training_class.seats_taken == free
    assert training_class.enrolments.holding_a_seat().count() == free
    line = training_class.enrolments.waiting().with_waitlist_position()
    assert [row.waitlist_position for row in line] == list(range(1, CROWD - free + 1))


@pytest.mark.parametrize("free", SEATS)
def test_staff_admit_as_many_as_there_are_seats(as_, free):
    training_class = factories.training_class("enrolling", seats=free, admission="review")
    rows = [factories.enrolment(training_class, status="applied") for _ in range(CROWD)]
    staff = [
        as_(factories.user(roles=[(Role.INSTITUTION_ADMIN, training_class.institution)]))
        for _ in rows
    ]

    answers = all_at_once(
        [
            lambda client=client, row=row: client.post(f"/api/v1/enrolments/{row.pk}/admit", {})
            for client, row in zip(staff, rows, strict=True)
        ]
    )

    training_class.refresh_from_db()
    assert said(answers) == {(200, "admitted"): free, (409, "class_full"): CROWD - free}
    assert training_class.seats_taken == free
    assert training_class.enrolments.holding_a_seat().count() == free


def test_one_person_pressing_many_times_is_enrolled_once(as_):
    training_class = factories.training_class("enrolling", seats=20)
    client = as_(factories.user(person=factories.person()))
    path = f"/api/v1/classes/{training_class.pk}/enrolments"

    answers = all_at_once([lambda: client.post(path, {}) for _ in range(12)])

    training_class.refresh_from_db()
    assert said(answers) == {(201, "admitted"): 1, (409, "already_enrolled"): 11}
    assert training_class.seats_taken == 1


def test_one_person_cannot_be_in_two_classes_at_once(as_):
    classes = [factories.training_class("enrolling") for _ in range(2)]
    for training_class in classes:
        factories.session(training_class)
    client = as_(factories.user(person=factories.person()))

    answers = all_at_once(
        [
            lambda path=f"/api/v1/classes/{each.pk}/enrolments": client.post(path, {})
            for each in classes * 4
        ]
    )

    counted = said(answers)
    assert counted[201, "admitted"] == 1
    assert counted[409, "overlapping_class"] == 4
    assert Enrolment.objects.holding_a_seat().count() == 1


def test_seats_given_back_in_a_rush_all_pass_to_the_line():
    training_class = factories.training_class("enrolling", seats=12)
    leaving = [factories.enrolment(training_class) for _ in range(12)]
    for _ in range(8):
        factories.enrolment(training_class, status="waitlisted")
    by, at = training_class.created_by, timezone.now()
    people = [factories.person() for _ in range(12)]

    all_at_once(
        [lambda row=row: enrolments.withdraw(row, reason="样例", by=by, at=at) for row in leaving]
        + [
            lambda person=person: enrolments.apply(training_class, person, by=by, at=at)
            for person in people
        ]
    )

    agree(training_class)
    assert training_class.enrolments.live().count() == 20


def test_a_seat_that_comes_free_while_somebody_joins_the_line_is_offered_to_them(monkeypatch):
    training_class = factories.training_class("enrolling", seats=1)
    leaving, person = factories.enrolment(training_class), factories.person()
    by, at = training_class.created_by, timezone.now()
    joining, left = threading.Event(), threading.Event()
    lock_class = seats.lock_class

    def lock_and_linger(class_id: Any) -> TrainingClass:
        locked = lock_class(class_id)
        if threading.current_thread() is joiner and not joining.is_set():
            joining.set()
            left.wait(timeout=1)  # in vain, if the lock holds
        return locked

    def leave() -> None:
        joining.wait(timeout=10)
        enrolments.withdraw(leaving, reason="样例", by=by, at=at)
        left.set()

    monkeypatch.setattr(seats, "lock_class", lock_and_linger)
    joiner = closing_thread(lambda: enrolments.apply(training_class, person, by=by, at=at))
    leaver = closing_thread(leave)
    for thread in (joiner, leaver):
        thread.start()
    for thread in (joiner, leaver):
        thread.join(timeout=30)

    agree(training_class)
    assert training_class.enrolments.get(person=person).status == "offered"


def closing_thread(action: Callable[[], Any]) -> threading.Thread:
    """Make a thread that closes the connection it opened."""

    def run() -> None:
        try:
            action()
        finally:
            connections.close_all()

    return threading.Thread(target=run)


def test_an_offer_is_confirmed_or_lapses_never_both():
    training_class = factories.training_class("enrolling", seats=10)
    ends_at = timezone.now() + timedelta(hours=1)
    rows = [
        factories.enrolment(training_class, status="offered", offer_expires_at=ends_at)
        for _ in range(10)
    ]
    for _ in range(10):
        factories.enrolment(training_class, status="waitlisted")
    by = training_class.created_by
    before, after = ends_at - timedelta(seconds=1), ends_at

    all_at_once(
        [lambda row=row: enrolments.accept(row, by=by, at=before) for row in rows]
        + [lambda: waiting_lists.lapse_expired_offers(at=after) for _ in range(4)]
    )

    agree(training_class)
    statuses = Counter(Enrolment.objects.values_list("status", flat=True))
    assert statuses["admitted"] + statuses["lapsed"] == 10
    assert statuses["offered"] == statuses["lapsed"]


def agree(training_class: TrainingClass) -> None:
    """Check that the counter, the rows and the line say the same."""
    training_class.refresh_from_db()
    holding = training_class.enrolments.holding_a_seat().count()
    line = training_class.enrolments.waiting().with_waitlist_position()
    places = [row.waitlist_position for row in line]
    assert training_class.seats_taken == holding <= training_class.seats
    assert places == list(range(1, len(places) + 1))
    assert not places or holding == training_class.seats
