"""The register at the door: masked, scoped, and in the clear only for a purpose on record."""

import pytest

from people.models import Acquaintance, JournalEntry, Person, StoredAnswer
from people.roles import Role
from tests import factories

PERSONS = "/api/v1/persons"
ABSENT = "01890000-0000-7000-8000-000000000000"
PHONE = "13812340001"


def body(**more):
    return {
        "name": "测试一",
        "id_number": factories.id_number(),
        "phone": PHONE,
        "region_id": factories.region().pk,
    } | more


def same_bytes(client, method, *paths, **sent):
    answers = [getattr(client, method)(path, **sent, HTTP_X_REQUEST_ID="r" * 8) for path in paths]
    return {answer.status_code for answer in answers}, len({a.content for a in answers}) == 1


@pytest.fixture
def known(institution):
    """Somebody whom the institution trains."""
    return factories.person(known_to=institution, name="张样例", phone=PHONE)


# -- seeing ---------------------------------------------------------------------------------------


def test_staff_see_the_name_and_never_the_number(as_, institution_admin, known):
    response = as_(institution_admin).get(f"{PERSONS}/{known.pk}")

    assert response.status_code == 200
    text = response.content.decode()
    assert "张样例" in text
    assert known.id_number not in text
    assert PHONE not in text


@pytest.mark.parametrize("stranger", ["stranger_admin", "officer_elsewhere"])
def test_stranger_gets_the_404_of_an_absent_person(as_, request, known, stranger):
    client = as_(request.getfixturevalue(stranger))

    statuses, same = same_bytes(client, "get", f"{PERSONS}/{known.pk}", f"{PERSONS}/{ABSENT}")

    assert (statuses, same) == ({404}, True)


@pytest.mark.parametrize("role", ["trainee", "trainer_user"])
def test_trainees_and_trainers_have_no_register(as_, request, role):
    assert as_(request.getfixturevalue(role)).get(PERSONS).status_code == 403


def test_system_administrator_has_no_register(as_, institution):
    system = factories.user(roles=[(Role.SYSTEM_ADMIN, factories.bureau())])

    assert as_(system).get(PERSONS).status_code == 403


@pytest.mark.parametrize(
    ("typed", "found"), [("张", 1), ("张样例", 1), ("zyl", 1), ("ZY", 1), ("样例", 0), ("李", 0)]
)
def test_list_finds_by_the_beginning_of_name_or_initials(
    as_, institution_admin, known, typed, found
):
    response = as_(institution_admin).get(PERSONS, {"name": typed})

    assert len(response.json()["results"]) == found


def test_numbers_do_not_filter(as_, officer, known):
    for parameter in ("phone", "id_number", "id_number_masked"):
        assert as_(officer).get(PERSONS, {parameter: PHONE}).status_code == 400


@pytest.mark.parametrize("rows", [2, 30])
def test_list_takes_two_statements(as_, officer, institution, django_assert_num_queries, rows):
    for _each in range(rows):
        factories.person(known_to=institution)
    client = as_(officer)

    with django_assert_num_queries(2):
        client.get(PERSONS, {"limit": 100})


# -- registering ----------------------------------------------------------------------------------


def test_institution_registers_and_knows_the_person(as_, institution_admin, institution):
    response = as_(institution_admin).post(PERSONS, body())

    assert response.status_code == 201
    assert response.json()["phone_masked"] == "138****0001"
    assert Acquaintance.objects.get().organisation == institution


def test_officer_registers_in_the_own_region_only(as_, officer, officer_elsewhere):
    assert as_(officer).post(PERSONS, body()).status_code == 201

    refused = as_(officer_elsewhere).post(PERSONS, body())

    assert refused.status_code == 403
    assert Person.objects.count() == 1


def test_institution_that_is_not_ones_own_is_400(as_, institution_admin, stranger_admin):
    other = stranger_admin.organisation_ids()[0]

    response = as_(institution_admin).post(PERSONS, body(organisation_id=str(other)))

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/organisation_id"
    assert not Person.objects.exists()


def test_administrator_of_two_institutions_says_which(as_, institution):
    another = factories.institution()
    admin = factories.user(
        roles=[(Role.INSTITUTION_ADMIN, institution), (Role.INSTITUTION_ADMIN, another)]
    )

    unsaid = as_(admin).post(PERSONS, body())
    saying = as_(admin).post(PERSONS, body(organisation_id=str(another.pk)))

    assert unsaid.json()["errors"][0]["pointer"] == "#/organisation_id"
    assert saying.status_code == 201
    assert Acquaintance.objects.get().organisation == another


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"id_number": "430202198503010000"}, "#/id_number", "wrong_check_digit"),
        ({"id_number": "430202850301001"}, "#/id_number", "old_15_digit"),
        ({"phone": "123"}, "#/phone", "wrong_length"),
        ({"region_id": "999999999999"}, "#/region_id", "does_not_exist"),
        ({"education": "wizard"}, "#/education", "invalid_choice"),
        ({"verified_at": "2026-01-01"}, "#/verified_at", "unknown_member"),
    ],
)
def test_wrong_member_is_named_and_not_echoed(as_, officer, wrong, pointer, code):
    response = as_(officer).post(PERSONS, body(**wrong))

    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [(pointer, code)]
    assert next(iter(wrong.values())) not in response.content.decode()


