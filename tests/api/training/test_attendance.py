"""The attendance doors: roster, marks, finishing, rates, the sheet and the check-in key."""

import base64
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from people import sheets
from people.days import SHANGHAI
from people.models import JournalEntry, Organisation, User
from people.roles import Role
from tests import factories
from tests.contract import ContractClient
from tests.statements import statements
from training.models import AttendanceRecord, ClassSession, Enrolment, TrainingClass

pytestmark = pytest.mark.django_db
As = Callable[..., ContractClient]


@pytest.fixture
def running(institution: Organisation) -> TrainingClass:
    return factories.training_class("in_progress", institution=institution, seats=60)


@pytest.fixture
def session(running: TrainingClass, trainer_user: User) -> ClassSession:
    """A session of the trainer's that began five minutes ago."""
    starts_at = timezone.now() - timedelta(minutes=5)
    return factories.session(running, starts_at, trainer=trainer_user.trainers.get())


@pytest.fixture
def enrolment(running: TrainingClass, trainee: User) -> Enrolment:
    return factories.enrolment(running, trainee.person)


@pytest.fixture
def other_trainer(institution: Organisation) -> User:
    """A colleague at the same institution who does not teach this session."""
    colleague = factories.user(roles=[(Role.TRAINER, institution)])
    factories.trainer(institution, colleague)
    return colleague


@pytest.fixture
def anyone(request: pytest.FixtureRequest) -> Callable[[str], User]:
    return lambda name: request.getfixturevalue(name)


def roster(session: ClassSession) -> str:
    return f"/api/v1/sessions/{session.pk}/roster"


def marks(*pairs: tuple[Enrolment, str]) -> dict[str, Any]:
    return {"marks": [{"enrolment_id": str(one.pk), "status": status} for one, status in pairs]}


# -- reading the roster ---------------------------------------------------------------------------


def test_roster_shows_those_who_are_admitted_masked(
    as_: As, session: Any, running: Any, enrolment: Any, trainer_user: User
) -> None:
    factories.enrolment(running, status="waitlisted")
    factories.enrolment(running, status="dropped")

    page = as_(trainer_user).get(roster(session)).json()

    person = enrolment.person
    assert page == {
        "results": [
            {
                "enrolment_id": str(enrolment.pk),
                "person": {
                    "id": str(person.pk),
                    "name": "测试一",
                    "id_number_masked": person.id_number_masked,
                    "phone_masked": person.phone_masked,
                },
                "status": "unmarked",
                "record_id": None,
                "credited_minutes": 0,
                "in_at": None,
                "out_at": None,
                "mode": "",
                "flags": [],
            }
        ],
        "next": None,
        "previous": None,
    }
    assert person.id_number not in str(page)
    assert person.phone not in str(page)


def test_roster_shows_the_record(
    as_: As, session: Any, enrolment: Any, institution_admin: User
) -> None:
    at = timezone.now()
    record = AttendanceRecord.objects.create(
        session=session,
        enrolment=enrolment,
        status="late",
        original_status="late",
        mode="rotating_code",
        credited_minutes=90,
        in_at=at,
        flags=["mock_location"],
        updated_at=at,
    )

    (row,) = as_(institution_admin).get(roster(session)).json()["results"]

    assert row["record_id"] == str(record.pk)
    assert (row["status"], row["credited_minutes"], row["mode"]) == ("late", 90, "rotating_code")
    assert (row["flags"], row["out_at"]) == (["mock_location"], None)
    assert row["in_at"] == at.astimezone(SHANGHAI).isoformat()


def test_empty_class_is_not_an_unseen_session(as_: As, session: Any, trainer_user: User) -> None:
    client = as_(trainer_user)

    assert client.get(roster(session)).json()["results"] == []
    assert client.get(f"/api/v1/sessions/{uuid.uuid4()}/roster").status_code == 404


def test_record_of_another_session_is_not_this_one(
    as_: As, session: Any, running: Any, enrolment: Any, institution_admin: User
) -> None:
    other = factories.session(running, timezone.now() - timedelta(days=1))
    AttendanceRecord.objects.create(
        session=other,
        enrolment=enrolment,
        status="absent",
        original_status="absent",
        updated_at=timezone.now(),
    )

    (row,) = as_(institution_admin).get(roster(session)).json()["results"]

    assert row["status"] == "unmarked"


