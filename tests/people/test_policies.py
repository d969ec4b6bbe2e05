"""Which numbers hold where and when, and that a published one never changes."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from people import policies
from people.days import SHANGHAI
from people.models import Organisation, Policy
from people.policies import AttendanceRules, ClassRules, EnrolmentRules, FollowUpRules
from people.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)
TOWNSHIP, COUNTY, CITY, PROVINCE = "430202001000", "430202000000", "430200000000", "430000000000"
VILLAGE = "430202001001"


@pytest.fixture
def office():
    return factories.user(roles=[(Role.OFFICER, factories.bureau())])


@pytest.fixture
def publish(office):
    def publish(where, minutes, begins=TODAY, ends=None):
        return policies.publish(
            "attendance",
            factories.region(where),
            {"late_grace_minutes": minutes},
            effective_from=begins,
            effective_to=ends,
            basis="示例文件",
            by=office,
            at=datetime.combine(TODAY, datetime.min.time(), SHANGHAI),
        )

    return publish


def grace(where, on=TODAY):
    return policies.governing(AttendanceRules, where, on).rules.late_grace_minutes


# -- which one governs ----------------------------------------------------------------------------


def test_without_any_policy_the_defaults_hold():
    found = policies.governing(AttendanceRules, COUNTY, TODAY)

    assert found.policy_id is None
    assert found.rules.required_rate == Decimal("0.80")


@pytest.mark.parametrize(
    ("published", "where", "governs"),
    [
        ([PROVINCE, CITY, COUNTY, TOWNSHIP, VILLAGE], VILLAGE, VILLAGE),
        ([PROVINCE, CITY, COUNTY, TOWNSHIP], VILLAGE, TOWNSHIP),
        ([PROVINCE, CITY, COUNTY], VILLAGE, COUNTY),
        ([PROVINCE, CITY], COUNTY, CITY),
        ([PROVINCE], VILLAGE, PROVINCE),
        ([PROVINCE, COUNTY], CITY, PROVINCE),
        ([VILLAGE], COUNTY, None),
        (["430203000000"], COUNTY, None),
        (["440000000000"], COUNTY, None),
    ],
)
def test_nearest_region_wins(publish, published, where, governs):
    # The wider ones are published last: nearness counts, not novelty.
    made = {code: publish(code, 20 + n) for n, code in enumerate(reversed(published))}

    found = policies.governing(AttendanceRules, where, TODAY)

    assert found.policy_id == (made[governs].pk if governs else None)


def test_latest_version_in_force_on_the_day_wins(publish):
    publish(COUNTY, 11, date(2026, 3, 2))
    publish(COUNTY, 12, date(2026, 4, 1))
    publish(COUNTY, 13, date(2026, 5, 1), date(2026, 5, 31))

    answers = [
        grace(COUNTY, day)
        for day in (
            date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 1),
            date(2026, 5, 1), date(2026, 5, 31), date(2026, 6, 1),
        )
    ]  # fmt: skip

    assert answers == [10, 11, 11, 12, 13, 13, 12]


def test_of_two_versions_for_one_day_the_later_published_wins(publish):
    publish(COUNTY, 11)
    publish(COUNTY, 12)

    assert grace(COUNTY) == 12


def test_another_kind_does_not_govern(publish):
    publish(COUNTY, 11)

    assert policies.governing(ClassRules, COUNTY, TODAY).policy_id is None


@pytest.mark.parametrize("nested", [OuterRef("region_id"), OuterRef("region__code")])
def test_governing_works_inside_another_statement(publish, nested):
    of_city = publish(CITY, 11)
    of_county = publish(COUNTY, 12)
    here = factories.organisation("employer")
    next_door = factories.organisation(
        "employer", region=factories.region(factories.COUNTY_ELSEWHERE)
    )
    far = factories.organisation("employer", region=factories.region("440300000000"))
    village = factories.organisation("employer", region=factories.region(VILLAGE))

    governing = Policy.objects.governing("attendance", nested, TODAY)
    rows = Organisation.objects.filter(kind="employer").annotate(
        policy_id=Subquery(governing.values("pk")[:1])
    )

    assert dict(rows.values_list("pk", "policy_id")) == {
        here.pk: of_county.pk,
        village.pk: of_county.pk,
        next_door.pk: of_city.pk,
        far.pk: None,
    }


# -- publishing -----------------------------------------------------------------------------------


def test_past_is_refused(publish):
    with pytest.raises(policies.PolicyInThePast):
        publish(COUNTY, 11, date(2026, 3, 1))


def test_published_version_is_whole(publish):
    published = publish(COUNTY, 11)

    assert published.values["required_rate"] == "0.80"
    assert set(published.values) == {m["name"] for m in policies.describe(AttendanceRules)}


@pytest.mark.parametrize(
    ("schema", "values", "wrong"),
    [
        (AttendanceRules, {"required_rate": "1.01"}, ["required_rate"]),
        (AttendanceRules, {"required_rate": "-0.01"}, ["required_rate"]),
        (AttendanceRules, {"required_rate": "NaN"}, ["required_rate"]),
        (AttendanceRules, {"required_rate": 0.8}, ["required_rate"]),
        (AttendanceRules, {"late_grace_minutes": "10"}, ["late_grace_minutes"]),
        (AttendanceRules, {"late_grace_minutes": True}, ["late_grace_minutes"]),
        (AttendanceRules, {"late_grace_minutes": 241}, ["late_grace_minutes"]),
        (AttendanceRules, {"code_step_seconds": 9}, ["code_step_seconds"]),
        (
            AttendanceRules,
            {"wages": 1, "late_grace_minutes": None},
            ["late_grace_minutes", "wages"],
        ),
        (EnrolmentRules, {"same_skill_once": 1}, ["same_skill_once"]),
        (EnrolmentRules, {"priority_categories": "veteran"}, ["priority_categories"]),
        (EnrolmentRules, {"priority_categories": ["wizard"]}, ["priority_categories"]),
        (EnrolmentRules, {"minimum_age": 61}, ["minimum_age", "maximum_age"]),
        (ClassRules, {"minimum_size": 70}, ["minimum_size", "maximum_size"]),
        (FollowUpRules, {"checkpoints": []}, ["checkpoints"]),
        (FollowUpRules, {"checkpoints": [{"code": "D7"}]}, ["checkpoints"]),
        (FollowUpRules, {"checkpoints": "D7"}, ["checkpoints"]),
    ],
)
def test_values_that_do_not_fit_are_named(schema, values, wrong):
    with pytest.raises(policies.BadPolicyValues) as refusal:
        policies.parse(schema, values)
    assert refusal.value.facts == {"members": wrong}


def test_one_checkpoint_has_one_code():
    twice = policies.dump(FollowUpRules())["checkpoints"][:1] * 2

    with pytest.raises(policies.BadPolicyValues):
        policies.parse(FollowUpRules, {"checkpoints": twice})


@pytest.mark.parametrize("schema", policies.SCHEMAS.values())
def test_what_is_dumped_is_read_back(schema):
    assert policies.parse(schema, policies.dump(schema())) == schema()


@pytest.mark.parametrize("edge", ["0", "1", "0.8", 1])
def test_bounds_belong_to_the_range(edge):
    assert policies.parse(AttendanceRules, {"required_rate": edge})


def test_database_refuses_a_version_that_ends_before_it_begins(publish):
    published = publish(COUNTY, 11)
    published.pk, published.effective_to = uuid.uuid4(), date(2026, 3, 1)

    with pytest.raises(IntegrityError, match="policy_ends_after"), transaction.atomic():
        published.save(force_insert=True)
