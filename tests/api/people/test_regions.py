"""The tree of regions, one level at a time, for everyone."""

import pytest

from tests import factories

REGIONS = "/api/v1/regions"


@pytest.fixture
def tree(db):
    for code in (factories.COUNTY, factories.COUNTY_ELSEWHERE, "430202001001"):
        factories.region(code)


def codes(response):
    return [row["code"] for row in response.json()["results"]]


def test_children_of_a_region(as_, tree):
    response = as_(None).get(REGIONS, {"parent": factories.CITY})

    assert codes(response) == [factories.COUNTY, factories.COUNTY_ELSEWHERE]
    assert response.json()["results"][0]["parent_id"] == factories.CITY


def test_topmost_regions_by_level(as_, tree):
    assert codes(as_(None).get(REGIONS, {"level": "province"})) == ["430000000000"]


def test_one_region(as_, tree):
    response = as_(None).get(f"{REGIONS}/430202001001")

    assert response.json()["level"] == "village"
    assert response["Cache-Control"] == "public, max-age=3600"
    assert as_(None).get(f"{REGIONS}/999999999999").status_code == 404


@pytest.mark.parametrize("wrong", [{"parent": ""}, {"level": "galaxy"}, {"mayor": "x"}])
def test_wrong_question_is_400(as_, tree, wrong):
    assert as_(None).get(REGIONS, wrong).status_code == 400


def test_region_without_children_is_an_empty_list(as_, tree):
    assert codes(as_(None).get(REGIONS, {"parent": "430202001001"})) == []


def test_list_takes_one_statement(as_, tree, django_assert_num_queries):
    with django_assert_num_queries(1):
        as_(None).get(REGIONS)
