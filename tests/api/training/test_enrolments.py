"""The doors of enrolments: who may knock, what is shown, what is refused."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people.models import Acquaintance
from people.roles import Role
from tests import factories
from training.models import Enrolment

pytestmark = pytest.mark.django_db

ABSENT = uuid.UUID(int=0)


@pytest.fixture
def open_class(institution):
    return factories.training_class("enrolling", institution=institution, seats=2)


@pytest.fixture
def review_class(institution):
    return factories.training_class(
        "enrolling", institution=institution, seats=2, admission="review"
    )


def path(training_class: Any) -> str:
    return f"/api/v1/classes/{training_class.pk}/enrolments"


def verb(enrolment: Enrolment, name: str) -> str:
    return f"/api/v1/enrolments/{enrolment.pk}/{name}"


def codes(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


REASON = {"reason": "样例原因"}


# -- eligibility --------------------------------------------------------------------------------


def test_eligibility_answers_every_rule(as_, trainee, open_class):
    response = as_(trainee).get(f"/api/v1/classes/{open_class.pk}/eligibility")

    body = response.json()
    assert response.status_code == 200
    assert body["eligible"] is True
    assert {rule["result"] for rule in body["rules"]} == {"pass"}
    assert set(body["rules"][0]) == {"code", "result", "message", "facts"}


def test_eligibility_of_an_account_without_a_person(as_, open_class):
    body = as_(factories.user()).get(f"/api/v1/classes/{open_class.pk}/eligibility").json()

    assert body["eligible"] is False
    assert [r["code"] for r in body["rules"] if r["result"] == "fail"] == ["person_known"]


def test_eligibility_needs_a_caller_and_a_visible_class(as_, trainee, institution):
    draft = factories.training_class("draft", institution=institution)

    assert as_(None).get(f"/api/v1/classes/{draft.pk}/eligibility").status_code == 401
    hidden = as_(trainee).get(f"/api/v1/classes/{draft.pk}/eligibility")
    absent = as_(trainee).get(f"/api/v1/classes/{ABSENT}/eligibility")
    assert hidden.status_code == absent.status_code == 404


# -- applying -----------------------------------------------------------------------------------


def test_a_trainee_enrols_with_an_empty_body(as_, trainee, open_class):
    response = as_(trainee).post(path(open_class), {})

    body = response.json()
    assert response.status_code == 201
    assert body["status"] == "admitted"
    assert body["person_id"] == str(trainee.person_id)
    assert body["training_class_id"] == str(open_class.pk)
    assert body["waitlist_position"] is None
    assert response["ETag"] == f'"{body["version"]}"'


def test_numbers_are_only_ever_masked(as_, trainee, open_class):
    response = as_(trainee).post(path(open_class), {})

    assert set(response.json()["person"]) == {"id", "name", "id_number_masked", "phone_masked"}
    assert trainee.person.id_number not in response.content.decode()
    assert trainee.person.phone not in response.content.decode()


def test_a_full_class_answers_with_the_place_in_line(as_, open_class):
    for _ in range(2):
        factories.enrolment(open_class)

    answers = [
        as_(factories.user(person=factories.person())).post(path(open_class), {}).json()
        for _ in range(2)
    ]

    assert [(a["status"], a["waitlist_position"]) for a in answers] == [
        ("waitlisted", 1),
        ("waitlisted", 2),
    ]


def test_the_client_may_choose_the_id(as_, trainee, open_class):
    chosen = str(uuid.uuid4())

    assert as_(trainee).post(path(open_class), {"id": chosen}).json()["id"] == chosen


def test_a_retry_under_the_same_key_enrols_once(as_, trainee, open_class, key):
    same = key()

    first = as_(trainee).post(path(open_class), {}, HTTP_IDEMPOTENCY_KEY=same)
    again = as_(trainee).post(path(open_class), {}, HTTP_IDEMPOTENCY_KEY=same)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert open_class.enrolments.count() == 1


def test_refusals_name_their_reason(as_, trainee, open_class):
    client = as_(trainee)
    closed = factories.training_class("filed")

    assert codes(as_(factories.user()).post(path(open_class), {})) == (409, "person_unknown")
    assert codes(client.post(path(closed), {})) == (409, "enrolment_closed")
    client.post(path(open_class), {})
    assert codes(client.post(path(open_class), {})) == (409, "already_enrolled")


def test_an_institution_enrols_somebody_whom_it_sees(
    as_, institution, institution_admin, open_class
):
    known = factories.person(known_to=institution)

    response = as_(institution_admin).post(path(open_class), {"person_id": str(known.pk)})

    assert response.status_code == 201
    assert response.json()["person_id"] == str(known.pk)


def test_an_institution_cannot_name_somebody_out_of_sight(as_, institution_admin, open_class):
    client = as_(institution_admin)
    elsewhere = factories.person(region=factories.region(factories.COUNTY_ELSEWHERE))

    unseen = client.post(path(open_class), {"person_id": str(elsewhere.pk)})
    absent = client.post(path(open_class), {"person_id": str(ABSENT)})

    assert unseen.status_code == absent.status_code == 400
    assert unseen.json()["errors"] == absent.json()["errors"]
    assert unseen.json()["errors"][0]["pointer"] == "#/person_id"


def test_nobody_else_may_enrol_others(
    as_, institution, trainee, stranger_admin, trainer_user, officer, open_class
):
    other = factories.person(known_to=institution)

    for caller in (trainee, stranger_admin, trainer_user, officer):
        response = as_(caller).post(path(open_class), {"person_id": str(other.pk)})
        assert response.status_code == 403
    assert not open_class.enrolments.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"status": "admitted"}, "#/status"),
        ({"person_id": "x"}, "#/person_id"),
        ({"id": 7.5}, "#/id"),
        ({"priority": 1}, "#/priority"),
    ],
)
def test_wrong_input_is_named(as_, trainee, open_class, body, pointer):
    response = as_(trainee).post(path(open_class), body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def statements(context: CaptureQueriesContext) -> list[str]:
    """List what was asked; the test's own transaction turns the outer one into a savepoint."""
    asked = [query["sql"] for query in context.captured_queries]
    outer = [sql for sql in asked if "SAVEPOINT" in sql]
    return [sql for sql in asked if sql not in {outer[0], outer[-1]}]


