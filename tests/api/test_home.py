"""The first screen: complete, true, and three statements for everybody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from people.models import Membership, Notice, Organisation, PersonClaim, User
from people.roles import Role
from tests import factories

HOME = "/api/v1/home"


@pytest.fixture
def running(institution):
    return factories.training_class("in_progress", institution=institution)


def todos(client):
    return {row["code"]: row["count"] for row in client.get(HOME).json()["todos"]}


def soon(hours):
    return timezone.now() + timedelta(hours=hours)


def test_home_needs_a_sign_in(as_):
    assert as_(None).get(HOME).status_code == 401


def test_trainee_sees_the_next_five_sessions_in_order_with_the_one_going_on(as_, trainee, running):
    factories.enrolment(running, trainee.person)
    now_on = factories.session(running, soon(-1))
    coming = [factories.session(running, soon(24 * n)) for n in range(6, 0, -1)]
    factories.session(running, soon(-30))
    factories.session(running, soon(3), status="cancelled")

    rows = as_(trainee).get(HOME).json()["next_sessions"]

    assert [row["id"] for row in rows] == [
        str(session.pk) for session in [now_on, *reversed(coming)][:5]
    ]
    assert rows[0]["class_name"] == running.name
    assert not rows[0]["is_teaching"]
    assert now_on.secret not in str(rows)


@pytest.mark.parametrize("status", ["withdrawn", "waitlisted", "rejected", "dropped"])
def test_classes_without_a_seat_bring_no_sessions(as_, trainee, running, status):
    factories.enrolment(running, trainee.person, status)
    factories.session(running, soon(24))

    assert as_(trainee).get(HOME).json()["next_sessions"] == []


def test_trainer_sees_what_to_teach_and_what_to_finish(as_, trainer_user, institution, running):
    own = institution.trainers.get(user=trainer_user)
    teach = factories.session(running, soon(24), trainer=own)
    factories.session(running, soon(24))
    factories.session(running, soon(-30), trainer=own)

    client = as_(trainer_user)

    rows = client.get(HOME).json()["next_sessions"]
    assert [(row["id"], row["is_teaching"]) for row in rows] == [(str(teach.pk), True)]
    assert todos(client) == {"sessions_to_finish": 1}


def test_former_trainer_teaches_nothing(as_, trainer_user, institution, running):
    factories.session(running, soon(24), trainer=institution.trainers.get(user=trainer_user))
    Membership.objects.filter(user=trainer_user).delete()

    body = as_(trainer_user).get(HOME).json()

    assert (body["next_sessions"], body["todos"]) == ([], [])


def test_trainee_is_reminded_of_an_offer(as_, trainee):
    enrolling = factories.training_class("enrolling")
    factories.enrolment(enrolling, trainee.person, "offered")

    assert todos(as_(trainee)) == {"offers_to_accept": 1}


def test_trainee_is_asked_until_the_answer_says_something(as_, trainee):
    task = factories.follow_up(factories.completion(trainee.person))
    over = factories.completion(trainee.person)
    factories.follow_up(over, "in_contact", window_closes_on=factories.day(-1))
    client = as_(trainee)
    path = f"/api/v1/follow-ups/{task.pk}/answers"

    before = todos(client)
    client.post(path, {"working": "unknown"})
    unsaid = todos(client)
    client.post(path, {"working": False, "situation": "seeking"})

    assert before == unsaid == {"follow_ups_to_answer": 1}
    assert todos(client) == {}


def test_institution_sees_applications_returned_classes_and_claims(
    as_, institution_admin, stranger_admin, institution
):
    enrolling = factories.training_class("enrolling", institution=institution)
    factories.enrolment(enrolling, status="applied")
    factories.training_class("returned", institution=institution)
    known = factories.person(known_to=institution)
    PersonClaim.objects.create(
        user=factories.user(), person=known, name="张样例", created_at=timezone.now()
    )

    assert todos(as_(institution_admin)) == {
        "applications_to_decide": 1, "classes_returned": 1, "claims_to_decide": 1
    }  # fmt: skip
    assert todos(as_(stranger_admin)) == {}


def test_officer_sees_what_the_own_region_waits_for(
    as_, officer, officer_elsewhere, auditor, institution
):
    factories.training_class("filed", institution=institution)
    factories.accreditation(institution, status="applied")

    assert todos(as_(officer)) == {"classes_to_decide": 1, "accreditations_to_decide": 1}
    assert todos(as_(officer_elsewhere)) == {}
    assert todos(as_(auditor)) == {}


def test_home_carries_labels_in_the_readers_language(as_, trainee):
    body = as_(trainee).get(HOME, HTTP_ACCEPT_LANGUAGE="en").json()

    assert {"value": "admitted", "label": "Admitted"} in body["enums"]["enrolment_status"]
    assert {
        "enrolment_status", "class_status", "attendance_status", "person_category", "education"
    } <= set(body["enums"])  # fmt: skip
    assert body["minimum_app_version"]


def test_unchanged_home_is_304(as_, trainee):
    client = as_(trainee)
    first = client.get(HOME)

    again = client.get(HOME, HTTP_IF_NONE_MATCH=first["ETag"])

    assert again.status_code == 304
    Notice.objects.create(person=trainee.person, code="class_closed", created_at=timezone.now())
    changed = client.get(HOME, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (changed.status_code, changed.json()["unread_count"]) == (200, 1)


def grant(user: User, role: Role, kind: str, count: int) -> None:
    """Give so many more memberships in one go."""
    made = Organisation.objects.bulk_create(
        Organisation(
            kind=kind, name=f"测试单位{n}", region=factories.region(), created_at=timezone.now()
        )
        for n in range(count)
    )
    Membership.objects.bulk_create(
        Membership(user=user, organisation=each, role=role, created_at=timezone.now())
        for each in made
    )


@pytest.mark.parametrize("memberships", [1, 100])
@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (None, ""),
        (Role.TRAINER, "institution"),
        (Role.INSTITUTION_ADMIN, "institution"),
        (Role.OFFICER, "bureau"),
    ],
)
def test_home_takes_three_statements(
    as_, trainee, running, django_assert_max_num_queries, role, kind, memberships
):
    factories.enrolment(running, trainee.person)
    for day in range(1, 8):
        factories.session(running, soon(24 * day))
    if role:
        grant(trainee, role, kind, memberships)
    client = as_(trainee)

    with django_assert_max_num_queries(3):
        response = client.get(HOME)

    assert len(response.json()["me"]["memberships"]) == (memberships if role else 0)
    assert len(response.json()["next_sessions"]) == 5
