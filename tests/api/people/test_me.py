"""The caller's own account: what it is, what it may do, and registering oneself."""

import pytest

from api.permits import permits
from people.models import Notice, Person, PersonClaim
from people.roles import Role
from tests import factories
from tests.contract import document

ME, MINE = "/api/v1/me", "/api/v1/me/person"
PHONE = "13812340001"


def said(**more):
    return {
        "name": "测试一",
        "id_number": factories.id_number(),
        "education": "junior_high",
        "region_id": factories.region().pk,
        "categories": ["veteran"],
    } | more


# -- GET /me --------------------------------------------------------------------------------------


def test_me_needs_a_sign_in(as_):
    assert as_(None).get(ME).status_code == 401


def test_me_shows_account_person_and_unread_notices(as_, trainee):
    Notice.objects.create(person=trainee.person, code="class_closed", created_at=trainee.created_at)

    body = as_(trainee).get(ME).json()

    assert body["user"]["id"] == str(trainee.pk)
    assert body["user"]["phone_masked"] == trainee.phone[:3] + "****" + trainee.phone[-4:]
    assert body["person"]["name"] == "测试一"
    assert body["unread_count"] == 1
    assert body["memberships"] == []
    assert trainee.phone not in str(body)


def test_membership_tells_what_the_role_permits(as_, institution_admin, auditor):
    held = as_(institution_admin).get(ME).json()["memberships"][0]
    watching = as_(auditor).get(ME).json()["memberships"][0]

    assert held["role"] == "institution_admin"
    assert "create_person" in held["permits"]
    assert "list_journal" in watching["permits"]
    assert "create_person" not in watching["permits"]
    assert "create_policy" not in held["permits"]


def test_permits_are_operations_of_the_document(as_):
    paths = document("config.urls")["paths"]
    operations = {one["operationId"] for path in paths.values() for one in path.values()}

    for role in Role:
        assert set(permits(role)) <= operations


@pytest.mark.parametrize("memberships", [1, 100])
def test_me_takes_two_statements(as_, django_assert_num_queries, memberships):
    roles = [(Role.TRAINER, factories.institution()) for _each in range(memberships)]
    client = as_(factories.user(roles=roles))

    with django_assert_num_queries(2):
        response = client.get(ME)

    assert len(response.json()["memberships"]) == memberships


# -- registering oneself --------------------------------------------------------------------------


def case(kind):
    """Prepare one of the three cases; tell what is sent."""
    sent = said()
    if kind == "linked":
        factories.person(id_number=sent["id_number"], name="测试一", phone=PHONE)
    if kind == "waits":
        factories.person(id_number=sent["id_number"], name="测试二", phone="13812340009")
    return sent


@pytest.mark.parametrize("kind", ["new", "linked", "waits"])
def test_answer_is_what_was_sent_masked_and_does_not_tell_which(as_, kind):
    sent = case(kind)

    response = as_(factories.user(PHONE)).put(MINE, sent)

    assert response.status_code == 200
    number = sent["id_number"]
    assert response.json() == {
        "name": "测试一",
        "id_number_masked": number[:3] + "*" * 11 + number[-4:],
        "education": "junior_high",
        "hukou": "unknown",
        "region_id": sent["region_id"],
        "categories": ["veteran"],
        "employment_card_number": "",
    }


@pytest.mark.parametrize("kind", ["new", "linked", "waits"])
def test_second_time_is_409_in_every_case(as_, kind):
    client = as_(factories.user(PHONE))
    client.put(MINE, case(kind))

    response = client.put(MINE, said())

    assert (response.status_code, response.json()["code"]) == (409, "already_registered")
    assert client.get(ME).json()["is_registered"]


@pytest.mark.parametrize("kind", ["new", "linked", "waits"])
def test_lost_reply_is_answered_again(as_, kind):
    client, sent = as_(factories.user(PHONE)), case(kind)

    first, again = client.put(MINE, sent), client.put(MINE, sent)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()


def test_waiting_account_has_no_person_yet(as_):
    client = as_(factories.user(PHONE))
    client.put(MINE, case("waits"))

    assert client.get(MINE).status_code == 404
    assert client.get(ME).json()["person"] is None
    assert PersonClaim.objects.get().status == "waiting"


def test_own_person_is_shown_masked(as_):
    client = as_(factories.user(PHONE))
    sent = said()
    client.put(MINE, sent)

    response = client.get(MINE)

    assert response.json()["born_on"] == "1985-03-01"
    assert sent["id_number"] not in response.content.decode()
    assert response["ETag"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("430202198503010000", "wrong_check_digit"),
        ("4302021985030100", "wrong_length"),
        ("430202850301001", "old_15_digit"),
        ("990202198503010018", "wrong_region"),
    ],
)
def test_bad_number_is_named_with_what_is_wrong(as_, number, code):
    response = as_(factories.user(PHONE)).put(MINE, said(id_number=number))

    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [("#/id_number", code)]
    assert number not in response.content.decode()
    assert not Person.objects.exists()
