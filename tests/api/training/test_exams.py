"""Doors of the exams: who schedules, who marks, who sees what."""

import uuid

import pytest

from people.roles import Role
from tests import factories
from training.models import ExamResult

pytestmark = pytest.mark.django_db


@pytest.fixture
def over(institution):
    return factories.over_class(2, institution=institution)


@pytest.fixture
def exam(over):
    return factories.exam(over)


@pytest.fixture
def people(over):
    return list(over.enrolments.order_by("id"))


def exams(training_class) -> str:
    return f"/api/v1/classes/{training_class.pk}/exams"


def results(exam) -> str:
    return f"/api/v1/exams/{exam.pk}/results"


def body(*pairs) -> dict:
    return {"results": [{"enrolment_id": str(e.pk), "score": s} for e, s in pairs]}


def test_schedule_and_read(as_, institution_admin, over):
    client = as_(institution_admin)

    made = client.post(exams(over), {"held_on": str(factories.day(-1)), "name": "结业考试"})
    listed = client.get(exams(over))
    shown = client.get(f"/api/v1/exams/{made.data['id']}")

    assert made.status_code == 201
    assert (made.data["attempt"], made.data["pass_mark"]) == (1, "60.00")
    assert [row["id"] for row in listed.json()["results"]] == [made.json()["id"]]
    assert shown["ETag"] == made["ETag"]


def test_an_exam_needs_no_name_and_no_second_identity(as_, institution_admin, over):
    given = {"id": str(uuid.uuid4()), "held_on": str(factories.day(-1))}

    made = as_(institution_admin).post(exams(over), given)
    again = as_(institution_admin).post(exams(over), given)

    assert (made.status_code, made.json()["id"]) == (201, given["id"])
    assert (again.status_code, again.data["code"]) == (409, "id_taken")


def test_attempts_run_out(as_, institution_admin, over):
    for _ in range(2):
        as_(institution_admin).post(exams(over), {"held_on": str(factories.day(-1))})

    third = as_(institution_admin).post(exams(over), {"held_on": str(factories.day(-1))})

    assert (third.status_code, third.data["code"]) == (409, "attempts_used_up")


def test_only_the_institution_schedules(as_, stranger_admin, trainer_user, officer, trainee, over):
    for user in (stranger_admin, trainer_user, officer, trainee):
        response = as_(user).post(exams(over), {"held_on": str(factories.day(-1))})
        assert response.status_code == 403


def test_a_draft_class_is_out_of_sight(as_, stranger_admin):
    draft = factories.training_class("draft")

    hidden = as_(stranger_admin).post(exams(draft), {"held_on": str(factories.day())})
    absent = as_(stranger_admin).post(
        f"/api/v1/classes/{uuid.uuid4()}/exams", {"held_on": str(factories.day())}
    )

    assert hidden.status_code == absent.status_code == 404
    assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}


def test_the_public_is_asked_to_sign_in(as_, over, exam):
    for path in (exams(over), f"/api/v1/exams/{exam.pk}", results(exam)):
        assert as_(None).get(path).status_code == 401


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, "#/held_on"),
        ({"held_on": "tomorrow"}, "#/held_on"),
        ({"held_on": "2026-01-01", "attempt": 3}, "#/attempt"),
    ],
)
def test_wrong_input(as_, institution_admin, over, given, pointer):
    response = as_(institution_admin).post(exams(over), given)

    assert response.status_code == 400
    assert response.data["errors"][0]["pointer"] == pointer


def test_results_are_put_and_listed(as_, institution_admin, exam, people):
    put = as_(institution_admin).put(results(exam), body((people[0], "61.5"), (people[1], None)))
    merged = as_(institution_admin).put(results(exam), body((people[1], "20")))
    listed = as_(institution_admin).get(results(exam))

    assert put.status_code == merged.status_code == 200
    found = {row["enrolment_id"]: (row["score"], row["outcome"]) for row in put.json()["results"]}
    assert found == {
        str(people[0].pk): ("61.50", "passed"),
        str(people[1].pk): (None, "absent"),
    }
    assert len(merged.data["results"]) == 2
    assert listed.data["results"] == merged.data["results"]
    assert listed.data["results"][0]["person"].keys() == {
        "id",
        "name",
        "id_number_masked",
        "phone_masked",
    }


def test_the_trainer_of_the_class_marks_and_another_one_does_not(as_, over, exam, people):
    school = over.institution
    own = over.sessions.get().trainer
    own.user = factories.user(roles=[(Role.TRAINER, school)])
    own.save()
    colleague = factories.user(roles=[(Role.TRAINER, school)])

    marked = as_(own.user).put(results(exam), body((people[0], "70")))
    refused = as_(colleague).put(results(exam), body((people[0], "70")))

    assert (marked.status_code, refused.status_code) == (200, 404)


def test_others_do_not_mark(as_, stranger_admin, officer, trainee, exam, over, people):
    factories.enrolment(over, trainee.person)

    for user, status in ((stranger_admin, 404), (officer, 403), (trainee, 403)):
        response = as_(user).put(results(exam), body((people[0], "70")))
        assert response.status_code == status


