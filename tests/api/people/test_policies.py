"""Policies at the door: public to read, published by officers of the region, never edited."""

import pytest

from people.models import Policy
from tests import factories

POLICIES, IN_FORCE = "/api/v1/policies", "/api/v1/policies/in-force"


def body(**more):
    return {
        "kind": "attendance",
        "region_id": factories.region().pk,
        "effective_from": str(factories.day()),
        "values": {"required_rate": "0.75", "late_grace_minutes": 15},
        "basis": "示例文件〔2026〕1号",
    } | more


def in_force(client, region=factories.COUNTY, **more):
    return client.get(IN_FORCE, {"kind": "attendance", "region": region} | more)


def test_officer_publishes_for_the_own_region(as_, officer):
    response = as_(officer).post(POLICIES, body())

    assert response.status_code == 201
    assert response.json()["values"]["required_rate"] == "0.75"
    assert response.json()["values"]["clock_skew_minutes"] == 5
    assert response.json()["approved_by_id"] == str(officer.pk)


@pytest.mark.parametrize("role", ["officer_elsewhere", "auditor", "institution_admin", "trainee"])
def test_nobody_else_publishes(as_, request, role):
    response = as_(request.getfixturevalue(role)).post(POLICIES, body())

    assert response.status_code == 403
    assert not Policy.objects.exists()


def test_county_officer_does_not_publish_for_the_city(as_, officer):
    city = factories.region(factories.CITY)

    assert as_(officer).post(POLICIES, body(region_id=city.pk)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"values": {"required_rate": "1.5"}}, "#/values/required_rate"),
        ({"values": {"wages": 1}}, "#/values/wages"),
        ({"kind": "weather"}, "#/kind"),
        ({"region_id": "999999999999"}, "#/region_id"),
        ({"effective_to": "2000-01-01"}, "#/effective_to"),
        ({"approved_by_id": "x"}, "#/approved_by_id"),
    ],
)
def test_wrong_member_is_named(as_, officer, wrong, pointer):
    response = as_(officer).post(POLICIES, body(**wrong))

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_past_is_409(as_, officer):
    response = as_(officer).post(POLICIES, body(effective_from=str(factories.day(-1))))

    assert (response.status_code, response.json()["code"]) == (409, "policy_in_the_past")


def test_published_version_cannot_be_changed(as_, officer):
    made = as_(officer).post(POLICIES, body()).json()
    client = as_(officer)

    for method in ("patch", "put", "delete"):
        response = getattr(client, method)(f"{POLICIES}/{made['id']}", {"values": {}})
        assert response.status_code == 405
    assert client.get(f"{POLICIES}/{made['id']}").json()["version"] == made["version"]


def test_defaults_are_in_force_until_something_is_published(as_, officer):
    before = in_force(as_(None), factories.region().pk).json()
    made = as_(officer).post(POLICIES, body()).json()
    after = in_force(as_(None)).json()

    assert (before["policy_id"], before["values"]["required_rate"]) == (None, "0.80")
    assert (after["policy_id"], after["values"]["required_rate"]) == (made["id"], "0.75")


def test_in_force_on_a_day(as_, officer):
    as_(officer).post(POLICIES, body(effective_from=str(factories.day(10))))

    on = [
        in_force(as_(None), on=str(factories.day(n))).json()["values"]["required_rate"]
        for n in (9, 10)
    ]

    assert on == ["0.80", "0.75"]


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"kind": "weather"}, "kind"),
        ({"region": "999999999999"}, "region"),
        ({"on": "yesterday"}, "on"),
        ({"near": "here"}, "near"),
    ],
)
def test_wrong_question_is_named(as_, given, parameter):
    factories.region()

    response = in_force(as_(None), **given)

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == parameter


def test_list_filters_by_kind_region_and_day(as_, officer):
    made = as_(officer).post(POLICIES, body()).json()["id"]
    later = as_(officer).post(POLICIES, body(effective_from=str(factories.day(10)))).json()["id"]

    def found(**filters):
        rows = as_(None).get(POLICIES, filters).json()["results"]
        return [row["id"] for row in rows]

    assert found() == [later, made]
    assert found(on=str(factories.day())) == [made]
    assert found(kind="exam") == []
    assert found(region=factories.COUNTY_ELSEWHERE) == []
    assert found(region=factories.CITY, kind="attendance") == [later, made]


def test_kinds_tell_defaults_bounds_and_units(as_):
    kinds = {row["kind"]: row for row in as_(None).get("/api/v1/policy-kinds").json()["results"]}

    assert set(kinds) == {"attendance", "class", "enrolment", "exam", "follow_up"}
    rate = next(m for m in kinds["attendance"]["members"] if m["name"] == "required_rate")
    assert (rate["default"], rate["low"], rate["high"]) == ("0.80", "0", "1")
    assert rate["unit"]


def test_list_takes_one_statement(as_, officer, django_assert_num_queries):
    for _time in range(10):
        as_(officer).post(POLICIES, body())

    with django_assert_num_queries(1):
        as_(None).get(POLICIES, {"limit": 100})