WHO_READS = [
    ("trainer_user", 200),
    ("institution_admin", 200),
    ("officer", 200),
    ("auditor", 200),
    ("other_trainer", 403),
    ("stranger_admin", 403),
    ("officer_elsewhere", 403),
    ("trainee", 403),
]


@pytest.mark.parametrize(("who", "status"), WHO_READS)
def test_who_reads_the_roster(
    as_: As, session: Any, enrolment: Any, anyone: Any, who: str, status: int
) -> None:
    assert as_(anyone(who)).get(roster(session)).status_code == status


def test_roster_of_a_draft_is_absent_for_strangers(as_: As, stranger_admin: User) -> None:
    hidden = factories.session(factories.training_class("draft"))
    client = as_(stranger_admin)

    unseen = client.get(roster(hidden))
    absent = client.get(f"/api/v1/sessions/{uuid.uuid4()}/roster")

    assert unseen.status_code == absent.status_code == 404
    assert unseen.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


def test_trainer_here_and_trainee_there_adds_up_to_nothing(
    as_: As, session: Any, running: Any, trainee: User
) -> None:
    """Somebody teaches at another institution and learns in this class."""
    elsewhere = factories.institution()
    person = factories.person()
    both = factories.user(person=person, roles=[(Role.TRAINER, elsewhere)])
    factories.trainer(elsewhere, both)
    own = factories.enrolment(running, person)

    client = as_(both)

    assert client.get(roster(session)).status_code == 403
    assert client.put(roster(session), marks((own, "present"))).status_code == 403


def test_roster_takes_two_statements_for_few_and_many(
    as_: As, session: Any, running: Any, trainer_user: User
) -> None:
    client = as_(trainer_user)
    client.get(roster(session))
    taken = []
    for size in (1, 50):
        for _ in range(size - running.enrolments.count()):
            factories.enrolment(running)
        with statements() as found:
            assert len(client.get(roster(session)).json()["results"]) == size
        taken.append(len(found))

    assert taken == [2, 2]


# -- marking --------------------------------------------------------------------------------------


def test_trainer_marks_and_reads_what_was_marked(
    as_: As, session: Any, running: Any, enrolment: Any, trainer_user: User
) -> None:
    other = factories.enrolment(running)
    client = as_(trainer_user)

    response = client.put(roster(session), marks((enrolment, "late")))

    assert response.status_code == 200
    rows = {row["enrolment_id"]: row for row in response.json()["results"]}
    assert rows[str(enrolment.pk)]["status"] == "late"
    assert rows[str(enrolment.pk)]["mode"] == "roster"
    assert rows[str(enrolment.pk)]["credited_minutes"] == 90
    assert rows[str(other.pk)]["status"] == "unmarked"
    assert AttendanceRecord.objects.get().marked_by_id == trainer_user.pk


@pytest.mark.parametrize(
    ("who", "status"), [(who, 403) for who, read in WHO_READS if read == 403] + [("officer", 403)]
)
def test_who_may_not_mark(
    as_: As, session: Any, enrolment: Any, anyone: Any, who: str, status: int
) -> None:
    body = marks((enrolment, "present"))

    assert as_(anyone(who)).put(roster(session), body).status_code == status
    assert not AttendanceRecord.objects.exists()


def test_unknown_enrolment_is_named_and_nothing_is_marked(
    as_: As, session: Any, enrolment: Any, trainer_user: User
) -> None:
    stranger = factories.enrolment(factories.training_class("in_progress"))

    response = as_(trainer_user).put(
        roster(session), marks((enrolment, "present"), (stranger, "present"))
    )

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == ["#/marks/1/enrolment_id"]
    assert not AttendanceRecord.objects.exists()


def test_person_named_twice_is_refused(
    as_: As, session: Any, enrolment: Any, trainer_user: User
) -> None:
    body = marks((enrolment, "present"), (enrolment, "absent"))

    response = as_(trainer_user).put(roster(session), body)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == ["#/marks/1/enrolment_id"]
    assert not AttendanceRecord.objects.exists()


@pytest.mark.parametrize(
    ("mark", "pointer"),
    [
        ({"status": "unmarked"}, "#/marks/0/status"),
        ({"status": "asleep"}, "#/marks/0/status"),
        ({"note": "长" * 201}, "#/marks/0/note"),
        ({"enrolment_id": "7"}, "#/marks/0/enrolment_id"),
        ({"in_at": "2026-03-02T08:30:00+08:00"}, "#/marks/0/in_at"),
    ],
)
def test_wrong_mark_names_its_member(
    as_: As, session: Any, enrolment: Any, trainer_user: User, mark: Any, pointer: str
) -> None:
    body = {"marks": [{"enrolment_id": str(enrolment.pk), "status": "present"} | mark]}

    response = as_(trainer_user).put(roster(session), body)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("count", [0, 501])
