"""Sessions: the timetable, and nobody in two places at once."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from people.models import JournalEntry, Notice
from people.refusals import WrongStatus
from tests import factories
from tests.factories import day, moment
from training import bookings, sessions
from training.models import ClassSession, TrainingClass

pytestmark = pytest.mark.django_db


def schedule(
    training_class: TrainingClass, begins: str = "08:30", ends: str = "11:30", **given: Any
) -> list[ClassSession]:
    on = given.pop("on", training_class.starts_on)
    periods = [(moment(on, begins), moment(on, ends))]
    by = training_class.created_by
    return sessions.schedule(training_class, periods, **given, by=by, at=timezone.now())


def test_a_session_gets_a_secret_of_160_random_bits_of_its_own():
    training_class = factories.training_class()

    [first] = schedule(training_class)
    [second] = schedule(training_class, "13:00", "14:00")

    assert len(first.secret) == 32
    assert first.secret != second.secret
    assert first.planned_minutes == 180


@pytest.mark.parametrize("state", ["filed", "approved", "in_progress", "closed", "cancelled"])
def test_sessions_are_added_only_while_the_class_is_planned(state):
    training_class = factories.training_class(state)

    with pytest.raises(WrongStatus):
        schedule(training_class)


@pytest.mark.parametrize("offset", [-1, 1])
def test_a_session_lies_within_the_days_of_its_class(offset):
    training_class = factories.training_class()
    outside = training_class.starts_on if offset < 0 else training_class.ends_on

    with pytest.raises(bookings.OutsideClassDays):
        schedule(training_class, on=outside + timedelta(days=offset))


# -- conflicts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends", "free"),
    [
        ("07:00", "08:30", True),  # touches the beginning
        ("11:30", "12:00", True),  # touches the end
        ("07:00", "08:31", False),
        ("11:29", "12:00", False),
        ("09:00", "10:00", False),  # inside
        ("07:00", "12:00", False),  # around
    ],
)
def test_a_room_is_taken_for_exactly_its_time(begins, ends, free):
    booked = factories.session(factories.training_class())
    other = factories.training_class(institution=booked.training_class.institution)

    if free:
        schedule(other, begins, ends, venue=booked.venue)
    else:
        with pytest.raises(bookings.BookingConflict) as refused:
            schedule(other, begins, ends, venue=booked.venue)
        assert refused.value.facts == {
            "kind": "venue",
            "session_id": booked.pk,
            "starts_at": booked.starts_at,
            "ends_at": booked.ends_at,
        }


def test_a_cancelled_session_leaves_its_room_free():
    booked = factories.session(factories.training_class(), status="cancelled")

    school = booked.training_class.institution
    made = schedule(factories.training_class(institution=school), venue=booked.venue)

    assert len(made) == 1


def test_a_trainer_of_two_institutions_is_one_person():
    teacher = factories.user()
    booked = factories.training_class("enrolling")
    session = factories.session(booked, trainer=factories.trainer(booked.institution, teacher))
    other = factories.training_class()

    with pytest.raises(bookings.BookingConflict) as refused:
        schedule(other, trainer=factories.trainer(other.institution, teacher))

    assert refused.value.facts["kind"] == "trainer"
    assert refused.value.facts["session_id"] == session.pk


def test_a_booking_that_the_caller_cannot_see_tells_its_time_only():
    teacher = factories.user()
    draft = factories.training_class("draft")
    session = factories.session(draft, trainer=factories.trainer(draft.institution, teacher))
    other = factories.training_class()

    with pytest.raises(bookings.BookingConflict) as refused:
        schedule(other, trainer=factories.trainer(other.institution, teacher))

    assert refused.value.facts == {
        "kind": "trainer",
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
    }


def test_two_trainers_without_accounts_are_two_people():
    booked = factories.session(factories.training_class())
    other = factories.training_class()

    made = schedule(other, trainer=factories.trainer(other.institution))

    assert booked.trainer_id != made[0].trainer_id


def test_the_people_of_a_class_are_not_taught_twice_at_once():
    training_class = factories.training_class()
    factories.session(training_class)

    with pytest.raises(bookings.BookingConflict) as refused:
        schedule(training_class, "10:00", "12:00")

    assert refused.value.facts["kind"] == "class"


def test_somebody_with_seats_in_two_classes_is_not_booked_twice():
    person = factories.person()
    taken, growing = factories.training_class("enrolling"), factories.training_class("enrolling")
    session = factories.session(taken)
    for training_class in (taken, growing):
        factories.enrolment(training_class, person)

    with pytest.raises(bookings.BookingConflict) as refused:
        schedule(growing)

    assert refused.value.facts["kind"] == "trainee"
    assert refused.value.facts["session_id"] == session.pk


@pytest.mark.parametrize("kind", ["trainer", "venue"])
def test_who_is_not_active_is_not_booked(kind):
    training_class = factories.training_class()
    retired = getattr(factories, kind)(training_class.institution, active=False)

    with pytest.raises(bookings.NotAvailable) as refused:
        schedule(training_class, **{kind: retired})

    assert refused.value.facts == {"kind": kind}


def test_a_trainer_teaches_only_where_engaged():
    stranger = factories.trainer(factories.institution())

    with pytest.raises(bookings.NotAvailable):
        schedule(factories.training_class(), trainer=stranger)


def test_a_class_is_taught_in_rooms_of_its_own_institution():
    training_class = factories.training_class()
    session = factories.session(training_class)
    room = factories.venue(factories.institution())

    with pytest.raises(bookings.NotAvailable) as refused:
        schedule(training_class, "13:00", "14:00", venue=room)
    with pytest.raises(bookings.NotAvailable):
        reschedule(session, venue=room)

    assert refused.value.facts == {"kind": "venue"}
    assert training_class.sessions.get().venue != room


# -- series -----------------------------------------------------------------------------------


def test_a_series_falls_on_its_weekdays_except_the_days_to_skip():
    series = sessions.Recurrence(
        weekdays=frozenset({1, 3}),
        starts_time=time(8, 30),
        ends_time=time(11, 30),
        first=date(2026, 9, 28),  # a Monday
        last=date(2026, 10, 14),  # a Wednesday
        skip=frozenset({date(2026, 10, 5), date(2026, 10, 7)}),
    )

    periods = series.periods()

    days = [starts_at.date() for starts_at, _ in periods]
    assert days == [date(2026, 9, 28), date(2026, 9, 30), date(2026, 10, 12), date(2026, 10, 14)]
    assert {starts_at.isoformat()[11:] for starts_at, _ in periods} == {"08:30:00+08:00"}


@pytest.mark.parametrize("count", [3, 60])
def test_a_series_costs_the_same_whatever_its_length(count, django_assert_max_num_queries):
    training_class = factories.training_class("draft", ends_on=day(100))
    room = factories.venue(training_class.institution)
    teacher = factories.trainer(training_class.institution)
    periods = [(moment(day(10 + n)), moment(day(10 + n), "11:30")) for n in range(count)]

    with django_assert_max_num_queries(8):
        sessions.schedule(
            training_class,
            periods,
            venue=room,
            trainer=teacher,
            by=training_class.created_by,
            at=timezone.now(),
        )

    assert training_class.sessions.count() == count
    assert JournalEntry.objects.filter(verb="classsession.schedule").count() == count


def test_a_series_is_made_wholly_or_not_at_all():
    training_class = factories.training_class()
    room = factories.venue(training_class.institution)
    factories.session(factories.training_class(), moment(day(9)), venue=room)
    periods = [(moment(day(n)), moment(day(n), "11:30")) for n in (8, 9, 10)]

    with pytest.raises(bookings.BookingConflict):
        sessions.schedule(
            training_class,
            periods,
            venue=room,
            by=training_class.created_by,
            at=timezone.now(),
        )

    assert not training_class.sessions.exists()


def test_a_series_may_touch_what_lies_between_its_days():
    training_class = factories.training_class()
    room = factories.venue(training_class.institution)
    for begins, ends in (("07:00", "08:30"), ("11:30", "12:00")):
        factories.session(
            factories.training_class(),
            moment(day(9), begins),
            ends_at=moment(day(9), ends),
            venue=room,
        )
    periods = [(moment(day(n)), moment(day(n), "11:30")) for n in (8, 9, 10)]

    made = sessions.schedule(
        training_class, periods, venue=room, by=training_class.created_by, at=timezone.now()
    )

    assert len(made) == 3


def test_a_series_has_200_sessions_at_most():
    training_class = factories.training_class("draft", ends_on=day(400))
    series = sessions.Recurrence(
        weekdays=frozenset(range(1, 8)),
        starts_time=time(8),
        ends_time=time(9),
        first=day(7),
        last=day(7 + 200),
    )

    with pytest.raises(sessions.TooManySessions):
        sessions.schedule(
            training_class, series.periods(), by=training_class.created_by, at=timezone.now()
        )


# -- moving -----------------------------------------------------------------------------------


def reschedule(session: ClassSession, **changes: Any) -> ClassSession:
    by = session.training_class.created_by
    return sessions.reschedule(session, **changes, by=by, at=timezone.now())


@pytest.mark.parametrize(
    ("state", "movable"),
    [
        ("draft", True),
        ("enrolling", True),
        ("returned", True),
        ("filed", False),
        ("approved", True),
        ("in_progress", True),
        ("suspended", True),
        ("closed", False),
    ],
)
@pytest.mark.parametrize("verb", ["reschedule", "cancel"])
def test_sessions_move_except_while_the_bureau_looks_and_after_the_end(state, movable, verb):
    training_class = factories.training_class(state)
    session = factories.session(training_class, moment(training_class.ends_on))
    act = {
        "reschedule": lambda: reschedule(session, topic="样例主题"),
        "cancel": lambda: cancel(session),
    }[verb]

    if movable:
        act()
    else:
        with pytest.raises(WrongStatus):
            act()


def cancel(session: ClassSession) -> ClassSession:
    by = session.training_class.created_by
    return sessions.cancel(session, reason="停电", by=by, at=timezone.now())


@pytest.mark.parametrize("act", [cancel, reschedule])
def test_what_has_begun_stays(act):
    session = factories.session(
        factories.training_class("in_progress"), timezone.now() - timedelta(minutes=1)
    )

    with pytest.raises(sessions.SessionHasBegun):
        act(session)


@pytest.mark.parametrize("status", ["finished", "cancelled"])
def test_what_is_finished_or_cancelled_stays(status):
    session = factories.session(factories.training_class(), status=status)

    with pytest.raises(WrongStatus):
        cancel(session)


def test_a_moved_session_may_overlap_its_own_old_time_and_recounts_its_minutes():
    session = factories.session(factories.training_class())

    reschedule(session, ends_at=session.starts_at + timedelta(hours=2))

    session.refresh_from_db()
    assert session.planned_minutes == 120


def test_a_moved_session_meets_other_bookings():
    session = factories.session(factories.training_class())
    school = session.training_class.institution
    other = factories.session(factories.training_class(institution=school), moment(day(9)))

    with pytest.raises(bookings.BookingConflict):
        reschedule(session, starts_at=other.starts_at, ends_at=other.ends_at, venue=other.venue)

    session.refresh_from_db()
    assert session.starts_at == moment(day(7))


def test_everyone_with_a_seat_hears_of_a_move_and_of_a_cancellation():
    training_class = factories.training_class("approved")
    seated = factories.enrolment(training_class)
    factories.enrolment(training_class, status="waitlisted")
    session = factories.session(training_class)

    reschedule(session, starts_at=session.starts_at + timedelta(minutes=30))
    cancel(session)

    told = Notice.objects.order_by("id").values_list("person_id", "code")
    assert list(told) == [
        (seated.person_id, "session_rescheduled"),
        (seated.person_id, "session_cancelled"),
    ]


def test_a_new_topic_is_no_news():
    training_class = factories.training_class("approved")
    factories.enrolment(training_class)

    reschedule(factories.session(training_class), topic="样例主题")

    assert not Notice.objects.exists()
