"""Roles at the door: handed out and taken away by those who may, felt on the next request."""

import pytest

from people.models import Membership
from people.roles import Role
from tests import factories

ORGANISATIONS, MEMBERSHIPS = "/api/v1/organisations", "/api/v1/memberships"
PHONE = "13812340001"


def names(response):
    return {row["id"] for row in response.json()["results"]}


def test_administrator_makes_a_trainer_who_may_act_on_the_next_request(
    as_, institution_admin, institution
):
    response = as_(institution_admin).post(
        f"{ORGANISATIONS}/{institution.pk}/memberships", {"phone": PHONE, "role": "trainer"}
    )

    assert response.status_code == 201
    assert response.json()["phone_masked"] == "138****0001"
    held = Membership.objects.get(pk=response.json()["id"])
    assert (held.role, held.organisation) == ("trainer", institution)


def test_answer_is_the_same_for_a_known_phone_and_tells_no_name(
    as_, institution_admin, institution
):
    factories.user(PHONE, person=factories.person(name="测试一"))

    response = as_(institution_admin).post(
        f"{ORGANISATIONS}/{institution.pk}/memberships", {"phone": PHONE, "role": "trainer"}
    )

    assert response.status_code == 201
    assert "测试一" not in response.content.decode()
    assert "user_id" not in response.json()
    assert "user_id" not in as_(institution_admin).get(MEMBERSHIPS).json()["results"][0]


@pytest.mark.parametrize("role", ["officer", "auditor", "system_admin", "founder"])
def test_administrator_cannot_give_a_bureau_role(as_, institution_admin, institution, role):
    response = as_(institution_admin).post(
        f"{ORGANISATIONS}/{institution.pk}/memberships", {"phone": PHONE, "role": role}
    )

    assert (response.status_code, response.json()["code"]) == (403, "role_not_yours_to_give")
    assert not Membership.objects.filter(role=role).exists()


def test_administrator_cannot_give_a_role_in_a_bureau(as_, institution_admin):
    office = factories.bureau()

    response = as_(institution_admin).post(
        f"{ORGANISATIONS}/{office.pk}/memberships", {"phone": PHONE, "role": "officer"}
    )

    assert response.status_code == 403


@pytest.mark.parametrize("role", ["stranger_admin", "trainer_user", "officer", "trainee"])
def test_nobody_else_gives_roles(as_, request, institution, role):
    response = as_(request.getfixturevalue(role)).post(
        f"{ORGANISATIONS}/{institution.pk}/memberships", {"phone": PHONE, "role": "trainer"}
    )

    assert response.status_code == 403


def test_system_administrator_gives_roles_everywhere_that_fit(as_, institution):
    system = factories.user(roles=[(Role.SYSTEM_ADMIN, factories.bureau())])
    office = factories.bureau(factories.region(factories.COUNTY_ELSEWHERE))
    client = as_(system)

    made = client.post(f"{ORGANISATIONS}/{office.pk}/memberships",
                       {"phone": PHONE, "role": "officer"})  # fmt: skip
    unfit = client.post(f"{ORGANISATIONS}/{institution.pk}/memberships",
                        {"phone": PHONE, "role": "officer"})  # fmt: skip

    assert made.status_code == 201
    assert (unfit.status_code, unfit.json()["code"]) == (409, "role_does_not_fit")


def test_removed_role_is_gone_on_the_next_request(as_, institution_admin, institution):
    colleague = factories.user(roles=[(Role.INSTITUTION_ADMIN, institution)])
    theirs = as_(colleague)
    assert theirs.get("/api/v1/persons").status_code == 200
    client = as_(institution_admin)
    held = colleague.memberships.get()
    row = next(
        row for row in client.get(MEMBERSHIPS).json()["results"] if row["id"] == str(held.pk)
    )

    blind = client.delete(f"{MEMBERSHIPS}/{held.pk}")
    response = client.delete(f"{MEMBERSHIPS}/{held.pk}", HTTP_IF_MATCH=f'"{row["version"]}"')

    assert (blind.status_code, response.status_code) == (428, 204)
    assert theirs.get("/api/v1/persons").status_code == 403


@pytest.mark.parametrize(
    ("role", "status"),
    [("trainer_user", 404), ("officer", 403), ("auditor", 403), ("stranger_admin", 404)],
)
def test_nobody_else_takes_a_role_away(as_, request, institution_admin, role, status):
    held = institution_admin.memberships.get()
    version = as_(institution_admin).get(MEMBERSHIPS).json()["results"][0]["version"]

    response = as_(request.getfixturevalue(role)).delete(
        f"{MEMBERSHIPS}/{held.pk}", HTTP_IF_MATCH=f'"{version}"'
    )

    assert response.status_code == status
    assert Membership.objects.filter(pk=held.pk).exists()


def test_own_membership_is_seen_and_given_up(as_, trainer_user):
    held = trainer_user.memberships.get()
    client = as_(trainer_user)

    row = client.get(MEMBERSHIPS).json()["results"][0]
    left = client.delete(f"{MEMBERSHIPS}/{held.pk}", HTTP_IF_MATCH=f'"{row["version"]}"')

    assert row["id"] == str(held.pk)
    assert left.status_code == 204
    assert client.get(MEMBERSHIPS).json()["results"] == []


def test_supervisor_and_oneself_are_409(as_, institution_admin, institution, officer):
    client, path = as_(institution_admin), f"{ORGANISATIONS}/{institution.pk}/memberships"

    supervisor = client.post(path, {"phone": officer.phone, "role": "trainer"})
    oneself = client.post(path, {"phone": institution_admin.phone, "role": "trainer"})

    assert (supervisor.status_code, supervisor.json()["code"]) == (409, "supervises_here")
    assert "facts" not in supervisor.json()
    assert (oneself.status_code, oneself.json()["code"]) == (409, "own_request")


@pytest.mark.parametrize("rows", [1, 30])
def test_memberships_take_two_statements(
    as_, institution, institution_admin, django_assert_num_queries, rows
):
    for _each in range(rows):
        factories.user(roles=[(Role.TRAINER, institution)])
    client = as_(institution_admin)

    with django_assert_num_queries(2):
        client.get(MEMBERSHIPS, {"limit": 100})