@pytest.mark.parametrize("taken", [0, 1, 2, 12])
def test_applying_takes_the_same_few_statements(as_, trainee, institution, open_class, taken):
    Acquaintance.objects.create(
        person=trainee.person, organisation=institution, since=open_class.created_at
    )
    for number in range(taken):
        factories.enrolment(open_class, status="admitted" if number < 2 else "waitlisted")
    for _ in range(taken):
        factories.enrolment(factories.training_class("enrolling"), trainee.person, "waitlisted")
    client = as_(trainee)

    with CaptureQueriesContext(connection) as context:
        response = client.post(path(open_class), {})

    asked = statements(context)
    on_postgresql = connection.vendor == "postgresql"
    assert response.status_code == 201
    # The lock of a running twin costs one more there; joining the line costs another lock.
    assert len(asked) == 14 + on_postgresql + (taken >= 2), "\n".join(asked)


# -- reading ------------------------------------------------------------------------------------


@pytest.fixture
def roster(open_class, trainee):
    """Two people of the class: the trainee and somebody else."""
    return [factories.enrolment(open_class, trainee.person), factories.enrolment(open_class)]


def ids(response: Any) -> set[str]:
    assert response.status_code == 200
    return {row["id"] for row in response.json()["results"]}


def test_staff_of_the_class_see_everybody(
    as_, institution_admin, trainer_user, officer, auditor, open_class, roster
):
    factories.session(open_class, trainer=trainer_user.trainers.get())

    for caller in (institution_admin, trainer_user, officer, auditor):
        assert ids(as_(caller).get(path(open_class))) == {str(row.pk) for row in roster}


def test_a_trainee_sees_only_their_own_rows(as_, trainee, open_class, roster):
    assert ids(as_(trainee).get(path(open_class))) == {str(roster[0].pk)}
    assert ids(as_(trainee).get("/api/v1/enrolments?mine=true")) == {str(roster[0].pk)}


def test_a_trainer_sees_no_class_of_colleagues(as_, trainer_user, open_class, roster):
    factories.session(open_class)

    assert ids(as_(trainer_user).get(path(open_class))) == set()


def test_mine_is_mine_for_staff_too(as_, institution, open_class, roster):
    both = factories.user(person=factories.person(), roles=[(Role.INSTITUTION_ADMIN, institution)])
    own = factories.enrolment(factories.training_class("enrolling"), both.person)

    assert ids(as_(both).get("/api/v1/enrolments?mine=true")) == {str(own.pk)}
    assert len(ids(as_(both).get("/api/v1/enrolments"))) == 3


def test_nobodys_is_nobodys(as_, roster):
    assert ids(as_(factories.user()).get("/api/v1/enrolments?mine=true")) == set()
    assert as_(None).get("/api/v1/enrolments").status_code == 401


