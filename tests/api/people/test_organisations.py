"""Institutions in public, other organisations only where the caller's region is."""

import pytest

from people.models import Organisation
from tests import factories

INSTITUTIONS, ORGANISATIONS = "/api/v1/institutions", "/api/v1/organisations"


def body(**more):
    return {
        "name": "样例职业培训学校",
        "credit_code": factories.credit_code(9_000_001),
        "region_id": factories.region().pk,
        "address": "样例路1号",
    } | more


def names(response):
    return {row["id"] for row in response.json()["results"]}


def test_institutions_are_public_and_nothing_else_is_among_them(as_, institution):
    factories.bureau()

    response = as_(None).get(INSTITUTIONS)

    assert names(response) == {str(institution.pk)}
    assert as_(None).get(f"{INSTITUTIONS}/{institution.pk}").status_code == 200


def test_employers_are_seen_by_their_region_only(as_, officer, officer_elsewhere, auditor):
    employer = factories.organisation("employer")
    path = f"{ORGANISATIONS}/{employer.pk}"

    statuses = [as_(user).get(path).status_code for user in
                (officer, auditor, officer_elsewhere, None)]  # fmt: skip

    assert statuses == [200, 200, 404, 404]
    assert names(as_(officer).get(ORGANISATIONS, {"kind": "employer"})) == {str(employer.pk)}


def test_region_filter_takes_the_subtree(as_, institution):
    factories.institution(region=factories.region(factories.COUNTY_ELSEWHERE))

    here = as_(None).get(ORGANISATIONS, {"region": factories.COUNTY, "kind": "institution"})
    city = as_(None).get(ORGANISATIONS, {"region": factories.CITY, "kind": "institution"})

    assert names(here) == {str(institution.pk)}
    assert len(names(city)) == 2


def test_officer_registers_an_institution(as_, officer):
    key = "01890000-0000-7000-8000-000000000001"

    response = as_(officer).post(INSTITUTIONS, body(id=key))

    assert response.status_code == 201
    assert response.json()["id"] == key
    assert Organisation.objects.get(pk=key).kind == "institution"


def test_one_credit_code_is_one_organisation(as_, officer):
    as_(officer).post(INSTITUTIONS, body())

    response = as_(officer).post(INSTITUTIONS, body(name="另一个名称"))

    assert (response.status_code, response.json()["code"]) == (409, "already_on_the_register")


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"credit_code": "91430200MA9000001A"}, "#/credit_code", "wrong_check_digit"),
        ({"credit_code": "123"}, "#/credit_code", "wrong_length"),
        ({"region_id": "999999999999"}, "#/region_id", "does_not_exist"),
        ({"kind": "bureau"}, "#/kind", "unknown_member"),
    ],
)
def test_wrong_member_of_an_institution_is_named(as_, officer, wrong, pointer, code):
    response = as_(officer).post(INSTITUTIONS, body(**wrong))

    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("role", ["officer_elsewhere", "institution_admin", "auditor", "trainee"])
def test_nobody_else_registers_an_institution(as_, request, role):
    response = as_(request.getfixturevalue(role)).post(INSTITUTIONS, body())

    assert response.status_code == 403


@pytest.mark.parametrize("rows", [1, 20])
def test_institutions_take_one_statement(as_, db, django_assert_num_queries, rows):
    for _each in range(rows):
        factories.institution()

    with django_assert_num_queries(1):
        as_(None).get(INSTITUTIONS, {"limit": 100})