@pytest.mark.parametrize(
    ("status", "concerned"),
    [
        ("admitted", True),
        ("completed", True),
        ("failed", True),
        ("no_show", True),
        ("applied", False),
        ("waitlisted", False),
        ("rejected", False),
        ("withdrawn", False),
        ("dropped", False),
    ],
)
def test_exams_concern_those_who_sit_or_may_sit_them(as_, over, exam, trainee, status, concerned):
    factories.enrolment(over, trainee.person, status)
    client = as_(trainee)

    found = [
        client.get(exams(over)).status_code,
        client.get(f"/api/v1/exams/{exam.pk}").status_code,
    ]

    assert found == ([200, 200] if concerned else [404, 404])


def test_exams_concern_those_who_teach_and_answer_for_the_class(
    as_, over, exam, institution_admin, officer, auditor, stranger_admin, officer_elsewhere, trainee
):
    teacher = over.sessions.get().trainer
    teacher.user = factories.user(roles=[(Role.TRAINER, over.institution)])
    teacher.save()
    colleague = factories.user(roles=[(Role.TRAINER, over.institution)])
    shown = f"/api/v1/exams/{exam.pk}"

    for user in (institution_admin, teacher.user, officer, auditor):
        assert as_(user).get(exams(over)).json()["results"][0]["id"] == str(exam.pk)
        assert as_(user).get(shown).status_code == 200
    for user in (stranger_admin, colleague, officer_elsewhere, trainee):
        hidden = as_(user).get(shown)
        absent = as_(user).get(f"/api/v1/exams/{uuid.uuid4()}")
        assert as_(user).get(exams(over)).status_code == 404
        assert hidden.status_code == absent.status_code == 404
        assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}


def test_everybody_sees_their_own_results(
    as_, exam, over, people, trainee, officer, stranger_admin, officer_elsewhere
):
    mine = factories.enrolment(over, trainee.person)
    factories.attended(over.sessions.get(), mine)
    for enrolment in (*people, mine):
        factories.result(exam, enrolment)

    seen = {
        name: [row["enrolment_id"] for row in as_(user).get(results(exam)).json()["results"]]
        for name, user in {
            "trainee": trainee,
            "officer": officer,
        }.items()
    }

    assert seen["trainee"] == [str(mine.pk)]
    assert len(seen["officer"]) == 3
    for user in (stranger_admin, officer_elsewhere):
        assert as_(user).get(results(exam)).status_code == 404


def test_an_unknown_enrolment_is_named_by_its_place(as_, institution_admin, exam, people):
    elsewhere = factories.enrolment(factories.over_class())

    response = as_(institution_admin).put(
        results(exam), body((people[0], "70"), (elsewhere, "70"), (people[0], "80"))
    )

    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.data["errors"]] == [
        ("#/results/1/enrolment_id", "does_not_exist"),
        ("#/results/2/enrolment_id", "duplicate"),
    ]
    assert not ExamResult.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": "100.01"},
        {"score": "-1"},
        {"score": "good"},
        {"score": "50", "absent": True},
        {"score": None, "absent": False},
    ],
)
def test_wrong_marks(as_, institution_admin, exam, people, wrong):
    response = as_(institution_admin).put(
        results(exam), {"results": [{"enrolment_id": str(people[0].pk)} | wrong]}
    )

    assert response.status_code == 400
    assert response.data["errors"][0]["pointer"].startswith("#/results/0/")


def test_low_attendance_is_refused_with_names_and_rates(as_, institution_admin, exam, over):
    low = factories.enrolment(over)

    response = as_(institution_admin).put(results(exam), body((low, "90")))

    assert (response.status_code, response.data["code"]) == (409, "attendance_too_low")
    assert response.data["facts"]["enrolments"] == [
        {"enrolment_id": str(low.pk), "rate": "0.0000", "required_rate": "0.8000"}
    ]


def test_a_stale_version_is_refused(as_, institution_admin, exam, people):
    client = as_(institution_admin)
    seen = client.get(f"/api/v1/exams/{exam.pk}")["ETag"]

    first = client.put(results(exam), body((people[0], "70")), HTTP_IF_MATCH=seen)
    second = client.put(results(exam), body((people[1], "70")), HTTP_IF_MATCH=seen)

    assert (first.status_code, second.status_code) == (200, 412)


@pytest.mark.parametrize("trainees", [2, 30])
def test_query_budget(as_, institution_admin, institution, trainees, django_assert_max_num_queries):
    over = factories.over_class(trainees, institution=institution)
    exam = factories.exam(over)
    for enrolment in over.enrolments.all():
        factories.result(exam, enrolment)
    client = as_(institution_admin)

    with django_assert_max_num_queries(8):
        client.get(results(exam) + "?limit=100")
    with django_assert_max_num_queries(8):
        client.get(exams(over))
