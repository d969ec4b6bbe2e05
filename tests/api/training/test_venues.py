"""The door to venues."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/venues"
BODY = {
    "name": "一号实训室",
    "address": "样例路1号",
    "latitude": "27.830000",
    "longitude": "113.130000",
    "capacity": 40,
}


def test_an_institution_adds_a_venue_that_everybody_sees(as_, institution_admin, institution):
    made = as_(institution_admin).post(URL, BODY)

    assert made.status_code == 201
    assert made.json()["radius_m"] == 200
    shown = as_(None).get(f"{URL}/{made.json()['id']}")
    assert shown.json()["institution_id"] == str(institution.pk)
    assert shown.json()["latitude"] == "27.830000"


@pytest.mark.parametrize("caller", ["trainer_user", "officer", "auditor", "trainee"])
def test_only_institutions_add_venues(caller, as_, request):
    assert as_(request.getfixturevalue(caller)).post(URL, BODY).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"latitude": "90.000001"}, "#/latitude"),
        ({"longitude": "-180.000001"}, "#/longitude"),
        ({"capacity": 0}, "#/capacity"),
        ({"radius_m": 0}, "#/radius_m"),
        ({"name": ""}, "#/name"),
    ],
)
def test_a_wrong_member_is_named(changes, pointer, as_, institution_admin):
    response = as_(institution_admin).post(URL, BODY | changes)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def test_an_institution_changes_its_own_venue_only(
    as_, institution_admin, stranger_admin, institution
):
    venue = factories.venue(institution)
    path = f"{URL}/{venue.pk}"
    etag = as_(None).get(path)["ETag"]

    own = as_(institution_admin).patch(path, {"active": False}, HTTP_IF_MATCH=etag)
    other = as_(stranger_admin).patch(path, {"active": True}, HTTP_IF_MATCH=own["ETag"])

    assert (own.status_code, own.json()["active"]) == (200, False)
    assert other.status_code == 403


def test_mine_are_those_of_my_institutions(as_, institution_admin, trainer_user, institution):
    venue = factories.venue(institution)
    factories.venue(factories.institution())

    def found(user):
        return [row["id"] for row in as_(user).get(f"{URL}?mine=true").json()["results"]]

    assert found(institution_admin) == found(trainer_user) == [str(venue.pk)]
    assert found(factories.user()) == []
    assert as_(None).get(f"{URL}?mine=true").status_code == 401


def test_venues_are_kept_for_a_minute_for_the_public_only(as_, institution_admin, institution):
    path = f"{URL}/{factories.venue(institution).pk}"

    for address in (URL, path):
        assert as_(None).get(address)["Cache-Control"] == "public, max-age=60"
        assert "private" in as_(institution_admin).get(address)["Cache-Control"]


@pytest.mark.parametrize("rows", [3, 60])
def test_the_list_costs_the_same_for_3_and_60(rows, as_, institution, django_assert_num_queries):
    for _ in range(rows):
        factories.venue(institution)

    with django_assert_num_queries(1):
        response = as_(None).get(f"{URL}?limit=100&institution={institution.pk}&active=true")

    assert len(response.json()["results"]) == rows
