"""Doors of the employment spells: one's own to report, the region's to see."""

import uuid

import pytest

from people.models import EmploymentSpell
from tests import factories

pytestmark = pytest.mark.django_db
SPELLS = "/api/v1/employment-spells"


def body(**given) -> dict:
    return {
        "employment_form": "platform_work",
        "employer_name": "样例平台",
        "starts_on": str(factories.day(-10)),
        "monthly_wage": "5200.50",
        **given,
    }


@pytest.fixture
def spell(as_, trainee):
    made = as_(trainee).post(SPELLS, body())
    return EmploymentSpell.objects.get(pk=made.json()["id"])


def path(spell, what: str = "") -> str:
    return f"{SPELLS}/{spell.pk}{what}"


def test_report_read_end(as_, trainee):
    employer = factories.organisation("employer")
    given = body(id=str(uuid.uuid4()), employer_credit_code=employer.credit_code)

    made = as_(trainee).post(SPELLS, given)
    ended = as_(trainee).post(f"{SPELLS}/{given['id']}/end", {"ends_on": str(factories.day(-1))})
    listed = as_(trainee).get(f"{SPELLS}?mine=true").json()["results"]

    assert made.status_code == 201
    assert made.json()["id"] == given["id"]
    assert (made.json()["monthly_wage"], made.json()["status"]) == ("5200.50", "reported")
    assert made.json()["employer_id"] == str(employer.pk)
    assert ended.json()["ends_on"] == str(factories.day(-1))
    assert listed == [ended.json()]


def test_refusals(as_, trainee, spell):
    same = as_(trainee).post(SPELLS, body())
    same_id = as_(trainee).post(SPELLS, body(id=str(spell.pk), employer_name="另一样例"))
    ahead = as_(trainee).post(SPELLS, body(starts_on=str(factories.day(1)), employer_name="x"))
    early = as_(trainee).post(path(spell, "/end"), {"ends_on": str(factories.day(-11))})

    codes = [response.json()["code"] for response in (same, same_id, ahead, early)]
    assert codes == ["spell_exists", "id_taken", "spell_dates_wrong", "spell_dates_wrong"]


def test_same_report_again_is_the_stored_row(as_, trainee):
    employer = factories.organisation("employer")
    sent = body(id=str(uuid.uuid4()), employer_credit_code=employer.credit_code)

    first, again = as_(trainee).post(SPELLS, sent), as_(trainee).post(SPELLS, sent)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert EmploymentSpell.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"monthly_wage": "1.00"},
        {"employer_name": "另一样例"},
        {"employment_form": "flexible"},
        {"job_title": "样例工"},
        {"starts_on": str(factories.day(-11))},
        {"ends_on": str(factories.day(-1))},
    ],
)
def test_other_report_under_the_same_id_is_409(as_, trainee, spell, changed):
    response = as_(trainee).post(SPELLS, body(id=str(spell.pk), **changed))

    assert (response.status_code, response.json()["code"]) == (409, "id_taken")
    assert response.json()["facts"] == {"id": str(spell.pk)}


def test_report_of_somebody_else_is_never_answered(as_, spell):
    other = factories.user(person=factories.person())

    response = as_(other).post(SPELLS, body(id=str(spell.pk)))

    assert (response.status_code, response.json()["code"]) == (409, "id_taken")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"employment_form": "idle"}, "#/employment_form"),
        ({"monthly_wage": "a lot"}, "#/monthly_wage"),
        ({"starts_on": None}, "#/starts_on"),
        ({"employer_credit_code": "91430200MA00000001"}, "#/employer_credit_code"),
        ({"status": "confirmed"}, "#/status"),
        ({"person_id": str(uuid.uuid4())}, "#/person_id"),
    ],
)
def test_wrong_input(as_, trainee, wrong, pointer):
    response = as_(trainee).post(SPELLS, body(**wrong))

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_an_account_without_a_person_has_no_job_to_report(as_, institution_admin):
    response = as_(institution_admin).post(SPELLS, body())

    assert (response.status_code, response.json()["code"]) == (403, "not_yours")


def test_the_region_sees_and_ends_strangers_do_neither(
    as_, officer, officer_elsewhere, stranger_admin, auditor, spell
):
    assert as_(officer).get(path(spell)).status_code == 200
    assert as_(auditor).post(path(spell, "/end"), {"ends_on": "2026-01-01"}).status_code == 403
    for user in (officer_elsewhere, stranger_admin, factories.user(person=factories.person())):
        hidden, absent = as_(user).get(path(spell)), as_(user).get(f"{SPELLS}/{uuid.uuid4()}")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}
        assert as_(user).get(SPELLS).json()["results"] == []
    assert as_(None).get(SPELLS).status_code == 401
    ended = as_(officer).post(path(spell, "/end"), {"ends_on": str(factories.day())})
    assert ended.status_code == 200


def test_who_worked_on_a_day(as_, officer, spell):
    def found(on) -> int:
        return len(as_(officer).get(f"{SPELLS}?on={on}").json()["results"])

    assert (found(factories.day(-11)), found(factories.day(-10))) == (0, 1)


@pytest.mark.parametrize("count", [2, 30])
def test_query_budget(as_, officer, trainee, count, django_assert_max_num_queries):
    for number in range(count):
        EmploymentSpell.objects.create(
            person=trainee.person,
            employer_name=f"样例{number}",
            form="flexible",
            starts_on=factories.day(-number),
            reported_by=trainee,
            created_at=trainee.created_at,
        )
    client = as_(officer)

    with django_assert_max_num_queries(8):
        assert len(client.get(f"{SPELLS}?limit=100").json()["results"]) == count