def test_number_under_another_name_is_409(as_, stranger_admin, known):
    response = as_(stranger_admin).post(PERSONS, body(id_number=known.id_number, name="随便猜"))

    assert response.status_code == 409
    assert response.json()["code"] == "name_differs"
    assert "张样例" not in response.content.decode()
    assert JournalEntry.objects.get(verb="person.register_refused").by_id == stranger_admin.pk
    assert not StoredAnswer.objects.exists()


def test_guessing_names_ends_with_429(as_, stranger_admin, known):
    client = as_(stranger_admin)
    for _guess in range(20):
        client.post(PERSONS, body(id_number=known.id_number, name="随便猜"))

    response = client.post(PERSONS, body(id_number=known.id_number, name="张样例"))

    assert (response.status_code, response.json()["code"]) == (429, "too_many_attempts")
    assert 1 <= int(response["Retry-After"]) <= 86400
    assert JournalEntry.objects.filter(verb="person.register_refused").count() == 20


# -- looking up and revealing ---------------------------------------------------------------------


@pytest.mark.parametrize("by", ["id_number", "phone"])
def test_lookup_finds_exactly_and_is_journalled(as_, officer, known, by):
    value = {"id_number": known.id_number, "phone": PHONE}[by]

    response = as_(officer).post(f"{PERSONS}/lookups", {by: value, "purpose": "来访核对"})

    assert response.status_code == 200
    assert response.json()["id"] == str(known.pk)
    look = JournalEntry.objects.get(verb="person.look_up")
    assert (look.facts["purpose"], look.by_id) == ("来访核对", officer.pk)


def test_lookup_out_of_sight_is_404_and_journalled(as_, stranger_admin, known):
    response = as_(stranger_admin).post(
        f"{PERSONS}/lookups", {"phone": PHONE, "purpose": "来访核对"}
    )

    assert response.status_code == 404
    assert JournalEntry.objects.get(verb="person.look_up").facts["found"] == 0


@pytest.mark.parametrize("wrong", [{}, {"phone": PHONE, "id_number": "x"}, {"phone": PHONE}])
def test_lookup_needs_one_key_and_a_purpose(as_, officer, wrong):
    assert as_(officer).post(f"{PERSONS}/lookups", wrong).status_code == 400


@pytest.mark.parametrize("role", ["institution_admin", "officer"])
def test_reveal_shows_one_field_on_record_and_keeps_no_copy(as_, request, known, role):
    user = request.getfixturevalue(role)

    response = as_(user).post(
        f"{PERSONS}/{known.pk}/reveal", {"field": "id_number", "purpose": "打印证书"}
    )

    assert response.json() == {"field": "id_number", "value": known.id_number}
    assert response["Cache-Control"] == "no-store"
    entry = JournalEntry.objects.get(verb="person.reveal")
    assert (entry.object_id, entry.by_id) == (str(known.pk), user.pk)
    assert entry.facts == {"field": "id_number", "purpose": "打印证书"}
    assert not StoredAnswer.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("trainee", 403),
        ("trainer_user", 403),
        ("auditor", 403),
        ("stranger_admin", 404),
        ("officer_elsewhere", 404),
    ],
)
def test_reveal_is_closed_to_everyone_else(as_, request, known, role, status):
    response = as_(request.getfixturevalue(role)).post(
        f"{PERSONS}/{known.pk}/reveal", {"field": "phone", "purpose": "好奇"}
    )

    assert response.status_code == status
    assert not JournalEntry.objects.filter(verb="person.reveal").exists()


def test_sight_as_auditor_and_a_role_elsewhere_do_not_add_up(as_, known):
    city = factories.bureau(factories.region(factories.CITY))
    both = factories.user(
        roles=[(Role.AUDITOR, city), (Role.INSTITUTION_ADMIN, factories.institution())]
    )

    response = as_(both).post(f"{PERSONS}/{known.pk}/reveal", {"field": "phone", "purpose": "好奇"})

    assert response.status_code == 403


def test_institution_that_guessed_right_reveals_nothing(as_, stranger_admin, known):
    client = as_(stranger_admin)
    client.post(PERSONS, body(id_number=known.id_number, name="张样例"))

    response = client.post(f"{PERSONS}/{known.pk}/reveal", {"field": "phone", "purpose": "好奇"})

    assert (response.status_code, response.json()["code"]) == (403, "not_yours")
    assert PHONE not in response.content.decode()
