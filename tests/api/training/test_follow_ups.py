"""Doors of the follow-up: the trainee answers, the officer asks, a second officer verifies."""

import hashlib
import uuid
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from people import files
from people.models import EmploymentSpell
from people.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
TASKS = "/api/v1/follow-ups"


@pytest.fixture
def task(trainee, institution):
    return factories.follow_up(factories.completion(trainee.person, institution=institution))


@pytest.fixture
def second_officer(institution):
    return factories.user(roles=[(Role.OFFICER, factories.bureau(institution.region))])


def path(task, what: str = "") -> str:
    return f"{TASKS}/{task.pk}{what}"


def job(**given) -> dict:
    return {
        "working": True,
        "employment_form": "unit_contract",
        "employer_name": "样例制造厂",
        "starts_on": str(factories.day(-3)),
        "monthly_wage": "4500.00",
        "relation": "same_occupation",
        **given,
    }


def test_my_follow_ups(as_, trainee, task):
    factories.follow_up()

    [mine] = as_(trainee).get(f"{TASKS}?mine=true").json()["results"]

    assert (mine["id"], mine["checkpoint"], mine["status"]) == (str(task.pk), "D30", "open")
    assert mine["person"]["name"] == "测试一"
    assert as_(trainee).get(path(task)).json() == mine


def test_due_and_other_filters(as_, officer, task):
    later = factories.follow_up(
        task.enrolment,
        "scheduled",
        checkpoint="D90",
        due_on=factories.day(60),
        window_opens_on=factories.day(46),
        window_closes_on=factories.day(90),
    )

    def found(query: str) -> list[str]:
        return [row["id"] for row in as_(officer).get(f"{TASKS}?{query}").json()["results"]]

    assert found(f"due={factories.day()}") == [str(task.pk)]
    assert found(f"due={factories.day(46)}") == found("status=scheduled") == [str(later.pk)]
    assert found("checkpoint=D90") == [str(later.pk)]
    assert found(f"region={factories.COUNTY_ELSEWHERE}") == []
    assert as_(officer).get(f"{TASKS}?due=soon").status_code == 400


def test_working(as_, trainee, task):
    response = as_(trainee).post(
        path(task, "/answers"), job(satisfaction=5, help_wanted=False, note="谢谢")
    )

    assert response.status_code == 201
    said = response.json()
    assert (said["situation"], said["grade"], said["task_status"]) == ("employed", 1, "observed")
    spell = EmploymentSpell.objects.get(pk=said["spell_id"])
    assert (str(spell.monthly_wage), spell.status) == ("4500.00", "reported")


def test_a_contract_is_enough_to_tell_the_form(as_, trainee, task):
    given = job(contract=False)
    del given["employment_form"]

    as_(trainee).post(path(task, "/answers"), given)

    assert EmploymentSpell.objects.get().form == "unit_no_contract"


def test_a_traineeship_is_never_employment(as_, trainee, task):
    response = as_(trainee).post(path(task, "/answers"), job(employment_form="traineeship"))

    assert response.json()["situation"] == "traineeship"


@pytest.mark.parametrize(
    ("given", "situation", "status"),
    [
        ({"working": False, "situation": "seeking", "help_wanted": True}, "seeking", "observed"),
        ({"working": False, "situation": "unknown"}, "unknown", "in_contact"),
        ({"working": False, "situation": "refused"}, "refused", "in_contact"),
        ({"working": "unknown"}, "unknown", "in_contact"),
        ({"working": "unknown", "situation": "refused"}, "refused", "in_contact"),
    ],
)
def test_not_working_and_not_saying(as_, trainee, task, given, situation, status):
    response = as_(trainee).post(path(task, "/answers"), given)

    assert response.status_code == 201
    assert (response.json()["situation"], response.json()["task_status"]) == (situation, status)
    assert not EmploymentSpell.objects.exists()


# What the skips refuse, and where.
WRONG = [
    ({}, "#/working"),
    ({"situation": "refused"}, "#/working"),
    ({"working": "maybe"}, "#/working"),
    ({"working": True}, "#/employment_form"),
    (job(employer_name=""), "#/employer_name"),
    (job(starts_on=str(factories.day(1))), "#/starts_on"),
    (job(still_working=False), "#/ends_on"),
    (job(still_working=True, ends_on=str(factories.day())), "#/ends_on"),
    (job(ends_on=str(factories.day(-4))), "#/ends_on"),
    (job(contract=False), "#/contract"),
    (job(situation="seeking"), "#/situation"),
    (job(monthly_wage="-1"), "#/monthly_wage"),
    (job(monthly_wage="4500.001"), "#/monthly_wage"),
    (job(employer_credit_code="91430200MA00000001"), "#/employer_credit_code"),
    (job(satisfaction=6), "#/satisfaction"),
    (job(grade=4), "#/grade"),
    ({"working": False}, "#/situation"),
    ({"working": False, "situation": "employed"}, "#/situation"),
    ({"working": False, "situation": "seeking", "employer_name": "厂"}, "#/employer_name"),
    ({"working": "unknown", "situation": "seeking"}, "#/situation"),
]


