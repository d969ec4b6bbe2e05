"""Doors of the certificates: the holder shows them, an officer withdraws them."""

import uuid

import pytest
from django.utils import timezone

from tests import factories
from training import certificates
from training.models import Certificate, Enrolment

pytestmark = pytest.mark.django_db
CERTIFICATES = "/api/v1/certificates"
RELATED = ("person", "training_class__programme__occupation", "training_class__institution")


def issue(by, person=None, count=1, **given) -> Certificate:
    made = [factories.completion(person, **given) for _ in range(count)]
    for enrolment in made:
        factories.session(enrolment.training_class)
    enrolments = Enrolment.objects.select_related(*RELATED).filter(pk__in=[e.pk for e in made])
    return certificates.issue(list(enrolments), by=by, at=timezone.now())[0]


@pytest.fixture
def certificate(institution, institution_admin, trainee):
    return issue(institution_admin, trainee.person, institution=institution)


def path(certificate, what: str = "") -> str:
    return f"{CERTIFICATES}/{certificate.pk}{what}"


def test_my_certificates(as_, trainee, certificate, settings):
    settings.PUBLIC_URL = "https://qihang.example.cn"

    [mine] = as_(trainee).get(f"{CERTIFICATES}?mine=true").data["results"]

    assert mine["serial"] == certificate.serial
    assert mine["status"] == "valid"
    assert mine["verify_url"] == f"https://qihang.example.cn/verify/{certificate.code}"
    assert (mine["person_name"], mine["hours"]) == ("测试一", 4)


@pytest.mark.parametrize(
    ("what", "media_type", "magic"),
    [
        ("/image?width=640", "image/png", b"\x89PNG"),
        ("/pdf", "application/pdf", b"%PDF"),
        ("/qr", "image/svg+xml", b"<?xml"),
    ],
)
def test_drawings(as_, trainee, certificate, what, media_type, magic):
    plain = as_(trainee).get(path(certificate, what))
    asked = as_(trainee).get(path(certificate, what), HTTP_ACCEPT=media_type)

    for response in (plain, asked):
        assert response.status_code == 200
        assert response["Content-Type"] == media_type
        assert response.content.startswith(magic)


@pytest.mark.parametrize("width", ["319", "4097", "wide", "1e3", "-5"])
def test_a_picture_of_impossible_width(as_, trainee, certificate, width):
    response = as_(trainee).get(path(certificate, f"/image?width={width}"), HTTP_ACCEPT="image/png")

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "width"


def test_a_name_that_cannot_be_drawn(as_, officer, institution_admin, institution):
    person = factories.person(name="测\U0003ffff")
    certificate = issue(institution_admin, person, institution=institution)

    response = as_(officer).get(path(certificate, "/pdf"))

    assert (response.status_code, response.data["code"]) == (409, "undrawable_certificate")
    assert response.data["facts"] == {"characters": ["U+3FFFF"]}


def test_revoking(as_, officer, certificate):
    response = as_(officer).post(path(certificate, "/revoke"), {"reason": "重复发证"})
    again = as_(officer).post(path(certificate, "/revoke"), {"reason": "重复发证"})

    assert (response.status_code, response.data["status"]) == (200, "revoked")
    assert response.data["reason"] == "重复发证"
    assert (again.status_code, again.data["code"]) == (409, "wrong_status")


def test_replacing(as_, officer, certificate):
    response = as_(officer).post(path(certificate, "/replace"), {"reason": "更名"})

    assert (response.status_code, response.data["status"]) == (201, "valid")
    assert response.data["id"] != str(certificate.pk)
    certificate.refresh_from_db()
    assert certificate.status == "superseded"


@pytest.mark.parametrize("what", ["/revoke", "/replace"])
def test_doors_of_the_officer(
    as_, trainee, institution_admin, auditor, stranger_admin, officer_elsewhere, certificate, what
):
    for user in (trainee, institution_admin, auditor):
        assert as_(user).post(path(certificate, what), {"reason": "x"}).status_code == 403
    # What the stranger lacks is sight, or the role as well.
    assert as_(officer_elsewhere).post(path(certificate, what), {"reason": "x"}).status_code == 404
    assert as_(stranger_admin).post(path(certificate, what), {"reason": "x"}).status_code == 403


def test_a_reason_is_needed(as_, officer, certificate):
    response = as_(officer).post(path(certificate, "/revoke"), {})

    assert response.status_code == 400
    assert response.data["errors"][0]["pointer"] == "#/reason"


@pytest.mark.parametrize("what", ["", "/image", "/pdf", "/qr"])
def test_strangers_see_nothing(as_, stranger_admin, officer_elsewhere, certificate, what):
    other_trainee = factories.user(person=factories.person())
    for user in (stranger_admin, officer_elsewhere, other_trainee, factories.user()):
        hidden = as_(user).get(path(certificate, what))
        absent = as_(user).get(f"{CERTIFICATES}/{uuid.uuid4()}{what}")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}
        assert as_(user).get(CERTIFICATES).data["results"] == []
    assert as_(None).get(path(certificate, what)).status_code == 401


def test_filters(as_, officer, institution_admin, institution, certificate):
    other = issue(institution_admin, institution=institution)
    certificates.revoke(other, reason="x", by=officer, at=timezone.now())

    def found(query: str) -> list[str]:
        return [row["id"] for row in as_(officer).get(f"{CERTIFICATES}?{query}").data["results"]]

    assert found("status=revoked") == [str(other.pk)]
    assert found("status=valid") == [str(certificate.pk)]
    assert found("status=expired") == []
    assert found(f"training_class={other.enrolment.training_class_id}") == [str(other.pk)]
    assert len(found(f"region={factories.CITY}")) == 2
    assert as_(officer).get(f"{CERTIFICATES}?status=gone").status_code == 400


@pytest.mark.parametrize("count", [2, 30])
def test_query_budget(as_, officer, institution, count, django_assert_max_num_queries):
    issue(officer, count=count, institution=institution)
    client = as_(officer)

    with django_assert_max_num_queries(8):
        response = client.get(f"{CERTIFICATES}?limit=100")

    assert len(response.data["results"]) == count
