"""The door to trainers."""

import uuid

import pytest

from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/trainers"


def test_an_institution_engages_a_trainer(as_, institution_admin, institution):
    response = as_(institution_admin).post(
        URL, {"name": "测试教师", "qualification": "高级技师", "phone": "138 1234 0001"}
    )

    assert response.status_code == 201
    assert response.json()["institution_id"] == str(institution.pk)
    assert response.json()["phone_masked"] == "138****0001"
    assert not {"phone", "user_id"} & set(response.json())


@pytest.mark.parametrize("caller", ["trainer_user", "officer", "auditor", "trainee"])
def test_only_institutions_engage_trainers(caller, as_, request):
    response = as_(request.getfixturevalue(caller)).post(URL, {"name": "测试教师"})

    assert response.status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"), [({"name": ""}, "#/name"), ({"phone": "12345"}, "#/phone")]
)
def test_a_wrong_member_is_named(changes, pointer, as_, institution_admin):
    response = as_(institution_admin).post(URL, {"name": "测试教师"} | changes)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def test_one_account_is_not_engaged_twice(as_, institution_admin, trainer_user):
    response = as_(institution_admin).post(URL, {"name": "测试教师", "phone": trainer_user.phone})

    assert response.status_code == 409
    assert response.json()["code"] == "trainer_already_engaged"


def test_a_trainer_who_leaves_is_out_at_once(as_, institution_admin, trainer_user):
    trainer = trainer_user.trainers.get()
    teaching, client, path = as_(trainer_user), as_(institution_admin), f"{URL}/{trainer.pk}"
    before = teaching.get(URL).status_code

    left = client.patch(path, {"active": False}, HTTP_IF_MATCH=client.get(path)["ETag"])

    assert left.status_code == 200
    assert (before, teaching.get(URL).status_code) == (200, 403)


def test_strangers_and_the_public_see_no_trainers(as_, stranger_admin, trainer_user):
    trainer = trainer_user.trainers.get()
    client = as_(stranger_admin)

    hidden = client.get(f"{URL}/{trainer.pk}").json()
    absent = client.get(f"{URL}/{uuid.uuid4()}").json()

    assert hidden.pop("request_id")
    assert absent.pop("request_id")
    assert hidden == absent
    assert client.get(URL).json()["results"] == []
    assert as_(None).get(URL).status_code == 401


@pytest.mark.parametrize("rows", [3, 60])
def test_the_list_costs_the_same_for_3_and_60(
    rows, as_, officer, institution, django_assert_num_queries
):
    for _ in range(rows):
        factories.trainer(institution)
    client = as_(officer)

    with django_assert_num_queries(2):
        client.get(f"{URL}?limit=100&active=true")


def test_a_supervisor_and_oneself_are_409(as_, institution_admin, officer):
    client = as_(institution_admin)

    codes = [
        client.post(URL, {"name": "测试教师", "phone": phone}).json()["code"]
        for phone in (officer.phone, institution_admin.phone)
    ]

    assert codes == ["supervises_here", "own_request"]