@pytest.mark.parametrize(("given", "pointer"), WRONG)
def test_wrong_answers(as_, trainee, task, given, pointer):
    response = as_(trainee).post(path(task, "/answers"), given)

    assert response.status_code == 400
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert not task.observations.exists()


def test_only_oneself_answers(as_, officer, institution_admin, task):
    for user in (officer, institution_admin):
        response = as_(user).post(path(task, "/answers"), {"working": "unknown"})
        assert response.status_code == 403


def test_strangers_see_nothing(as_, stranger_admin, officer_elsewhere, trainer_user, task):
    other = factories.user(person=factories.person())
    for user in (stranger_admin, officer_elsewhere, trainer_user, other, factories.user()):
        for what in ("", "/observations"):
            hidden = as_(user).get(path(task, what))
            absent = as_(user).get(f"{TASKS}/{uuid.uuid4()}{what}")
            assert hidden.status_code == absent.status_code == 404
            assert hidden.data | {"request_id": 0} == absent.data | {"request_id": 0}
        assert as_(user).get(TASKS).json()["results"] == []
    assert as_(other).post(path(task, "/answers"), {"working": "unknown"}).status_code == 404
    body = {"channel": "phone", "result": "reached"}
    assert as_(officer_elsewhere).post(path(task, "/attempts"), body).status_code == 404
    assert as_(None).get(TASKS).status_code == 401


OFFICERS = [
    ("/verify", {}),
    ("/close", {}),
    ("/mark-unreachable", {}),
    ("/refuse", {}),
    ("/reopen", {"reason": "x"}),
    ("/exclude", {"code": "military"}),
]


@pytest.mark.parametrize(("what", "body"), OFFICERS)
def test_doors_of_the_officer(as_, institution_admin, auditor, trainee, task, what, body):
    for user in (institution_admin, auditor, trainee):
        assert as_(user).post(path(task, what), body).status_code == 403


@pytest.mark.parametrize("what", ["/attempts", "/observations"])
def test_doors_of_officer_and_institution(as_, auditor, trainee, task, what):
    for user in (auditor, trainee):
        assert as_(user).post(path(task, what), {}).status_code == 403


def test_an_officer_here_who_is_a_trainee_there_has_no_say_there(as_, task):
    """Somebody who sees the task as its trainee, and is an officer of another county."""
    elsewhere = factories.bureau(factories.region(factories.COUNTY_ELSEWHERE))
    both = factories.user(person=factories.person(), roles=[(Role.OFFICER, elsewhere)])
    own = factories.follow_up(
        factories.completion(both.person, institution=task.enrolment.training_class.institution)
    )

    assert as_(both).get(path(own)).status_code == 200
    body = {"channel": "phone", "result": "reached"}
    assert as_(both).post(path(own, "/attempts"), body).status_code == 403


def test_attempts(as_, officer, task):
    first = as_(officer).post(path(task, "/attempts"), {"channel": "phone", "result": "no_answer"})
    second = as_(officer).post(path(task, "/attempts"), {"channel": "sms", "result": "reached"})
    listed = as_(officer).get(path(task, "/attempts")).json()["results"]
    shown = as_(officer).get(path(task)).json()

    assert (first.status_code, first.json()["task_status"]) == (201, "open")
    assert second.json()["task_status"] == "in_contact"
    assert [row["id"] for row in listed] == [second.json()["id"], first.json()["id"]]
    assert (shown["attempts_count"], shown["status"]) == (2, "in_contact")


def test_attempts_are_not_for_the_trainee_to_read(as_, trainee, task):
    assert as_(trainee).get(path(task, "/attempts")).status_code == 403


def test_observe_verify_close(as_, officer, second_officer, task):
    document = factories.stored_file(officer)
    seen = {
        "situation": "employed",
        "source": "third_party",
        "document_id": str(document.pk),
        "employment_form": "unit_contract",
        "employer_name": "样例制造厂",
        "starts_on": str(factories.day()),
    }

    observed = as_(officer).post(path(task, "/observations"), seen)
    own = as_(officer).post(path(task, "/verify"))
    verified = as_(second_officer).post(path(task, "/verify"))
    closed = as_(second_officer).post(path(task, "/close"))

    assert (observed.status_code, observed.json()["grade"]) == (201, 3)
    assert (own.status_code, own.json()["code"]) == (409, "own_evidence")
    assert (verified.json()["status"], closed.json()["status"]) == ("verified", "closed")