def test_number_of_marks_is_bounded(as_: As, session: Any, trainer_user: User, count: int) -> None:
    one = {"enrolment_id": str(uuid.uuid4()), "status": "present"}

    response = as_(trainer_user).put(roster(session), {"marks": [one] * count})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"].startswith("#/marks")


def test_roster_that_changed_meanwhile_is_not_marked_unseen(
    as_: As, session: Any, running: Any, enrolment: Any, trainer_user: User
) -> None:
    client = as_(trainer_user)
    seen = client.get(roster(session))["ETag"]
    other = factories.enrolment(running)
    body = marks((enrolment, "present"))

    stale = client.put(roster(session), body, HTTP_IF_MATCH=seen)
    fresh = client.get(roster(session))["ETag"]
    current = client.put(roster(session), body, HTTP_IF_MATCH=f"W/{fresh}")

    assert (stale.status_code, current.status_code) == (412, 200)
    assert AttendanceRecord.objects.get().enrolment_id != other.pk


def test_closed_class_is_not_marked(as_: As, institution: Any, institution_admin: User) -> None:
    closed = factories.training_class("closed", institution=institution)
    session, enrolment = factories.session(closed), factories.enrolment(closed, status="completed")

    response = as_(institution_admin).put(roster(session), marks((enrolment, "present")))

    assert (response.status_code, response.json()["code"]) == (409, "class_closed")


# -- finishing ------------------------------------------------------------------------------------


def test_trainer_finishes_the_session(
    as_: As, session: Any, enrolment: Any, trainer_user: User
) -> None:
    client = as_(trainer_user)

    response = client.post(f"/api/v1/sessions/{session.pk}/finish")
    again = client.post(f"/api/v1/sessions/{session.pk}/finish")

    assert (response.status_code, response.json()["status"]) == (200, "finished")
    assert AttendanceRecord.objects.get().status == "absent"
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")


@pytest.mark.parametrize("who", ["other_trainer", "stranger_admin", "officer", "trainee"])
def test_who_may_not_finish(as_: As, session: Any, anyone: Any, who: str) -> None:
    response = as_(anyone(who)).post(f"/api/v1/sessions/{session.pk}/finish")

    assert response.status_code == 403
    session.refresh_from_db()
    assert session.status == "scheduled"


# -- one's own attendance -------------------------------------------------------------------------


def test_trainee_reads_records_and_rate(
    as_: As, session: Any, running: Any, enrolment: Any, trainee: User
) -> None:
    """Of 540 planned minutes 180 are over, of which 120 count: the rest is still to come."""
    now = timezone.now()
    past = factories.session(running, now - timedelta(days=1))
    factories.session(running, now + timedelta(days=1))
    AttendanceRecord.objects.create(
        session=past,
        enrolment=enrolment,
        status="late",
        original_status="late",
        credited_minutes=120,
        updated_at=now,
    )

    answer = as_(trainee).get(f"/api/v1/enrolments/{enrolment.pk}/attendance").json()

    (record,) = answer.pop("results")
    assert (record["session_id"], record["status"]) == (str(past.pk), "late")
    assert answer == {
        "rate": "0.2222",
        "rate_so_far": "0.6667",
        "required_rate": "0.8000",
        "can_still_pass": True,
        "planned_minutes": 540,
        "credited_minutes": 120,
    }


def test_rate_without_sessions_is_null(as_: As, enrolment: Any, trainee: User) -> None:
    answer = as_(trainee).get(f"/api/v1/enrolments/{enrolment.pk}/attendance").json()

    assert (answer["rate"], answer["rate_so_far"], answer["can_still_pass"]) == (None, None, None)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("trainee", 200),
        ("trainer_user", 200),
        ("institution_admin", 200),
        ("officer", 200),
        ("auditor", 200),
        ("other_trainer", 404),
        ("stranger_admin", 404),
        ("officer_elsewhere", 404),
    ],
)
def test_who_reads_the_attendance_of_a_trainee(
    as_: As, session: Any, enrolment: Any, anyone: Any, who: str, status: int
) -> None:
    response = as_(anyone(who)).get(f"/api/v1/enrolments/{enrolment.pk}/attendance")

    assert response.status_code == status