def test_lists_filter_by_status_and_class(as_, institution_admin, institution, open_class, roster):
    other = factories.training_class("enrolling", institution=institution)
    waiting = factories.enrolment(other, status="waitlisted")
    client = as_(institution_admin)

    assert ids(client.get("/api/v1/enrolments?status=waitlisted")) == {str(waiting.pk)}
    assert ids(client.get(f"/api/v1/enrolments?training_class={other.pk}")) == {str(waiting.pk)}
    assert ids(client.get(f"{path(open_class)}?status=waitlisted")) == set()
    for query in ("status=asleep", "training_class=x", "mine=perhaps", "person=1"):
        assert client.get(f"/api/v1/enrolments?{query}").status_code == 400


def test_the_class_can_be_expanded(as_, trainee, open_class, roster):
    row = as_(trainee).get(f"/api/v1/enrolments/{roster[0].pk}?expand=training_class").json()

    assert row["training_class"]["name"] == open_class.name
    assert row["training_class_id"] == str(open_class.pk)


@pytest.mark.parametrize("people", [5, 60])
@pytest.mark.parametrize("query", ["", "&expand=training_class"])
def test_lists_ask_the_same_few_questions(
    as_, institution_admin, open_class, django_assert_max_num_queries, people, query
):
    for number in range(people):
        factories.enrolment(open_class, status="waitlisted" if number % 2 else "applied")
    client = as_(institution_admin)

    with django_assert_max_num_queries(4):
        assert len(ids(client.get(f"/api/v1/enrolments?limit=100{query}"))) == people
    with django_assert_max_num_queries(4):
        assert len(ids(client.get(f"{path(open_class)}?limit=100{query}"))) == people


def test_a_stranger_cannot_find_an_enrolment(as_, stranger_admin, officer_elsewhere, roster):
    for caller in (stranger_admin, officer_elsewhere, factories.user(person=factories.person())):
        client = as_(caller)
        hidden = client.get(f"/api/v1/enrolments/{roster[0].pk}")
        absent = client.get(f"/api/v1/enrolments/{ABSENT}")
        assert hidden.status_code == absent.status_code == 404
        assert without_id(hidden) == without_id(absent)
        for name in ("withdraw", "accept", "admit", "reject", "waitlist", "offer", "drop"):
            assert client.post(verb(roster[0], name), REASON).status_code in {403, 404}


def without_id(response: Any) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "request_id"}


# -- moving -------------------------------------------------------------------------------------


def test_the_institution_decides(as_, institution_admin, review_class):
    client = as_(institution_admin)
    first, second, third = (factories.enrolment(review_class, status="applied") for _ in range(3))

    admitted = client.post(verb(first, "admit"), {})
    waiting = client.post(verb(second, "waitlist"), {})
    rejected = client.post(verb(third, "reject"), REASON)
    offered = client.post(verb(second, "offer"), {})

    assert admitted.json()["status"] == "admitted"
    assert (waiting.json()["status"], waiting.json()["waitlist_position"]) == ("waitlisted", 1)
    assert (rejected.json()["status"], rejected.json()["reason"]) == ("rejected", "样例原因")
    assert offered.json()["status"] == "offered"
    assert offered.json()["offer_expires_at"]


def test_a_full_class_admits_nobody(as_, institution_admin, review_class):
    for _ in range(2):
        factories.enrolment(review_class)
    applied = factories.enrolment(review_class, status="applied")

    response = as_(institution_admin).post(verb(applied, "admit"), {})

    assert codes(response) == (409, "class_full")
    assert response.json()["facts"] == {"seats": 2}


def test_a_trainee_confirms_and_leaves(as_, trainee, open_class):
    enrolment = factories.enrolment(open_class, trainee.person, "offered")
    client = as_(trainee)

    assert client.post(verb(enrolment, "accept"), {}).json()["status"] == "admitted"
    left = client.post(verb(enrolment, "withdraw"), REASON).json()
    assert (left["status"], left["reason"]) == ("withdrawn", "样例原因")
    assert codes(client.post(verb(enrolment, "withdraw"), REASON)) == (409, "wrong_status")


def test_an_institution_withdraws_and_drops(as_, institution, institution_admin, open_class):
    running = factories.training_class("in_progress", institution=institution)
    client = as_(institution_admin)

    withdrawn = client.post(verb(factories.enrolment(open_class), "withdraw"), REASON)
    dropped = client.post(verb(factories.enrolment(running), "drop"), REASON)

    assert withdrawn.json()["status"] == "withdrawn"
    assert dropped.json()["status"] == "dropped"


