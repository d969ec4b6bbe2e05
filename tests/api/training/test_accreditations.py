"""The door to accreditations."""

import uuid

import pytest

from tests import factories
from tests.factories import day

pytestmark = pytest.mark.django_db
URL = "/api/v1/accreditations"


def body(**changes):
    given = {
        "occupation_id": str(factories.occupation().pk),
        "level": "junior",
        "valid_from": str(day(0)),
        "valid_to": str(day(365)),
    }
    return given | changes


def decide(client, accreditation, verb):
    return client.post(
        f"{URL}/{accreditation.pk}/{verb}", {} if verb == "approve" else {"reason": "样例原因"}
    )


def test_an_institution_applies_for_itself(as_, institution_admin, institution):
    response = as_(institution_admin).post(URL, body())

    assert response.status_code == 201
    assert response.json()["institution_id"] == str(institution.pk)
    assert response.json()["status"] == "applied"


def test_nobody_applies_for_another_institution(as_, stranger_admin, institution):
    response = as_(stranger_admin).post(URL, body(institution_id=str(institution.pk)))

    assert response.status_code == 403


@pytest.mark.parametrize("caller", ["trainer_user", "officer", "auditor", "trainee"])
def test_only_institutions_apply(caller, as_, request):
    assert as_(request.getfixturevalue(caller)).post(URL, body()).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"level": "master"}, "#/level"),
        ({"valid_to": "2020-01-01"}, "#/valid_to"),
        ({"occupation_id": str(uuid.uuid4())}, "#/occupation_id"),
        ({"status": "approved"}, "#/status"),
    ],
)
def test_a_wrong_member_is_named(changes, pointer, as_, institution_admin):
    response = as_(institution_admin).post(URL, body(**changes))

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("status", "verb", "target"),
    [
        ("applied", "approve", "approved"),
        ("applied", "refuse", "refused"),
        ("approved", "revoke", "revoked"),
    ],
)
def test_an_officer_of_the_region_decides(status, verb, target, as_, officer, institution):
    accreditation = factories.accreditation(institution, status=status)

    response = decide(as_(officer), accreditation, verb)

    assert response.status_code == 200
    assert response.json()["status"] == target


@pytest.mark.parametrize("verb", ["approve", "refuse", "revoke"])
@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("institution_admin", 403),
        ("trainer_user", 403),
        ("auditor", 403),
        ("trainee", 403),
        ("officer_elsewhere", 404),
        ("stranger_admin", 403),
    ],
)
def test_nobody_else_decides(verb, caller, status, as_, request, institution):
    accreditation = factories.accreditation(institution, status="applied")

    response = decide(as_(request.getfixturevalue(caller)), accreditation, verb)

    assert response.status_code == status
    accreditation.refresh_from_db()
    assert accreditation.status == "applied"


def test_a_strangers_accreditation_looks_absent(as_, stranger_admin, institution):
    accreditation = factories.accreditation(institution)
    client = as_(stranger_admin)

    hidden = client.get(f"{URL}/{accreditation.pk}").json()
    absent = client.get(f"{URL}/{uuid.uuid4()}").json()

    assert hidden.pop("request_id")
    assert absent.pop("request_id")
    assert hidden == absent


def test_the_list_is_narrowed_as_asked(as_, officer, institution):
    accreditation = factories.accreditation(institution, status="applied")
    factories.accreditation(institution)
    client = as_(officer)

    def found(query):
        return [row["id"] for row in client.get(f"{URL}?{query}").json()["results"]]

    assert found("status=applied") == [str(accreditation.pk)]
    assert found(f"occupation={accreditation.occupation.code}") == [str(accreditation.pk)]
    assert found(f"region={factories.COUNTY_ELSEWHERE}") == []
    assert len(found(f"institution={institution.pk}")) == 2


@pytest.mark.parametrize("rows", [3, 60])
def test_the_list_costs_the_same_for_3_and_60(
    rows, as_, officer, institution, django_assert_num_queries
):
    for _ in range(rows):
        factories.accreditation(institution, applied_by=officer, decided_by=None)
    client = as_(officer)

    with django_assert_num_queries(3):
        client.get(f"{URL}?limit=100&expand=occupation")
