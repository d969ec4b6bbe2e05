"""The doors to the public catalogues of occupations and programmes."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db


def found(client, path):
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["results"]]


def test_everybody_reads_occupations(as_):
    factories.occupation(code="6-29-03-01", name="样例电工")
    factories.occupation(code="4-10-01-01", name="样例育婴员")
    client = as_(None)

    assert found(client, "occupations") == ["样例育婴员", "样例电工"]
    assert found(client, "occupations?code=6-29-03-01") == ["样例电工"]
    assert found(client, "occupations?name=育婴") == ["样例育婴员"]
    assert client.get("/api/v1/occupations")["Cache-Control"] == "public, max-age=3600"


def test_everybody_reads_programmes(as_):
    occupation = factories.occupation()
    factories.programme(name="甲", occupation=occupation, level="senior")
    factories.programme(name="乙", kind="startup", active=False)
    client = as_(None)

    assert found(client, f"programmes?occupation={occupation.pk}") == ["甲"]
    assert found(client, f"programmes?occupation={occupation.code}") == ["甲"]
    assert found(client, "programmes?level=senior") == ["甲"]
    assert found(client, "programmes?kind=startup") == ["乙"]
    assert found(client, "programmes?active=true") == ["甲"]


@pytest.mark.parametrize("noun", ["occupations", "programmes"])
def test_nobody_writes_catalogues_here(noun, as_, institution_admin):
    assert as_(institution_admin).post(f"/api/v1/{noun}", {}).status_code == 405


@pytest.mark.parametrize("rows", [3, 60])
def test_catalogues_cost_the_same_for_3_and_60(rows, as_, django_assert_num_queries):
    for _ in range(rows):
        factories.programme()
    client = as_(None)

    with django_assert_num_queries(1):
        client.get("/api/v1/occupations?limit=100")
    with django_assert_num_queries(2):
        client.get("/api/v1/programmes?limit=100&expand=occupation")
