"""The check-in door: every refusal is named and kept, every retry is the same punch."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from people.models import JournalEntry, Policy, StoredAnswer, User
from people.roles import Role
from tests import factories
from tests.contract import ContractClient
from tests.statements import statements
from training import totp
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Enrolment,
    TrainingClass,
    Venue,
)

pytestmark = pytest.mark.django_db
As = Callable[..., ContractClient]
STEP = 30


@pytest.fixture
def session(institution: Any) -> ClassSession:
    """A session that began five minutes ago, in a class that runs."""
    running = factories.training_class("in_progress", institution=institution)
    return factories.session(running, timezone.now() - timedelta(minutes=5))


@pytest.fixture
def enrolment(session: ClassSession, trainee: User) -> Enrolment:
    return factories.enrolment(session.training_class, trainee.person)


def step_now() -> int:
    return totp.step_at(timezone.now(), STEP)


def punch(session: ClassSession, **given: Any) -> dict[str, Any]:
    """Make a body that is right in everything, unless told otherwise."""
    step = given.pop("of_step", step_now())
    return {
        "kind": "in",
        "code": totp.code_of(session.secret, step),
        "captured_at": timezone.now().isoformat(),
        "device_id": "phone-1",
    } | given


def path(session: ClassSession) -> str:
    return f"/api/v1/sessions/{session.pk}/check-ins"


def set_class(session: ClassSession, **values: Any) -> None:
    TrainingClass.objects.filter(pk=session.training_class_id).update(**values)


def set_session(session: ClassSession, **values: Any) -> None:
    ClassSession.objects.filter(pk=session.pk).update(**values)


# -- accepted -------------------------------------------------------------------------------------


def test_trainee_checks_in(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    response = as_(trainee).post(path(session), punch(session))

    assert response.status_code == 201
    answer = response.json()
    assert answer["verdict"] == "accepted"
    assert answer["reason"] is None
    assert answer["flags"] == []
    record = AttendanceRecord.objects.get()
    assert answer["record"]["id"] == str(record.pk)
    assert (record.status, record.credited_minutes) == ("present", 180)
    assert (record.enrolment_id, record.session_id) == (enrolment.pk, session.pk)
    event = AttendanceEvent.objects.get()
    assert str(event.pk) == answer["id"]
    assert (event.by_id, event.was_offline) == (trainee.pk, False)
    entry = JournalEntry.objects.get(verb="attendance.check_in")
    assert (entry.by_id, entry.region_id) == (trainee.pk, session.training_class.region_id)


def test_late_after_the_grace(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    now = timezone.now()
    set_session(session, starts_at=now - timedelta(minutes=40), ends_at=now + timedelta(hours=2))
    set_session(session, planned_minutes=160)

    answer = as_(trainee).post(path(session), punch(session)).json()

    assert answer["record"]["status"] == "late"
    assert answer["record"]["credited_minutes"] in {119, 120}


def test_leaving_early_counts_what_was_attended(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    client.post(path(session), punch(session))

    answer = client.post(path(session), punch(session, kind="out")).json()

    assert answer["record"]["status"] == "left_early"
    # In five minutes after the start, out at once.
    assert answer["record"]["credited_minutes"] == 0
    assert answer["record"]["original_status"] == "present"
    assert answer["flags"] == ["code_replay"]


def test_spot_check_proves_presence_and_changes_no_record(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)

    answers = [client.post(path(session), punch(session, kind="spot")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["record"] is None
    assert not AttendanceRecord.objects.exists()


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_code_next_to_the_current_step_counts(
    as_: As, session: Any, enrolment: Any, trainee: User, offset: int
) -> None:
    body = punch(session, of_step=step_now() + offset)

    assert as_(trainee).post(path(session), body).status_code == 201


def test_staff_who_learn_check_in_like_everybody(as_: As, session: Any, institution: Any) -> None:
    person = factories.person()
    member = factories.user(person=person, roles=[(Role.TRAINER, factories.institution())])
    factories.enrolment(session.training_class, person)

    assert as_(member).post(path(session), punch(session)).status_code == 201


# -- refused, and stored --------------------------------------------------------------------------


def refuse(client: Any, session: ClassSession, body: dict[str, Any]) -> str:
    """Send a punch that has to be refused; tell the code after checking that all of it is kept."""
    before = AttendanceEvent.objects.count()
    response = client.post(path(session), body)
    assert response.status_code == 409, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    facts = problem["facts"]
    event = AttendanceEvent.objects.get(pk=facts["id"])
    assert AttendanceEvent.objects.count() == before + 1
    assert facts["verdict"] == event.verdict == "refused"
    assert problem["code"] == facts["reason"] == event.reason
    assert {"flags", "record"} <= set(facts)
    assert JournalEntry.objects.filter(verb="attendance.refuse", object_id=event.pk).exists()
    assert not StoredAnswer.objects.exists()
    return str(event.reason)


def wrong(session: ClassSession) -> str:
    near = {totp.code_of(session.secret, step_now() + n) for n in range(-200, 3)}
    return next(code for code in ("000000", "111111", "222222") if code not in near)


def test_wrong_code(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    assert refuse(as_(trainee), session, punch(session, code=wrong(session))) == "wrong_code"
    assert not AttendanceRecord.objects.exists()


def test_code_of_the_future_is_wrong(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    later = step_now() + 5

    assert refuse(as_(trainee), session, punch(session, of_step=later)) == "wrong_code"
    assert refuse(as_(trainee), session, punch(session, of_step=later, step=later)) == "wrong_code"


def test_old_code_without_its_step_has_expired(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    body = punch(session, of_step=step_now() - 2)

    assert refuse(as_(trainee), session, body) == "code_expired"


@pytest.mark.parametrize("steps_ago", [4, 5, 8])
def test_still_older_code_is_only_wrong(
    as_: As, session: Any, enrolment: Any, trainee: User, steps_ago: int
) -> None:
    """Otherwise guessers would learn which codes were shown at all, and claim them offline."""
    body = punch(session, of_step=step_now() - steps_ago)

    assert refuse(as_(trainee), session, body) == "wrong_code"


def test_code_of_another_session_is_wrong(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    other = factories.session(session.training_class, timezone.now())

    assert refuse(as_(trainee), session, punch(other)) == "wrong_code"


def test_stranger_is_not_enrolled(as_: As, session: Any, trainee: User) -> None:
    assert refuse(as_(trainee), session, punch(session)) == "not_enrolled"
    assert AttendanceEvent.objects.get().enrolment_id is None


def test_account_without_person_is_not_enrolled(as_: As, session: Any) -> None:
    assert refuse(as_(factories.user()), session, punch(session)) == "not_enrolled"


@pytest.mark.parametrize("status", ["waitlisted", "withdrawn", "dropped"])
def test_only_the_admitted_are_enrolled(as_: As, session: Any, trainee: User, status: str) -> None:
    factories.enrolment(session.training_class, trainee.person, status)

    assert refuse(as_(trainee), session, punch(session)) == "not_enrolled"


@pytest.mark.parametrize(
    ("starts", "ends"),
    [(timedelta(minutes=70), timedelta(hours=3)), (-timedelta(hours=4), -timedelta(minutes=70))],
    ids=["before it opens", "after it closed"],
)
def test_session_that_is_not_open(
    as_: As, session: Any, enrolment: Any, trainee: User, starts: Any, ends: Any
) -> None:
    now = timezone.now()
    set_session(session, starts_at=now + starts, ends_at=now + ends)

    assert refuse(as_(trainee), session, punch(session)) == "session_not_open"


def test_finished_session_takes_nothing_but_offline_punches(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    set_session(session, status="finished")

    assert refuse(as_(trainee), session, punch(session)) == "session_not_open"


def test_cancelled_session(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    set_session(session, status="cancelled")

    assert refuse(as_(trainee), session, punch(session)) == "session_cancelled"


@pytest.mark.parametrize("kind", ["in", "out"])
def test_already_checked_in(
    as_: As, session: Any, enrolment: Any, trainee: User, kind: str
) -> None:
    client = as_(trainee)
    client.post(path(session), punch(session, kind=kind))

    assert refuse_again(client, session, punch(session, kind=kind)) == "already_checked_in"


def refuse_again(client: Any, session: ClassSession, body: dict[str, Any]) -> str:
    StoredAnswer.objects.all().delete()
    return refuse(client, session, body)


@pytest.mark.parametrize("state", ["enrolling", "filed", "returned", "cancelled"])
def test_class_that_is_not_approved(as_: As, trainee: User, state: str) -> None:
    planned = factories.training_class(state)
    session = factories.session(planned, timezone.now() - timedelta(minutes=5))
    factories.enrolment(planned, trainee.person)

    assert refuse(as_(trainee), session, punch(session)) == "class_not_approved"


def test_approved_class_takes_check_ins(as_: As, trainee: User) -> None:
    approved = factories.training_class("approved")
    session = factories.session(approved, timezone.now() - timedelta(minutes=5))
    factories.enrolment(approved, trainee.person)

    assert as_(trainee).post(path(session), punch(session)).status_code == 201


@pytest.mark.parametrize("state", ["suspended", "closed"])
def test_nothing_is_open_in_a_resting_class(as_: As, trainee: User, state: str) -> None:
    resting = factories.training_class(state)
    session = factories.session(resting, timezone.now() - timedelta(minutes=5))
    factories.enrolment(resting, trainee.person)

    assert refuse(as_(trainee), session, punch(session)) == "session_not_open"


def test_device_of_somebody_else(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    body = punch(session, device_id="phone-of-a-friend")

    assert refuse(as_(trainee), session, body) == "device_not_yours"
    assert AttendanceEvent.objects.get().device_id == "phone-of-a-friend"


# -- guessing and flooding ------------------------------------------------------------------------


def guess(client: Any, session: ClassSession, times: int = 1, **given: Any) -> list[Any]:
    body = punch(session, code=wrong(session)) | given
    return [client.post(path(session), body) for _ in range(times)]


def is_locked(response: Any) -> bool:
    assert (response.status_code, response.json()["code"]) == (409, "wrong_code")
    return response.json()["facts"].get("locked", False)


def test_after_ten_wrong_codes_even_the_right_one_is_not_looked_at(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    assert not any(map(is_locked, guess(client, session, 10)))

    right = client.post(path(session), punch(session))

    assert is_locked(right)
    assert not AttendanceRecord.objects.exists()


def test_tenth_code_may_still_be_right(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    guess(client, session, 9)

    assert client.post(path(session), punch(session)).status_code == 201


def test_expired_codes_and_claims_made_offline_are_guesses_too(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client, at = as_(trainee), step_now() - 4
    guess(client, session, 4)
    guess(client, session, 4, step=at)
    for _ in range(2):
        body = punch(session, of_step=step_now() - 2)
        assert client.post(path(session), body).json()["code"] == "code_expired"

    assert is_locked(client.post(path(session), offline(session, 3)))
    assert is_locked(client.post(path(session), punch(session)))


def test_right_codes_do_not_count_as_guesses(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)

    answers = [client.post(path(session), punch(session, kind="spot")) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {201}
    assert not any(map(is_locked, guess(client, session, 10)))


def test_lock_is_of_one_account_in_one_session(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    friend = factories.user(person=factories.person())
    factories.enrolment(session.training_class, friend.person)
    next_one = factories.session(session.training_class, timezone.now())
    client = as_(trainee)
    guess(client, session, 11)

    assert client.post(path(next_one), punch(next_one)).status_code == 201
    assert as_(friend).post(path(session), punch(session)).status_code == 201


def test_trainer_marks_whom_the_code_locked_out(
    as_: As, session: Any, enrolment: Any, trainee: User, institution_admin: User
) -> None:
    guess(as_(trainee), session, 11)
    mark = {"enrolment_id": str(enrolment.pk), "status": "present"}

    roster = f"/api/v1/sessions/{session.pk}/roster"
    assert as_(institution_admin).put(roster, {"marks": [mark]}).status_code == 200
    assert AttendanceRecord.objects.get().status == "present"


def test_refused_punches_kept_of_one_account_are_bounded(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)

    found = [guess(client, session, 15, device_id=one) for one in ("phone-2", "phone-1")]

    # Ten for other reasons, ten for wrong codes; what the device was refused for uses up none.
    assert [is_locked(answer) for answer in found[1]] == [False] * 10 + [True] * 5
    assert AttendanceEvent.objects.count() == 20
    assert JournalEntry.objects.filter(verb="attendance.refuse").count() == 20


def test_stranger_cannot_fill_the_evidence(as_: As, session: Any, trainee: User) -> None:
    client = as_(trainee)

    answers = [client.post(path(session), punch(session)) for _ in range(15)]

    assert {answer.json()["code"] for answer in answers} == {"not_enrolled"}
    assert len({frozenset(answer.json()["facts"]) for answer in answers}) == 1
    assert AttendanceEvent.objects.count() == 10


def test_locked_punch_sent_again_is_the_same_refusal(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    guess(client, session, 10)

    answers = guess(client, session, 2, id=str(uuid.uuid4()))

    assert answers[0].json()["facts"] == answers[1].json()["facts"]
    assert all(map(is_locked, answers))


# -- order: nothing counts before the class is approved --------------------------------------------


def test_offline_punch_of_a_moment_before_approval(as_: As, trainee: User) -> None:
    approved_at = timezone.now() - timedelta(minutes=10)
    approved = factories.training_class("approved", approved_at=approved_at)
    session = factories.session(approved, timezone.now() - timedelta(minutes=30))
    factories.enrolment(approved, trainee.person)

    before = offline(session, 12)

    assert refuse(as_(trainee), session, before) == "class_not_approved"
    assert as_(trainee).post(path(session), offline(session, 8)).status_code == 201


def test_leaving_before_coming_is_no_time_at_all(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    client.post(path(session), punch(session))

    answer = client.post(path(session), offline(session, 4, kind="out"))

    record = AttendanceRecord.objects.get()
    assert (answer.status_code, record.status, record.credited_minutes) == (201, "left_early", 0)
    assert record.out_at == record.in_at


# -- offline --------------------------------------------------------------------------------------


def offline(session: ClassSession, minutes_ago: int, **given: Any) -> dict[str, Any]:
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    step = totp.step_at(moment, STEP)
    return punch(session, of_step=step, step=step, captured_at=moment.isoformat()) | given


def test_offline_punch_counts_for_the_moment_that_its_code_proves(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    body = offline(session, 4)

    answer = as_(trainee).post(path(session), body).json()

    event = AttendanceEvent.objects.get()
    assert (answer["verdict"], event.was_offline, event.flags) == ("accepted", True, [])
    assert event.happened_at == totp.start_of(body["step"], STEP)
    assert AttendanceRecord.objects.get().in_at == event.happened_at


def test_offline_clock_is_not_believed(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    """The device claims an earlier time than its code proves: late stays late."""
    now = timezone.now()
    set_session(session, starts_at=now - timedelta(minutes=60))
    claimed = (now - timedelta(minutes=60)).isoformat()

    answer = as_(trainee).post(path(session), offline(session, 20, captured_at=claimed)).json()

    assert answer["record"]["status"] == "late"


def test_offline_code_has_to_be_that_of_its_step(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    body = offline(session, 4)

    assert refuse(as_(trainee), session, body | {"step": body["step"] - 1}) == "wrong_code"


def test_offline_step_has_to_lie_in_the_session(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    assert refuse(as_(trainee), session, offline(session, 70)) == "session_not_open"
    assert refuse(as_(trainee), session, punch(session, step=1)) == "session_not_open"


@pytest.mark.parametrize(("hours", "expected"), [(71, "accepted"), (73, "too_late_to_upload")])
def test_offline_punch_has_to_arrive_in_time(
    as_: As, session: Any, enrolment: Any, trainee: User, hours: int, expected: str
) -> None:
    ended = timezone.now() - timedelta(hours=hours)
    set_session(session, starts_at=ended - timedelta(hours=3), ends_at=ended)
    body = offline(session, hours * 60 + 170)

    response = as_(trainee).post(path(session), body)

    event = AttendanceEvent.objects.get()
    assert (event.reason or event.verdict) == expected
    assert response.status_code == (201 if expected == "accepted" else 409)


def test_offline_punch_upgrades_an_absence_that_nobody_entered(
    as_: As, session: Any, enrolment: Any, trainee: User, institution_admin: User
) -> None:
    staff = as_(institution_admin)
    assert staff.post(f"/api/v1/sessions/{session.pk}/finish").status_code == 200
    assert AttendanceRecord.objects.get().status == "absent"

    answer = as_(trainee).post(path(session), offline(session, 3)).json()

    assert answer["record"]["status"] == "present"
    assert answer["record"]["original_status"] == "absent"


def test_offline_punch_leaves_what_a_person_entered(
    as_: As, session: Any, enrolment: Any, trainee: User, institution_admin: User
) -> None:
    mark = {"enrolment_id": str(enrolment.pk), "status": "absent"}
    roster = f"/api/v1/sessions/{session.pk}/roster"
    assert as_(institution_admin).put(roster, {"marks": [mark]}).status_code == 200

    answer = as_(trainee).post(path(session), offline(session, 3)).json()

    assert answer["verdict"] == "accepted"
    assert answer["record"]["status"] == "absent"
    assert answer["record"]["in_at"] is not None


# -- rules of the region --------------------------------------------------------------------------


def publish(code: str, depth: int, officer: User, since: int = -400, **values: Any) -> Policy:
    return Policy.objects.create(
        kind="attendance",
        region=factories.region(code),
        depth=depth,
        effective_from=factories.day(since),
        values=values,
        basis="测试文件",
        approved_by=officer,
        published_at=timezone.now(),
    )


def test_rules_of_the_city_reach_the_county(
    as_: As, session: Any, enrolment: Any, trainee: User, officer: User
) -> None:
    """Five minutes after the start, where the city tolerates none; codes turn every minute."""
    city = publish(factories.CITY, 2, officer, late_grace_minutes=0, code_step_seconds=60)
    publish(factories.COUNTY_ELSEWHERE, 3, officer, late_grace_minutes=60)
    code = totp.code_of(session.secret, totp.step_at(timezone.now(), 60))

    answer = as_(trainee).post(path(session), punch(session, code=code)).json()

    assert answer["verdict"] == "accepted"
    assert answer["record"]["status"] == "late"
    assert answer["record"]["policy_id"] == str(city.pk)


def test_rules_of_the_county_overrule_and_those_of_tomorrow_wait(
    as_: As, session: Any, enrolment: Any, trainee: User, officer: User
) -> None:
    publish(factories.CITY, 2, officer, late_grace_minutes=0)
    county = publish(factories.COUNTY, 3, officer, late_grace_minutes=30)
    publish(factories.COUNTY, 3, officer, since=1, late_grace_minutes=0)

    answer = as_(trainee).post(path(session), punch(session)).json()

    assert answer["record"]["status"] == "present"
    assert answer["record"]["policy_id"] == str(county.pk)


# -- flags ----------------------------------------------------------------------------------------

HERE = {"latitude": 27.83, "longitude": 113.13, "accuracy_m": 10}


def flags(client: Any, session: ClassSession, **given: Any) -> list[str]:
    response = client.post(path(session), punch(session, **given))
    assert response.status_code == 201, response.content
    found = response.json()["flags"]
    assert AttendanceEvent.objects.get(pk=response.json()["id"]).flags == found
    return list(found)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (HERE, []),
        (HERE | {"latitude": 27.8335, "accuracy_m": 10}, ["outside_fence"]),
        # 389 metres away, which an accuracy of 200 metres still explains.
        (HERE | {"latitude": 27.8335, "accuracy_m": 200}, []),
        (HERE | {"mock_location": True}, ["mock_location"]),
    ],
    ids=["inside", "outside", "imprecise", "mocked"],
)
def test_position_raises_flags(
    as_: As, session: Any, enrolment: Any, trainee: User, position: Any, expected: Any
) -> None:
    assert flags(as_(trainee), session, **position) == expected


def test_venue_of_the_class_stands_in(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    set_session(session, venue=None)
    set_class(session, venue=Venue.objects.get())

    assert flags(as_(trainee), session, **HERE | {"latitude": 28.0}) == ["outside_fence"]


def test_clock_that_is_wrong_is_flagged(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    claimed = (timezone.now() + timedelta(minutes=6)).isoformat()

    assert flags(as_(trainee), session, captured_at=claimed) == ["clock_skew"]


def test_two_people_on_one_device_at_one_spot_are_flagged(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    friend = factories.user(person=factories.person())
    factories.enrolment(session.training_class, friend.person)
    assert flags(as_(trainee), session, **HERE) == []

    assert flags(as_(friend), session, **HERE) == ["shared_device", "identical_position"]


def test_own_device_again_is_not_shared(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    flags(client, session, **HERE)

    assert flags(client, session, kind="out", of_step=step_now() - 1, **HERE) == []


# -- retries --------------------------------------------------------------------------------------


def test_same_key_gets_the_stored_answer(
    as_: As, session: Any, enrolment: Any, trainee: User, key: Any
) -> None:
    client, body, one = as_(trainee), punch(session), key()
    first = client.post(path(session), body, HTTP_IDEMPOTENCY_KEY=one)

    again = client.post(path(session), body, HTTP_IDEMPOTENCY_KEY=one)

    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.content == first.content
    assert AttendanceEvent.objects.count() == 1
    assert first.json()["id"] == one


def test_same_id_under_another_key_is_the_same_punch(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client, body = as_(trainee), punch(session, id=str(uuid.uuid4()))
    first = client.post(path(session), body)

    again = client.post(path(session), body)

    assert again.status_code == 201
    assert again.json() == first.json()
    assert AttendanceEvent.objects.count() == 1
    assert StoredAnswer.objects.count() == 2


def test_refused_punch_sent_again_is_the_same_refusal(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    body = punch(session, id=str(uuid.uuid4()), code=wrong(session))
    first = client.post(path(session), body)

    again = client.post(path(session), body)

    assert again.status_code == 409
    assert again.json()["facts"] == first.json()["facts"]
    assert AttendanceEvent.objects.count() == 1


@pytest.mark.parametrize("first_code", ["right", "wrong"])
def test_key_serves_one_punch(
    as_: As, session: Any, enrolment: Any, trainee: User, key: Any, first_code: str
) -> None:
    client, one = as_(trainee), key()
    code = wrong(session)
    bodies = [punch(session), punch(session, code=code)]
    if first_code == "wrong":
        bodies.reverse()
    client.post(path(session), bodies[0], HTTP_IDEMPOTENCY_KEY=one)

    again = client.post(path(session), bodies[1], HTTP_IDEMPOTENCY_KEY=one)

    assert again.status_code == 422
    assert AttendanceEvent.objects.count() == 1


def test_key_is_required(as_: As, session: Any, enrolment: Any, trainee: User) -> None:
    response = as_(trainee).post(path(session), punch(session), HTTP_IDEMPOTENCY_KEY="")

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_id_of_somebody_elses_punch_is_taken(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    body = punch(session, id=str(uuid.uuid4()))
    as_(trainee).post(path(session), body)
    friend = factories.user(person=factories.person())

    response = as_(friend).post(path(session), body)

    assert (response.status_code, response.json()["code"]) == (409, "id_taken")


# -- the door -------------------------------------------------------------------------------------


def test_public_has_to_sign_in(as_: As, session: Any) -> None:
    assert as_(None).post(path(session), punch(session)).status_code == 401


def test_session_out_of_sight_is_absent(as_: As, trainee: User) -> None:
    hidden = factories.session(factories.training_class("draft"), timezone.now())
    client = as_(trainee)

    unseen = client.post(path(hidden), punch(hidden))
    absent = client.post(f"/api/v1/sessions/{uuid.uuid4()}/check-ins", punch(hidden))

    assert unseen.status_code == absent.status_code == 404
    assert unseen.json() | {"request_id": ""} == absent.json() | {"request_id": ""}
    assert not AttendanceEvent.objects.exists()


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"code": "12345"}, "#/code"),
        ({"kind": "by"}, "#/kind"),
        ({"captured_at": "2026-03-02T08:30:00"}, "#/captured_at"),
        ({"step": -1}, "#/step"),
        ({"latitude": 91, "longitude": 0}, "#/latitude"),
        ({"latitude": 27.83}, "#/longitude"),
        ({"accuracy_m": -1}, "#/accuracy_m"),
        ({"device_id": ""}, "#/device_id"),
        ({"photo": str(uuid.UUID(int=7))}, "#/photo"),
        ({"verdict": "accepted"}, "#/verdict"),
    ],
)
def test_wrong_input_names_its_member(
    as_: As, session: Any, enrolment: Any, trainee: User, given: Any, pointer: str
) -> None:
    response = as_(trainee).post(path(session), punch(session) | given)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not AttendanceEvent.objects.exists()


def test_accepted_punch_takes_three_statements(
    as_: As, session: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    with statements() as found:
        assert client.post(path(session), punch(session, **HERE)).status_code == 201

    # SQLite runs the one write as its four parts, in one transaction and without a round trip.
    written = {"postgresql": 1, "sqlite": 4}[connection.vendor]
    assert len(found) == 2 + written, found
