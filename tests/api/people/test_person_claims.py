"""Claims at the door: whoever knows the person decides, never the claimant."""

import pytest
from django.utils import timezone

from people import person_claims, persons
from people.models import Membership, PersonClaim
from people.roles import Role
from tests import factories

CLAIMS = "/api/v1/person-claims"


@pytest.fixture
def known(institution):
    """Somebody whom the institution trains."""
    return factories.person(known_to=institution, name="张样例")


@pytest.fixture
def claim(known):
    said = persons.Particulars(name="张样例", id_number=known.id_number, region=factories.region())
    claimant = factories.user("13812340007")
    person_claims.register_self(said, by=claimant, at=timezone.now())
    return PersonClaim.objects.get()


@pytest.mark.parametrize("role", ["institution_admin", "officer"])
def test_whoever_knows_the_person_confirms(as_, request, claim, role):
    client = as_(request.getfixturevalue(role))
    row = client.get(CLAIMS, {"status": "waiting"}).json()["results"][0]
    assert (row["name"], row["phone_masked"]) == ("张样例", "138****0007")

    response = client.post(f"{CLAIMS}/{claim.pk}/confirm")

    assert response.status_code == 200
    claim.user.refresh_from_db()
    assert claim.user.person == claim.person
    assert client.post(f"{CLAIMS}/{claim.pk}/refuse").json()["code"] == "wrong_status"


def test_institution_that_got_to_know_the_person_later_does_not_confirm(as_, claim, stranger_admin):
    said = {"name": "张样例", "id_number": claim.person.id_number, "region_id": factories.COUNTY}
    client = as_(stranger_admin)
    assert client.post("/api/v1/persons", said).status_code == 201

    response = client.post(f"{CLAIMS}/{claim.pk}/confirm")

    assert (response.status_code, response.json()["code"]) == (403, "not_yours")


@pytest.mark.parametrize(
    ("role", "status"),
    [("stranger_admin", 404), ("officer_elsewhere", 404), ("auditor", 403), ("trainee", 403)],
)
def test_nobody_else_decides_a_claim(as_, request, claim, role, status):
    client = as_(request.getfixturevalue(role))

    for verb in ("confirm", "refuse"):
        assert client.post(f"{CLAIMS}/{claim.pk}/{verb}").status_code == status


def test_claimant_who_is_an_officer_cannot_confirm_the_own_claim(as_, claim, institution):
    Membership.objects.create(
        user=claim.user,
        organisation=factories.bureau(institution.region),
        role=Role.OFFICER,
        created_at=claim.created_at,
    )

    assert as_(claim.user).post(f"{CLAIMS}/{claim.pk}/confirm").status_code == 404


@pytest.mark.parametrize("rows", [1, 20])
def test_claims_list_takes_two_statements(
    as_, officer, django_assert_num_queries, institution, rows
):
    for _each in range(rows):
        person = factories.person(known_to=institution)
        PersonClaim.objects.create(
            user=factories.user(), person=person, name="张样例", created_at=person.created_at
        )
    client = as_(officer)

    with django_assert_num_queries(2):
        client.get(CLAIMS, {"limit": 100})
