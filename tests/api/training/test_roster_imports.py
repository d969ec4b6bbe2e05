"""Handing in a roster, following the job, and taking the roster out."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people import sheets
from people.models import JournalEntry, Organisation, User
from tests import factories
from tests.training.rosters import imported, person, workbook
from training.models import Enrolment, RosterImport, TrainingClass

As = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def enrolling(institution: Organisation) -> TrainingClass:
    return factories.training_class("enrolling", institution=institution)


def hand_in(client: Any, training_class: TrainingClass, content: bytes, **given: Any) -> Any:
    body = {"file": SimpleUploadedFile("花名册.xlsx", content)} | given
    return client.post(url(training_class), body, format="multipart")


def url(training_class: TrainingClass) -> str:
    return f"/api/v1/classes/{training_class.pk}/roster-imports"


def sheet_url(training_class: TrainingClass) -> str:
    return f"/api/v1/classes/{training_class.pk}/roster.xlsx"


def test_roster_is_taken_in_and_followed(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    client = as_(institution_admin)

    response = hand_in(client, enrolling, workbook([person(), person()]))

    assert response.status_code == 202
    job = response.json()
    assert (job["dry_run"], job["on_bad_rows"]) == (False, "nothing")
    assert response["Location"] == f"/api/v1/roster-imports/{job['id']}"
    assert response["Retry-After"] == "1"
    followed = client.get(response["Location"]).json()
    assert (followed["status"], followed["created_count"]) == ("done", 2)
    assert (followed["rows_read"], followed["rows_total"]) == (2, 2)
    assert followed["refusal"] is None
    assert Enrolment.objects.filter(training_class=enrolling, status="admitted").count() == 2


def test_job_waits_for_the_worker(
    as_: As, institution_admin: User, enrolling: TrainingClass, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

    job = hand_in(as_(institution_admin), enrolling, workbook([person()])).json()

    assert (job["status"], job["rows_total"], job["finished_at"]) == ("queued", None, None)


def test_bad_rows_are_told_in_the_language_of_the_reader(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    client = as_(institution_admin)
    job = hand_in(client, enrolling, workbook([person(), person(身份证号="123")])).json()

    response = client.get(f"/api/v1/roster-imports/{job['id']}", HTTP_ACCEPT_LANGUAGE="en")

    answer = response.json()
    assert (answer["status"], answer["bad_count"], answer["created_count"]) == ("refused", 1, 0)
    assert answer["refusal"]["code"] == "bad_rows"
    assert answer["bad_rows"] == [
        {
            "row": 3,
            "column": "身份证号",
            "code": "wrong_length",
            "detail": "The number is too short or too long.",
        }
    ]


def test_remarks_are_told_in_the_language_of_the_reader(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    client = as_(institution_admin)
    job = hand_in(client, enrolling, workbook([person(户籍地="火星")])).json()

    answer = client.get(f"/api/v1/roster-imports/{job['id']}", HTTP_ACCEPT_LANGUAGE="en").json()

    assert (answer["status"], answer["good_count"], answer["bad_rows"]) == ("done", 1, [])
    assert answer["remarks"] == [
        {
            "row": 2,
            "column": "户籍地",
            "code": "unknown_region",
            "detail": "This place is not known in the class's region; that one stands instead.",
        }
    ]


def test_dry_run_changes_nothing(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    sheet = workbook([person(), person(身份证号="123")])

    response = hand_in(
        as_(institution_admin), enrolling, sheet, dry_run="true", on_bad_rows="good_rows"
    )

    assert response.json()["created_count"] == 1
    assert not Enrolment.objects.exists()


def test_retry_with_the_same_key_is_one_import(
    as_: As, institution_admin: User, enrolling: TrainingClass, key: Callable[[], str]
) -> None:
    client, same, sheet = as_(institution_admin), key(), workbook([person()])

    for _ in range(2):
        body = {"file": SimpleUploadedFile("花名册.xlsx", sheet)}
        response = client.post(url(enrolling), body, format="multipart", HTTP_IDEMPOTENCY_KEY=same)

    assert response["Idempotent-Replayed"] == "true"
    assert RosterImport.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"dry_run": "perhaps"}, "#/dry_run"),
        ({"on_bad_rows": "some"}, "#/on_bad_rows"),
        ({"surprise": "1"}, "#/surprise"),
        ({"file": "no file"}, "#/file"),
        ({"file": SimpleUploadedFile("a.xlsx", b"")}, "#/file"),
    ],
)
def test_wrong_member_is_named(
    given: dict[str, Any],
    pointer: str,
    as_: As,
    institution_admin: User,
    enrolling: TrainingClass,
) -> None:
    response = hand_in(as_(institution_admin), enrolling, workbook([person()]), **given)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def test_frozen_roster_takes_nobody(
    as_: As, institution: Organisation, institution_admin: User
) -> None:
    filed = factories.training_class("filed", institution=institution)

    response = hand_in(as_(institution_admin), filed, workbook([person()]))

    assert (response.status_code, response.json()["code"]) == (409, "wrong_status")


def test_only_the_institution_hands_in(
    as_: As,
    enrolling: TrainingClass,
    officer: User,
    stranger_admin: User,
    trainee: User,
    trainer_user: User,
) -> None:
    for user in (officer, stranger_admin, trainee, trainer_user):
        assert hand_in(as_(user), enrolling, workbook([person()])).status_code == 403
    assert hand_in(as_(None), enrolling, workbook([person()])).status_code == 401
    assert not RosterImport.objects.exists()


def test_stranger_cannot_find_a_draft_or_a_job(
    as_: As,
    institution: Organisation,
    institution_admin: User,
    stranger_admin: User,
    enrolling: TrainingClass,
) -> None:
    draft = factories.training_class("draft", institution=institution)
    job = hand_in(as_(institution_admin), enrolling, workbook([person()])).json()["id"]

    client = as_(stranger_admin)
    foreign = client.get(f"/api/v1/roster-imports/{job}")
    absent = client.get(f"/api/v1/roster-imports/{uuid4()}")

    assert hand_in(client, draft, workbook([person()])).status_code == 404
    assert client.get(sheet_url(draft)).status_code == 404
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}
    assert client.get(url(enrolling)).json()["results"] == []


def test_officer_reads_the_report(
    as_: As,
    institution_admin: User,
    officer: User,
    officer_elsewhere: User,
    enrolling: TrainingClass,
) -> None:
    job = hand_in(as_(institution_admin), enrolling, workbook([person()])).json()["id"]

    assert as_(officer).get(f"/api/v1/roster-imports/{job}").status_code == 200
    assert as_(officer_elsewhere).get(f"/api/v1/roster-imports/{job}").status_code == 404


def test_list_leaves_the_bad_rows_out_and_has_a_budget(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    client = as_(institution_admin)

    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            response = client.get(url(enrolling) + "?limit=100")
        assert response.status_code == 200
        assert not {"bad_rows", "remarks"} & set(response.json()["results"][0])
        return len(seen)

    imported(enrolling, workbook([person()]))
    few = statements()
    for _ in range(10):
        imported(enrolling, workbook([person(姓名="")]))

    assert statements() == few <= 8


# -- the roster itself --------------------------------------------------------------------------


def text_of(content: bytes) -> str:
    table = sheets.read_table(content, columns={"n": ["身份证号"]}, required=["n"])
    return " ".join(row["n"] for row in table)


def test_roster_is_masked_unless_asked_for_in_full(
    as_: As, institution_admin: User, officer: User, enrolling: TrainingClass
) -> None:
    row = person()
    imported(enrolling, workbook([row]))

    for user in (institution_admin, officer):
        masked = as_(user).get(sheet_url(enrolling))
        full = as_(user).get(sheet_url(enrolling) + "?full=true&purpose=报财政")

        assert masked.status_code == full.status_code == 200
        assert row["身份证号"] not in text_of(masked.content)
        assert row["身份证号"] in text_of(full.content)
        assert full["Content-Disposition"].startswith("attachment")
        assert "no-store" in full["Cache-Control"]
        assert full["X-Content-Type-Options"] == "nosniff"
    assert JournalEntry.objects.filter(verb="roster.export").count() == 4


def test_phone_may_ask_for_a_spreadsheet_by_its_type(
    as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    response = as_(institution_admin).get(sheet_url(enrolling), HTTP_ACCEPT=kind)
    refused = as_(institution_admin).get(sheet_url(enrolling) + "?full=true", HTTP_ACCEPT=kind)

    assert (response.status_code, response["Content-Type"]) == (200, kind)
    assert (refused.status_code, refused.json()["code"]) == (400, "purpose_required")


@pytest.mark.parametrize("query", ["full=perhaps", "surprise=1", "full=true&purpose=" + "x" * 201])
def test_wrong_parameter_is_400(
    query: str, as_: As, institution_admin: User, enrolling: TrainingClass
) -> None:
    assert as_(institution_admin).get(f"{sheet_url(enrolling)}?{query}").status_code == 400


def test_roster_is_for_the_institution_and_its_bureau(
    as_: As,
    enrolling: TrainingClass,
    auditor: User,
    officer_elsewhere: User,
    stranger_admin: User,
    trainee: User,
) -> None:
    for user in (auditor, officer_elsewhere, stranger_admin, trainee):
        assert as_(user).get(sheet_url(enrolling)).status_code == 403
    assert as_(None).get(sheet_url(enrolling)).status_code == 401
    assert not JournalEntry.objects.filter(verb="roster.export").exists()
