"""Attendance: what a punch is worth, marking, finishing, and rates worked out by hand."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.utils import timezone

from people.models import JournalEntry, Policy, User
from people.policies import AttendanceRules
from people.refusals import Refusal
from tests import factories
from tests.factories import moment
from tests.statements import statements
from training import attendance, attendance_rates
from training.attendance import Mark
from training.models import AttendanceRecord, ClassSession, Enrolment, TrainingClass

pytestmark = pytest.mark.django_db
RULES = AttendanceRules()  # ten minutes of grace on both ends, half credit by hand
DAY = date(2026, 3, 2)


@pytest.fixture
def running(institution: Any) -> TrainingClass:
    return factories.training_class("in_progress", institution=institution, seats=100)


@pytest.fixture
def session(running: TrainingClass) -> ClassSession:
    """A session of three hours that began half an hour ago."""
    return factories.session(running, timezone.now() - timedelta(minutes=30))


@pytest.fixture
def enrolment(running: TrainingClass) -> Enrolment:
    return factories.enrolment(running)


def begun(class_status: str, session_status: str) -> ClassSession:
    """Make a session that began half an hour ago, whatever the state of its class."""
    begins = timezone.now() - timedelta(minutes=30)
    return factories.session(factories.training_class(class_status), begins, status=session_status)


# -- deriving -------------------------------------------------------------------------------------

# A session from 08:30 to 11:30 with 180 planned minutes; times as hours and minutes.
WORTH = [
    # in      out      status        credited
    ("07:40", None, "present", 180),
    ("08:30", None, "present", 180),
    ("08:40", None, "present", 180),
    ("08:41", None, "late", 169),
    ("10:30", None, "late", 60),
    ("12:10", None, "late", 0),
    ("08:30", "11:30", "present", 180),
    ("08:35", "11:20", "present", 180),
    ("08:30", "11:19", "left_early", 169),
    ("08:35", "10:00", "left_early", 85),
    ("09:00", "10:00", "left_early", 60),
    ("09:00", "12:15", "late", 150),
    ("07:40", "08:00", "left_early", 0),
]


@pytest.mark.parametrize(("came", "left", "status", "credited"), WORTH)
def test_worth_of_punches(came: str, left: str | None, status: str, credited: int) -> None:
    session = ClassSession(
        starts_at=moment(DAY, "08:30"), ends_at=moment(DAY, "11:30"), planned_minutes=180
    )
    record = AttendanceRecord(
        status="unmarked",
        original_status="unmarked",
        in_at=moment(DAY, came),
        out_at=moment(DAY, left) if left else None,
    )

    attendance.derive(record, session, RULES)

    assert (record.status, record.credited_minutes) == (status, credited)
    assert record.original_status == status


def test_credit_never_exceeds_the_planned_minutes() -> None:
    """Three hours on the clock, of which a break takes half an hour."""
    session = ClassSession(
        starts_at=moment(DAY, "08:30"), ends_at=moment(DAY, "11:30"), planned_minutes=150
    )
    record = AttendanceRecord(
        status="unmarked", original_status="unmarked", in_at=moment(DAY, "08:45")
    )

    attendance.derive(record, session, RULES)

    assert (record.status, record.credited_minutes) == ("late", 150)


def test_leaving_without_having_come_is_not_judged() -> None:
    session = ClassSession(
        starts_at=moment(DAY, "08:30"), ends_at=moment(DAY, "11:30"), planned_minutes=180
    )
    record = AttendanceRecord(
        status="unmarked", original_status="unmarked", out_at=moment(DAY, "11:30")
    )

    attendance.derive(record, session, RULES)

    assert (record.status, record.credited_minutes) == ("unmarked", 0)


@pytest.mark.parametrize(
    ("status", "minutes"),
    [("present", 45), ("late", 23), ("left_early", 23), ("absent", 0), ("exempt", 45),
     ("on_leave", 0)],
)  # fmt: skip
def test_worth_of_a_mark_by_hand(status: str, minutes: int) -> None:
    assert attendance.credit(status, 45, RULES) == minutes


# -- marking --------------------------------------------------------------------------------------


def mark(session: ClassSession, by: User, *marks: Mark, at: datetime | None = None) -> None:
    attendance.mark(session, marks, by=by, at=at or timezone.now())


def test_mark_keeps_the_first_verdict(
    session: Any, enrolment: Any, institution_admin: User
) -> None:
    mark(session, institution_admin, Mark(enrolment.pk, "absent"))

    mark(session, institution_admin, Mark(enrolment.pk, "late", "火车晚点"))

    record = AttendanceRecord.objects.get()
    assert (record.status, record.original_status) == ("late", "absent")
    assert (record.credited_minutes, record.mode, record.note) == (90, "roster", "火车晚点")
    assert record.marked_by_id == institution_admin.pk
    changes = [
        entry.facts["marks"]
        for entry in JournalEntry.objects.filter(verb="attendance.mark").order_by("id")
    ]
    assert changes == [
        [[str(enrolment.pk), "unmarked", "absent"]],
        [[str(enrolment.pk), "absent", "late"]],
    ]


def test_marking_takes_as_many_statements_for_many_as_for_few(
    running: TrainingClass, institution_admin: User
) -> None:
    taken = []
    for size in (2, 40):
        session = factories.session(running, timezone.now())
        people = [factories.enrolment(running) for _ in range(size)]
        with statements() as found:
            mark(session, institution_admin, *(Mark(one.pk, "present") for one in people))
        taken.append(len(found))

    assert taken[0] == taken[1]
    assert taken[0] <= 8


def test_stranger_on_the_roster_stops_all_of_it(
    session: Any, enrolment: Any, institution_admin: User
) -> None:
    stranger = factories.enrolment(factories.training_class("in_progress"))
    dropped = factories.enrolment(session.training_class, status="dropped")

    with pytest.raises(attendance.NotOnRoster) as refused:
        mark(
            session,
            institution_admin,
            Mark(enrolment.pk, "present"),
            Mark(stranger.pk, "present"),
            Mark(dropped.pk, "present"),
        )

    assert refused.value.facts == {"indexes": [1, 2]}
    assert not AttendanceRecord.objects.exists()


@pytest.mark.parametrize(
    ("class_status", "session_status", "expected"),
    [
        ("closed", "scheduled", "class_closed"),
        ("closed", "finished", "class_closed"),
        ("filed", "scheduled", "class_not_approved"),
        ("cancelled", "scheduled", "class_not_approved"),
        ("in_progress", "cancelled", "session_cancelled"),
        ("suspended", "scheduled", None),
        ("in_progress", "finished", None),
    ],
)
def test_when_marks_are_taken(
    institution_admin: User, class_status: str, session_status: str, expected: str | None
) -> None:
    session = begun(class_status, session_status)
    enrolment = factories.enrolment(session.training_class)

    try:
        mark(session, institution_admin, Mark(enrolment.pk, "present"))
        refusal = None
    except Refusal as refused:
        refusal = refused.code

    assert refusal == expected
    assert AttendanceRecord.objects.exists() == (expected is None)


def test_presence_cannot_be_known_before_the_session(
    running: Any, enrolment: Any, institution_admin: User
) -> None:
    tomorrow = factories.session(running, timezone.now() + timedelta(days=1))

    with pytest.raises(attendance.SessionNotOpen):
        mark(tomorrow, institution_admin, Mark(enrolment.pk, "present"))
    mark(tomorrow, institution_admin, Mark(enrolment.pk, "exempt"))

    assert AttendanceRecord.objects.get().status == "exempt"


# -- finishing ------------------------------------------------------------------------------------


def test_finishing_makes_the_missing_absent_and_leaves_the_others(
    session: Any, running: Any, institution_admin: User
) -> None:
    came, excused, missing, left = [factories.enrolment(running) for _ in range(4)]
    waiting = factories.enrolment(running, status="waitlisted")
    mark(session, institution_admin, Mark(came.pk, "present"), Mark(excused.pk, "on_leave"))
    record_of(session, left, status="unmarked", out_at=timezone.now())

    finished = attendance.finish(session, by=institution_admin, at=timezone.now())

    assert finished.status == "finished"
    statuses = dict(AttendanceRecord.objects.values_list("enrolment", "status"))
    assert statuses == {
        came.pk: "present",
        excused.pk: "on_leave",
        missing.pk: "absent",
        left.pk: "absent",
    }
    assert waiting.pk not in statuses
    assert AttendanceRecord.objects.get(enrolment=left).original_status == "absent"
    assert JournalEntry.objects.filter(object_id=session.pk, verb="classsession.finish").exists()


def record_of(session: ClassSession, enrolment: Enrolment, **given: Any) -> AttendanceRecord:
    values = {
        "session": session,
        "enrolment": enrolment,
        "status": "present",
        "updated_at": timezone.now(),
    } | given
    return AttendanceRecord.objects.create(original_status=values["status"], **values)


def test_finishing_takes_as_many_statements_for_many_as_for_few(
    running: TrainingClass, institution_admin: User
) -> None:
    taken = []
    for more in (2, 38):
        for _ in range(more):
            factories.enrolment(running)
        session = factories.session(running, timezone.now())
        with statements() as found:
            attendance.finish(session, by=institution_admin, at=timezone.now())
        taken.append(len(found))

    assert taken[0] == taken[1]
    assert AttendanceRecord.objects.filter(status="absent").count() == 2 + 40


@pytest.mark.parametrize(
    ("class_status", "session_status", "minutes", "expected"),
    [
        ("in_progress", "scheduled", -1, "session_not_open"),
        ("in_progress", "scheduled", 0, None),
        ("in_progress", "finished", 0, "wrong_status"),
        ("in_progress", "cancelled", 0, "session_cancelled"),
        ("closed", "scheduled", 0, "class_closed"),
        ("enrolling", "scheduled", 0, "class_not_approved"),
    ],
)
def test_when_a_session_can_be_finished(
    institution_admin: User,
    class_status: str,
    session_status: str,
    minutes: int,
    expected: str | None,
) -> None:
    session = begun(class_status, session_status)
    at = session.starts_at + timedelta(minutes=minutes)

    try:
        attendance.finish(session, by=institution_admin, at=at)
        refusal = None
    except Refusal as refused:
        refusal = refused.code

    assert refusal == expected


# -- rates ----------------------------------------------------------------------------------------


def week(running: TrainingClass) -> list[ClassSession]:
    """Plan 600 minutes: two sessions are over, one goes on, two are to come; one is cancelled."""
    now = timezone.now()
    plan = [(-50, 120), (-26, 60), (-1, 180), (20, 120), (40, 120)]
    planned = [
        factories.session(
            running,
            now + timedelta(hours=hours),
            ends_at=now + timedelta(hours=hours, minutes=minutes),
        )
        for hours, minutes in plan
    ]
    factories.session(running, now - timedelta(hours=80), status="cancelled")
    return planned


def rate(enrolment: Enrolment) -> attendance_rates.Rate:
    return attendance_rates.rate_of(enrolment, at=timezone.now())


def test_rate_counts_all_planned_minutes(running: Any, enrolment: Any) -> None:
    first, second, *_ = week(running)
    record_of(first, enrolment, credited_minutes=120)
    record_of(second, enrolment, status="late", credited_minutes=40)

    found = rate(enrolment)

    assert (found.planned_minutes, found.credited_minutes) == (600, 160)
    assert found.rate == Fraction(160, 600)
    assert found.rate_so_far == Fraction(160, 180)
    assert found.required_rate == Fraction(4, 5)
    # 160 and the 420 that are left make 580 of 600.
    assert found.open_minutes == 420
    assert found.can_still_pass is True


def test_can_no_longer_pass_is_told_as_soon_as_it_is_true(running: Any, enrolment: Any) -> None:
    first, *_ = week(running)
    # Of 600 minutes 480 are needed; 420 are left.
    record = record_of(first, enrolment, status="late", credited_minutes=60)
    assert rate(enrolment).can_still_pass is True

    AttendanceRecord.objects.filter(pk=record.pk).update(credited_minutes=59)

    assert rate(enrolment).can_still_pass is False


def test_session_that_goes_on_gives_what_it_was_judged_to_give(
    running: Any, enrolment: Any
) -> None:
    sessions = week(running)
    record_of(sessions[2], enrolment, status="late", credited_minutes=100)

    found = rate(enrolment)

    assert (found.credited_minutes, found.open_minutes) == (100, 240)
    assert found.rate_so_far == 0


def test_finished_before_its_end_is_over(running: Any, enrolment: Any) -> None:
    sessions = week(running)
    ClassSession.objects.filter(pk=sessions[2].pk).update(status="finished")
    record_of(sessions[2], enrolment, credited_minutes=180)

    found = rate(enrolment)

    assert (found.past_minutes, found.past_credited_minutes) == (360, 180)
    assert found.open_minutes == 240


def test_cancelled_session_counts_neither_way(running: Any, enrolment: Any) -> None:
    sessions = week(running)
    record_of(sessions[0], enrolment, credited_minutes=120)
    ClassSession.objects.filter(pk=sessions[0].pk).update(status="cancelled")

    found = rate(enrolment)

    assert (found.planned_minutes, found.credited_minutes) == (480, 0)


def test_without_sessions_there_is_no_rate(enrolment: Any) -> None:
    found = rate(enrolment)

    assert (found.rate, found.rate_so_far, found.can_still_pass) == (None, None, None)


def test_required_rate_is_that_of_the_region_on_the_day(
    running: Any, enrolment: Any, officer: User
) -> None:
    """A version of tomorrow does not count today; the city's is overruled by the county's."""

    def publish(region: Any, depth: int, rate: str, day: int) -> Policy:
        return Policy.objects.create(
            kind="attendance",
            region=region,
            depth=depth,
            effective_from=factories.day(day),
            values={"required_rate": rate},
            basis="测试文件",
            approved_by=officer,
            published_at=timezone.now(),
        )

    publish(factories.region(factories.CITY), 2, "0.90", -3)
    county = publish(running.region, 3, "0.75", -30)
    publish(running.region, 3, "0.99", 1)

    found = rate(enrolment)

    assert found.required_rate == Fraction(3, 4)
    assert found.policy_id == county.pk


@pytest.mark.parametrize(
    ("ratio", "shown", "percent"),
    [
        (None, None, ""),
        (Fraction(0), "0.0000", "0.00%"),
        (Fraction(1), "1.0000", "100.00%"),
        (Fraction(2, 3), "0.6667", "66.67%"),
        (Fraction(1, 3), "0.3333", "33.33%"),
        (Fraction(12345, 100_000), "0.1235", "12.35%"),
        (Fraction(12344_9999, 10**9), "0.1234", "12.34%"),
    ],
)
def test_a_ratio_is_shown_rounded_half_up(
    ratio: Fraction | None, shown: str | None, percent: str
) -> None:
    assert attendance_rates.shown(ratio) == shown
    assert attendance_rates.percent(ratio) == percent


def test_rates_of_a_class_are_those_of_each_and_take_three_statements(running: Any) -> None:
    first, second, *_ = week(running)
    people = [factories.enrolment(running) for _ in range(12)]
    for number, person in enumerate(people):
        record_of(first, person, credited_minutes=number * 10)
        record_of(second, person, credited_minutes=number)
    nobody = factories.enrolment(running)

    with statements() as found:
        rates = attendance_rates.rates_of(running, at=timezone.now())

    assert len(found) == 3
    assert set(rates) == {nobody.pk, *(person.pk for person in people)}
    assert rates[nobody.pk].rate == 0
    assert [rates[person.pk].credited_minutes for person in people] == [
        number * 11 for number in range(12)
    ]


def test_exact_rate_meets_the_threshold(running: Any, enrolment: Any) -> None:
    """Two thirds are two thirds, whatever a rounded figure would say."""
    session = factories.session(running, timezone.now() - timedelta(days=1))
    record_of(session, enrolment, credited_minutes=120)

    found = rate(enrolment)

    assert found.rate == Fraction(2, 3)
