"""Doors of the closing: the institution closes, the bureau looks on."""

import uuid

import pytest

from tests import factories
from training.models import Certificate

pytestmark = pytest.mark.django_db


@pytest.fixture
def over(institution):
    made = factories.over_class(2, institution=institution)
    exam = factories.exam(made)
    for enrolment in made.enrolments.all():
        factories.result(exam, enrolment)
    return made


def path(training_class, what: str) -> str:
    return f"/api/v1/classes/{training_class.pk}/{what}"


def test_preview_then_close(as_, institution_admin, over):
    factories.enrolment(over)

    preview = as_(institution_admin).get(path(over, "closing-preview"))
    closed = as_(institution_admin).post(path(over, "close"))

    assert preview.status_code == closed.status_code == 200
    assert preview.data["can_close"] is True
    assert sorted(str(d["outcome"]) for d in preview.data["decisions"]) == [
        "completed",
        "completed",
        "no_show",
    ]
    assert preview.data["decisions"] == closed.data["decisions"]
    assert (closed.data["id"], closed.data["status"]) == (str(over.pk), "closed")
    assert closed.data["certificates_issued"] == Certificate.objects.count() == 2


def test_the_preview_says_what_is_missing(as_, institution_admin, over):
    late = factories.enrolment(over)
    factories.attended(over.sessions.get(), late)
    factories.session(over, factories.moment(factories.day(-1)))

    preview = as_(institution_admin).get(path(over, "closing-preview"))
    refused = as_(institution_admin).post(path(over, "close"))

    assert (preview.data["can_close"], preview.data["sessions_open"]) == (False, 1)
    assert (refused.status_code, refused.data["code"]) == (409, "sessions_not_over")


def test_missing_results_are_named(as_, institution_admin, over):
    late = factories.enrolment(over)
    factories.attended(over.sessions.get(), late)

    refused = as_(institution_admin).post(path(over, "close"))

    assert (refused.status_code, refused.data["code"]) == (409, "results_missing")
    assert refused.data["facts"] == {"enrolment_ids": [str(late.pk)]}


def test_a_retry_with_the_same_key_closes_once(as_, institution_admin, over, key):
    again = key()

    first = as_(institution_admin).post(path(over, "close"), HTTP_IDEMPOTENCY_KEY=again)
    second = as_(institution_admin).post(path(over, "close"), HTTP_IDEMPOTENCY_KEY=again)
    third = as_(institution_admin).post(path(over, "close"))

    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 409)
    assert second["Idempotent-Replayed"] == "true"


def test_wrong_roles(as_, stranger_admin, trainer_user, officer, trainee, auditor, over):
    for user in (stranger_admin, trainer_user, officer, trainee, auditor):
        assert as_(user).post(path(over, "close")).status_code == 403
    for user in (officer, auditor):
        assert as_(user).get(path(over, "closing-preview")).status_code == 200
    for user in (stranger_admin, trainer_user, trainee):
        assert as_(user).get(path(over, "closing-preview")).status_code == 403
    assert as_(None).get(path(over, "closing-preview")).status_code == 401


def test_out_of_sight(as_, stranger_admin):
    draft = factories.training_class("draft")

    hidden = as_(stranger_admin).post(path(draft, "close"))
    absent = as_(stranger_admin).post(f"/api/v1/classes/{uuid.uuid4()}/close")

    assert hidden.status_code == absent.status_code == 404
    assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}


def test_wrong_input(as_, institution_admin, over):
    response = as_(institution_admin).post(path(over, "close"), {"force": True})

    assert response.status_code == 400
    assert response.data["errors"][0]["pointer"] == "#/force"


@pytest.mark.parametrize("trainees", [2, 30])
def test_query_budget(as_, institution_admin, institution, trainees, django_assert_max_num_queries):
    client, over = as_(institution_admin), factories.over_class(trainees, institution=institution)

    with django_assert_max_num_queries(12):
        client.get(path(over, "closing-preview"))
