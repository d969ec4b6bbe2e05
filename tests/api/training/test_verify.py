"""The public answer to a certificate's code, as JSON and as a page."""

import pytest
from django.utils import timezone

from tests import factories
from tests.api.training.test_certificates import issue
from training import certificates

pytestmark = pytest.mark.django_db


@pytest.fixture
def certificate(institution_admin, institution):
    person = factories.person(name="欧阳样例")
    return issue(institution_admin, person, institution=institution)


def test_anybody_may_ask(as_, certificate):
    response = as_(None).get(f"/api/v1/verify/{certificate.code}")

    assert response.status_code == 200
    assert response.data.keys() == {
        "status",
        "status_since",
        "person_name",
        "programme_name",
        "occupation_name",
        "level",
        "hours",
        "started_on",
        "ended_on",
        "institution_name",
        "issued_on",
        "expires_on",
        "serial",
        "code",
    }
    assert (response.data["status"], response.data["person_name"]) == ("valid", "欧阳**")


def test_neither_answer_says_who_it_is(as_, certificate):
    person = certificate.enrolment.person
    answers = [
        as_(None).get(f"/api/v1/verify/{certificate.code}").content.decode(),
        as_(None).get(f"/verify/{certificate.code}").content.decode(),
    ]

    for answer in answers:
        for secret in (
            person.name,
            person.id_number,
            person.id_number_masked,
            person.phone,
            person.phone_masked,
            str(person.pk),
        ):
            assert secret not in answer


@pytest.mark.parametrize("status", ["revoked", "superseded", "expired"])
def test_it_answers_for_ever(as_, officer, certificate, status):
    if status == "revoked":
        certificates.revoke(certificate, reason="x", by=officer, at=timezone.now())
    elif status == "superseded":
        certificates.replace(certificate, reason="x", by=officer, at=timezone.now())
    else:
        certificates.revoke(certificate, reason="x", by=officer, at=timezone.now())
        again = [certificate.enrolment]
        yesterday = factories.day(-1)
        [certificate] = certificates.issue(
            again, by=officer, at=timezone.now(), expires_on=yesterday
        )

    answer = as_(None).get(f"/api/v1/verify/{certificate.code}")
    page = as_(None).get(f"/verify/{certificate.code}")

    assert (answer.status_code, answer.data["status"]) == (200, status)
    assert page.status_code == 200
    assert f"status-{status}" in page.content.decode()


@pytest.mark.parametrize("code", ["A" * 16, "x", "测试", "A" * 500])
def test_an_unknown_code(as_, certificate, code):
    answer = as_(None).get(f"/api/v1/verify/{code}")
    page = as_(None).get(f"/verify/{code}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert "status-unknown" in page.content.decode()


def test_the_page_is_never_kept_and_runs_no_script(as_, certificate):
    page = as_(None).get(f"/verify/{certificate.code}")

    assert "no-store" in page["Cache-Control"]
    assert "<script" not in page.content.decode()
    assert certificate.serial in page.content.decode()


def test_the_page_is_for_reading(as_, certificate):
    assert as_(None).post(f"/verify/{certificate.code}").status_code == 405


def test_one_statement(as_, certificate, django_assert_num_queries):
    client = as_(None)

    with django_assert_num_queries(1):
        client.get(f"/verify/{certificate.code}")