def test_attendance_takes_as_many_statements_for_many_sessions(
    as_: As, running: Any, enrolment: Any, trainee: User
) -> None:
    client = as_(trainee)
    taken = []
    for _ in range(2):
        for number in range(10):
            past = factories.session(running, timezone.now() - timedelta(days=number + 1))
            AttendanceRecord.objects.create(
                session=past,
                enrolment=enrolment,
                status="present",
                original_status="present",
                credited_minutes=180,
                updated_at=timezone.now(),
            )
        with statements() as found:
            client.get(f"/api/v1/enrolments/{enrolment.pk}/attendance")
        taken.append(len(found))

    assert taken[0] == taken[1]
    assert taken[0] <= 8


# -- the sheet ------------------------------------------------------------------------------------


def test_sheet_has_a_column_for_each_session_and_masks_numbers(
    as_: As, session: Any, running: Any, enrolment: Any, institution_admin: User
) -> None:
    factories.session(running, timezone.now() - timedelta(days=1), status="cancelled")
    AttendanceRecord.objects.create(
        session=session,
        enrolment=enrolment,
        status="left_early",
        original_status="left_early",
        credited_minutes=60,
        updated_at=timezone.now(),
    )
    path = f"/api/v1/classes/{running.pk}/attendance-sheet.xlsx"

    response = as_(institution_admin).get(path)

    assert response.status_code == 200
    assert response["Content-Type"].endswith("spreadsheetml.sheet")
    held = f"{session.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    columns = {name: [name] for name in ("序号", "姓名", "身份证号", held, "出勤率")}
    (row,) = sheets.read_table(response.content, columns=columns, required=list(columns))
    assert list(row.cells.values()) == [
        "1",
        "测试一",
        enrolment.person.id_number_masked,
        "早退",
        "33.33%",
    ]
    assert JournalEntry.objects.filter(verb="attendance.export", object_id=running.pk).exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [("officer", 200), ("auditor", 200), ("trainee", 403), ("stranger_admin", 403)],
)
def test_who_downloads_the_sheet(as_: As, running: Any, anyone: Any, who: str, status: int) -> None:
    path = f"/api/v1/classes/{running.pk}/attendance-sheet.xlsx"

    assert as_(anyone(who)).get(path).status_code == status


# -- the key --------------------------------------------------------------------------------------


def key(session: ClassSession) -> str:
    return f"/api/v1/sessions/{session.pk}/check-in-key"


def test_trainer_reads_the_key_and_that_is_on_record(
    as_: As, session: Any, trainer_user: User
) -> None:
    response = as_(trainer_user).get(key(session))

    assert response.json() == {
        "secret": session.secret,
        "step_seconds": 30,
        "valid_from": (session.starts_at - timedelta(hours=1)).astimezone(SHANGHAI).isoformat(),
        "valid_until": (session.ends_at + timedelta(hours=1)).astimezone(SHANGHAI).isoformat(),
        "qr": f"qihang:check-in:{session.pk}:{{code}}",
    }
    assert len(base64.b32decode(response.json()["secret"])) == 20
    assert "no-store" in response["Cache-Control"]
    entry = JournalEntry.objects.get(verb="session.read_secret")
    assert (entry.by_id, entry.object_id) == (trainer_user.pk, str(session.pk))
    assert session.secret not in str(entry.facts)


@pytest.mark.parametrize("state", ["draft", "enrolling", "filed", "returned", "cancelled"])
def test_there_is_no_key_before_approval(
    as_: As, institution: Organisation, institution_admin: User, state: str
) -> None:
    planned = factories.session(factories.training_class(state, institution=institution))

    response = as_(institution_admin).get(key(planned))

    assert (response.status_code, response.json()["code"]) == (409, "class_not_approved")
    assert planned.secret not in response.content.decode()
    assert not JournalEntry.objects.filter(verb="session.read_secret").exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("institution_admin", 200),
        ("other_trainer", 403),
        ("stranger_admin", 403),
        ("officer", 403),
        ("trainee", 403),
    ],
)
def test_who_reads_the_key(as_: As, session: Any, anyone: Any, who: str, status: int) -> None:
    assert as_(anyone(who)).get(key(session)).status_code == status
    assert JournalEntry.objects.filter(verb="session.read_secret").exists() == (status == 200)