@pytest.mark.parametrize("name", ["withdraw", "reject", "drop"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "样" * 501}])
def test_a_reason_has_to_be_given(as_, institution_admin, open_class, name, body):
    enrolment = factories.enrolment(open_class)

    response = as_(institution_admin).post(verb(enrolment, name), body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/reason"


@pytest.mark.parametrize("name", ["admit", "waitlist", "offer", "reject", "drop"])
def test_trainees_trainers_and_officers_do_not_decide(
    as_, trainee, trainer_user, officer, auditor, open_class, name
):
    factories.session(open_class, trainer=trainer_user.trainers.get())
    enrolment = factories.enrolment(open_class, trainee.person, "applied")

    for caller in (trainee, trainer_user, officer, auditor):
        assert as_(caller).post(verb(enrolment, name), REASON).status_code == 403
    enrolment.refresh_from_db()
    assert enrolment.status == "applied"


def test_nobody_confirms_for_somebody_else(as_, institution_admin, officer, open_class):
    enrolment = factories.enrolment(open_class, status="offered")

    for caller in (institution_admin, officer):
        assert as_(caller).post(verb(enrolment, "accept"), {}).status_code == 403


# -- administrator at A, trainee at B -----------------------------------------------------------


class TestAdministratorElsewhere:
    """A role counts where it was given: at B its holder is a trainee like any other."""

    @pytest.fixture
    def person_of_both(self, db):
        """Administrator of A, with an own person."""
        return factories.user(
            person=factories.person(), roles=[(Role.INSTITUTION_ADMIN, factories.institution())]
        )

    @pytest.fixture
    def client(self, as_, person_of_both):
        return as_(person_of_both)

    @pytest.mark.parametrize("name", ["admit", "reject", "waitlist", "offer", "drop"])
    @pytest.mark.parametrize("status", ["applied", "waitlisted", "admitted"])
    def test_decides_nothing_at_b_not_even_about_themselves(
        self, client, person_of_both, open_class, name, status
    ):
        own = factories.enrolment(open_class, person_of_both.person, status)
        other = factories.enrolment(open_class, status=status)

        assert client.post(verb(own, name), REASON).status_code == 403
        assert client.post(verb(other, name), REASON).status_code == 404
        for row in (own, other):
            row.refresh_from_db()
            assert row.status == status

    def test_can_neither_withdraw_nor_accept_for_others_at_b(self, client, open_class):
        other = factories.enrolment(open_class, status="offered")

        assert client.post(verb(other, "withdraw"), REASON).status_code == 404
        assert client.post(verb(other, "accept"), {}).status_code == 404

    def test_sees_at_b_only_the_own_row(self, client, person_of_both, open_class):
        own = factories.enrolment(open_class, person_of_both.person)
        other = factories.enrolment(open_class)

        assert ids(client.get(path(open_class))) == {str(own.pk)}
        assert ids(client.get(f"/api/v1/enrolments?training_class={open_class.pk}")) == {
            str(own.pk)
        }
        assert client.get(f"/api/v1/enrolments/{other.pk}").status_code == 404

    def test_enrols_nobody_else_at_b(self, client, person_of_both, open_class):
        own_institution = next(iter(person_of_both.grants)).organisation_id
        known = factories.person()
        Acquaintance.objects.create(
            person=known, organisation_id=own_institution, since=open_class.created_at
        )

        assert client.post(path(open_class), {"person_id": str(known.pk)}).status_code == 403
        assert not open_class.enrolments.exists()

    def test_enrols_confirms_and_leaves_at_b_as_a_trainee(
        self, client, person_of_both, institution, open_class
    ):
        mine = client.post(path(open_class), {}).json()
        offered = factories.enrolment(
            factories.training_class("enrolling", institution=institution),
            person_of_both.person,
            "offered",
        )

        assert mine["status"] == "admitted"
        assert client.post(verb(offered, "accept"), {}).json()["status"] == "admitted"
        assert (
            client.post(f"/api/v1/enrolments/{mine['id']}/withdraw", REASON).json()["status"]
            == "withdrawn"
        )


def test_waiting_registration_is_told_as_such(as_, open_class):
    factories.person(id_number=(number := factories.id_number()), name="测试二")
    client = as_(factories.user())
    client.put(
        "/api/v1/me/person",
        {"name": "测试一", "id_number": number, "region_id": factories.COUNTY},
    )

    told = client.get(f"/api/v1/classes/{open_class.pk}/eligibility").json()

    failed = [(r["code"], r["message"]) for r in told["rules"] if r["result"] == "fail"]
    assert [code for code, _message in failed] == ["person_unconfirmed"]
    assert told["eligible"] is False
    assert codes(client.post(path(open_class), {})) == (409, "person_unconfirmed")
