"""The door to the timetable."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from people.days import SHANGHAI
from tests import factories
from tests.factories import day, moment
from training.models import ClassSession

pytestmark = pytest.mark.django_db
URL = "/api/v1/sessions"


def of(training_class):
    return f"/api/v1/classes/{training_class.pk}/sessions"


@pytest.fixture
def draft(institution):
    return factories.training_class("draft", institution=institution)


def single(on=None, **changes):
    on = on or day(7)
    given = {
        "starts_at": moment(on).isoformat(),
        "ends_at": moment(on, "11:30").isoformat(),
        "topic": "样例主题",
    }
    return {name: value for name, value in (given | changes).items() if value is not ...}


def series(**changes):
    given = {
        "weekdays": [1, 2, 3, 4, 5],
        "starts_time": "08:30",
        "ends_time": "11:30",
        "from": str(day(7)),
        "until": str(day(20)),
    }
    return {"recurring": {k: v for k, v in (given | changes).items() if v is not ...}}


# -- create -----------------------------------------------------------------------------------


def test_an_institution_schedules_one_session(as_, institution_admin, institution, draft):
    trainer, venue = factories.trainer(institution), factories.venue(institution)

    response = as_(institution_admin).post(
        of(draft), single(trainer_id=str(trainer.pk), venue_id=str(venue.pk), part="practice")
    )

    assert response.status_code == 201
    answer = response.json()
    assert answer["starts_at"] == moment(day(7)).isoformat()
    assert (answer["trainer_name"], answer["venue_id"]) == (trainer.name, str(venue.pk))
    assert (answer["planned_minutes"], answer["part"], answer["status"]) == (
        180,
        "practice",
        "scheduled",
    )


def test_nobody_is_ever_shown_the_secret(as_, institution_admin, trainer_user, draft):
    session = factories.session(draft, trainer=trainer_user.trainers.get())

    for user in (institution_admin, trainer_user):
        shown = as_(user).get(f"{URL}/{session.pk}")
        assert session.secret not in shown.content.decode()
        assert "secret" not in shown.json()


def test_an_institution_schedules_a_series_around_a_holiday(as_, institution_admin, draft):
    holiday = next(day(n) for n in range(8, 20) if day(n).isoweekday() == 3)

    response = as_(institution_admin).post(of(draft), series(weekdays=[3], skip=[str(holiday)]))

    assert response.status_code == 201
    begins = [row["starts_at"] for row in response.json()["results"]]
    wanted = [day(n) for n in range(7, 21) if day(n).isoweekday() == 3 and day(n) != holiday]
    assert begins == [moment(on).isoformat() for on in wanted]


def test_a_series_without_days_covers_the_class(as_, institution_admin, draft):
    whole = series(weekdays=[1, 2, 3, 4, 5, 6, 7], until=..., **{"from": ...})

    response = as_(institution_admin).post(of(draft), whole)

    assert len(response.json()["results"]) == (draft.ends_on - draft.starts_on).days + 1


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (single(starts_at=...), "#/starts_at"),
        (single(ends_at=...), "#/ends_at"),
        (single(starts_at="2026-09-01T08:30:00"), "#/starts_at"),
        (single(ends_at="1999-01-01T00:00:00+08:00"), "#/ends_at"),
        (single(planned_minutes=181), "#/planned_minutes"),
        (single(trainer_id=str(uuid.uuid4())), "#/trainer_id"),
        (single(venue_id=str(uuid.uuid4())), "#/venue_id"),
        (single(secret="A" * 32), "#/secret"),
        (single() | series(), "#/ends_at"),
        (series(weekdays=[0]), "#/recurring/weekdays/0"),
        (series(weekdays=[]), "#/recurring/weekdays"),
        (series(ends_time="08:00"), "#/recurring/ends_time"),
        (series(until="2020-01-01"), "#/recurring"),
        (series(until="2999-01-01"), "#/recurring"),
        (series(every="day"), "#/recurring/every"),
    ],
)
def test_a_wrong_member_is_named(given, pointer, as_, institution_admin, draft):
    response = as_(institution_admin).post(of(draft), given)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer
    assert not ClassSession.objects.exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (single(on=day(38)), "outside_class_days"),
        (series(until=str(day(60))), "outside_class_days"),
        (
            series(weekdays=[day(7).isoweekday()], until=str(day(7)), skip=[str(day(7))]),
            "nothing_to_schedule",
        ),
    ],
)
def test_the_rules_refuse_by_name(given, code, as_, institution_admin, draft):
    response = as_(institution_admin).post(of(draft), given)

    assert response.status_code == 409
    assert response.json()["code"] == code


def test_a_conflict_names_the_other_booking(as_, institution_admin, institution, draft):
    venue = factories.venue(institution)
    other = factories.session(factories.training_class(institution=institution), venue=venue)

    response = as_(institution_admin).post(of(draft), single(venue_id=str(venue.pk)))

    assert response.status_code == 409
    assert response.json()["code"] == "booking_conflict"
    facts = response.json()["facts"]
    assert (facts["kind"], facts["session_id"]) == ("venue", str(other.pk))


def test_another_institutions_room_is_not_booked(as_, institution_admin, draft):
    room = factories.venue(factories.institution())

    response = as_(institution_admin).post(of(draft), single(venue_id=str(room.pk)))

    assert (response.status_code, response.json()["code"]) == (409, "not_available")
    assert response.json()["facts"] == {"kind": "venue"}


@pytest.mark.parametrize("caller", ["trainer_user", "officer", "auditor"])
def test_staff_who_see_the_draft_do_not_schedule(caller, as_, request, draft):
    response = as_(request.getfixturevalue(caller)).post(of(draft), single())

    assert response.status_code == 403


def test_a_stranger_finds_no_timetable_of_a_draft(as_, stranger_admin, draft):
    client = as_(stranger_admin)

    assert client.get(of(draft)).status_code == 404
    assert client.post(of(draft), single()).status_code == 404


def test_a_stranger_does_not_schedule_in_a_published_class(as_, stranger_admin, institution):
    published = factories.training_class("enrolling", institution=institution)

    assert as_(stranger_admin).post(of(published), single()).status_code == 403


# -- read -------------------------------------------------------------------------------------


def test_the_public_reads_the_timetable_and_nothing_of_a_trainer(as_, trainer_user, trainee):
    trainer = trainer_user.trainers.get()
    published = factories.training_class("enrolling", institution=trainer.institution)
    session = factories.session(published, trainer=trainer, reason="内部说明")
    factories.session(factories.training_class("draft"))
    client = as_(None)

    [row] = client.get(of(published)).json()["results"]

    assert row["id"] == str(session.pk)
    assert (row["trainer_id"], row["trainer_name"]) == (None, None)
    assert row["reason"] == ""
    assert trainer.name not in str(row)
    assert client.get(f"{URL}/{session.pk}").json() == row
    signed_in = as_(trainee).get(f"{URL}/{session.pk}").json()
    assert (signed_in["trainer_id"], signed_in["trainer_name"]) == (str(trainer.pk), trainer.name)
    assert str(trainer_user.pk) not in str(signed_in)
    assert [other["id"] for other in client.get(URL).json()["results"]] == [str(session.pk)]


def test_mine_are_those_i_attend_or_teach(as_, trainee, trainer_user):
    attended = factories.training_class("approved")
    factories.enrolment(attended, trainee.person)
    waiting = factories.training_class("enrolling")
    factories.enrolment(waiting, trainee.person, status="waitlisted")
    mine, taught = factories.session(attended), factories.session(waiting)
    taught.trainer = trainer_user.trainers.get()
    taught.save()
    factories.session(factories.training_class("enrolling"))

    def found(user):
        return [row["id"] for row in as_(user).get(f"{URL}?mine=true").json()["results"]]

    assert found(trainee) == [str(mine.pk)]
    assert found(trainer_user) == [str(taught.pk)]
    assert as_(None).get(f"{URL}?mine=true").status_code == 401


def test_a_period_is_days_or_moments(as_):
    published = factories.training_class("enrolling")
    for offset in (7, 8, 9):
        factories.session(published, moment(day(offset)), topic=str(offset))

    def found(**query):
        response = as_(None).get(URL, query)
        assert response.status_code == 200, response.json()
        return [row["topic"] for row in response.json()["results"]]

    assert found(**{"from": day(8)}) == ["8", "9"]
    assert found(to=day(8)) == ["7", "8"]
    assert found(**{"from": day(8), "to": day(8)}) == ["8"]
    assert found(**{"from": moment(day(7), "11:30").isoformat()}) == ["8", "9"]
    assert found(to=moment(day(8), "08:31").isoformat()) == ["7", "8"]


@pytest.mark.parametrize("edge", ["from", "to"])
@pytest.mark.parametrize("value", ["tomorrow", "2026-09-01T08:00:00", "2026-02-30", "9999-01-01"])
def test_an_edge_that_means_nothing_is_refused(edge, value, as_):
    response = as_(None).get(URL, {edge: value})

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == edge


@pytest.mark.parametrize("rows", [3, 60])
def test_lists_cost_the_same_for_3_and_60_sessions(rows, as_, trainee, django_assert_num_queries):
    published = factories.training_class("enrolling", ends_on=day(100))
    factories.enrolment(published, trainee.person)
    for number in range(rows):
        factories.session(published, moment(day(7 + number)))
    client = as_(trainee)

    with django_assert_num_queries(2):
        client.get(f"{URL}?mine=true&limit=100&from={day(0)}&to={day(90)}")
    with django_assert_num_queries(3):
        client.get(f"{of(published)}?limit=100")


# -- change -----------------------------------------------------------------------------------


def test_an_institution_moves_and_cancels_its_sessions(as_, institution_admin, draft):
    session = factories.session(draft)
    client, later = as_(institution_admin), moment(day(9))

    moved = client.post(
        f"{URL}/{session.pk}/reschedule",
        {
            "starts_at": later.isoformat(),
            "ends_at": (later + timedelta(hours=2)).isoformat(),
            "venue_id": None,
        },
    )
    cancelled = client.post(f"{URL}/{session.pk}/cancel", {"reason": "停电"})

    assert moved.status_code == 200, moved.json()
    assert (moved.json()["planned_minutes"], moved.json()["venue_id"]) == (120, None)
    assert cancelled.json()["status"] == "cancelled"
    assert cancelled.json()["reason"] == "停电"


def test_what_has_begun_cannot_be_cancelled(as_, institution_admin, institution):
    running = factories.training_class("in_progress", institution=institution)
    session = factories.session(running, timezone.now() - timedelta(minutes=5))

    response = as_(institution_admin).post(f"{URL}/{session.pk}/cancel", {"reason": "停电"})

    assert response.status_code == 409
    assert response.json()["code"] == "session_has_begun"


@pytest.mark.parametrize("verb", ["cancel", "reschedule"])
@pytest.mark.parametrize(
    "caller", ["stranger_admin", "trainer_user", "officer", "auditor", "trainee"]
)
def test_others_move_nothing(verb, caller, as_, request, institution):
    session = factories.session(factories.training_class("enrolling", institution=institution))

    response = as_(request.getfixturevalue(caller)).post(
        f"{URL}/{session.pk}/{verb}", {"reason": "停电"} if verb == "cancel" else {}
    )

    assert response.status_code == 403


def test_times_are_answered_with_their_offset(as_):
    session = factories.session(factories.training_class("enrolling"))

    shown = as_(None).get(f"{URL}/{session.pk}").json()

    assert shown["starts_at"] == session.starts_at.astimezone(SHANGHAI).isoformat()