def test_somebody_elses_document_is_not_evidence(as_, officer, task):
    document = factories.stored_file(factories.user())

    response = as_(officer).post(
        path(task, "/observations"), {"situation": "seeking", "document_id": str(document.pk)}
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/document_id"


def test_the_institution_stays_at_e1(as_, institution_admin, task):
    document = factories.stored_file(institution_admin)
    seen = {"situation": "seeking", "document_id": str(document.pk)}

    observed = as_(institution_admin).post(path(task, "/observations"), seen)
    claimed = as_(institution_admin).post(
        path(task, "/observations"), seen | {"source": "registry"}
    )

    assert (observed.json()["source"], observed.json()["grade"]) == ("institution", 1)
    assert (claimed.status_code, claimed.json()["code"]) == (403, "not_yours")


def test_exclusion_takes_two_officers_and_its_reason_is_theirs(
    as_, officer, second_officer, institution_admin, task
):
    document = factories.stored_file(officer)
    body = {"code": "imprisoned"}

    proposed = as_(officer).post(path(task, "/exclude"), body | {"document_id": str(document.pk)})
    again = as_(officer).post(path(task, "/exclude"), body)
    excluded = as_(second_officer).post(path(task, "/exclude"), body)

    assert [r.json()["status"] for r in (proposed, again, excluded)] == ["open", "open", "excluded"]
    assert excluded.json()["exclusion"]["code"] == "imprisoned"
    assert as_(institution_admin).get(path(task)).json()["exclusion"] is None


def opens(address: str, client) -> int:
    """Open a signed address, and tell the status."""
    found = client.get(urlsplit(address).path)
    b"".join(getattr(found, "streaming_content", ()))
    return int(found.status_code)


def evidence(by):
    content = b"%PDF-1.7 sample"
    digest = hashlib.sha256(content).hexdigest()
    return files.store(content, "证明.pdf", "evidence", digest, by=by, at=timezone.now())


def test_the_second_officer_reads_what_an_exclusion_rests_on(
    as_, officer, second_officer, auditor, institution_admin, trainee, task
):
    body = {"code": "imprisoned", "document_id": str(evidence(officer).pk)}
    as_(officer).post(path(task, "/exclude"), body)

    shown = as_(second_officer).get(path(task)).json()["exclusion"]["document_url"]
    [listed] = as_(second_officer).get(TASKS).json()["results"]

    assert opens(shown, as_(second_officer)) == 200
    assert listed["exclusion"]["document_url"] == shown
    assert opens(shown, as_(officer)) == opens(shown, as_(institution_admin)) == 404
    assert as_(auditor).get(path(task)).json()["exclusion"]["document_url"] != shown
    assert as_(trainee).get(path(task)).json()["exclusion"] is None


def test_the_second_officer_reads_what_an_observation_rests_on(
    as_, officer, second_officer, institution_admin, trainee, task
):
    document = str(evidence(officer).pk)
    seen = {"situation": "seeking", "document_id": document}
    as_(officer).post(path(task, "/observations"), seen)
    as_(officer).post(path(task, "/observations"), {"situation": "seeking"})

    def shown(user):
        rows = as_(user).get(path(task, "/observations")).json()["results"]
        return [row["document_url"] for row in rows]

    without, address = shown(second_officer)
    assert (without, opens(address, as_(second_officer))) == (None, 200)
    assert opens(address, as_(officer)) == 404
    assert shown(trainee) == shown(institution_admin) == [None, None]


def test_an_insider_officer_decides_nothing_about_the_institution(
    as_, institution, trainee, officer, task
):
    bureau = factories.bureau(institution.region)
    insider = factories.user(roles=[(Role.OFFICER, bureau), (Role.TRAINER, institution)])
    as_(trainee).post(path(task, "/answers"), {"working": False, "situation": "seeking"})

    verified = as_(insider).post(path(task, "/verify"))
    excluded = as_(insider).post(path(task, "/exclude"), {"code": "military"})

    for refused in (verified, excluded):
        assert (refused.status_code, refused.json()["code"]) == (409, "own_institution")


def test_an_unlisted_reason(as_, officer, task):
    response = as_(officer).post(path(task, "/exclude"), {"code": "inconvenient"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/code"


def test_unreachable_only_by_the_rule_then_reopened(as_, officer, task):
    refused = as_(officer).post(path(task, "/mark-unreachable"))
    task.status = "missed"
    task.save()
    reopened = as_(officer).post(path(task, "/reopen"), {"reason": "本人来电"})

    assert (refused.status_code, refused.json()["code"]) == (409, "still_reachable")
    assert (reopened.json()["status"], reopened.json()["closed_reason"]) == ("open", "本人来电")


@pytest.mark.parametrize("count", [2, 30])
def test_query_budgets(as_, officer, institution, count, django_assert_max_num_queries):
    for number in range(count):
        task = factories.follow_up(
            factories.completion(institution=institution), checkpoint=f"N{number}"
        )
        task.exclusion_code = "military"
        task.exclusion_proposed_by = officer
        task.exclusion_document = factories.stored_file(officer)
        task.save()
        as_(officer).post(path(task, "/observations"), {"situation": "seeking"})
    client = as_(officer)

    with django_assert_max_num_queries(8):
        assert len(client.get(f"{TASKS}?limit=100").json()["results"]) == count
    with django_assert_max_num_queries(8):
        client.get(path(task, "/observations"))
    with django_assert_max_num_queries(8):
        client.get(path(task, "/attempts"))
