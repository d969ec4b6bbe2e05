"""Categories at the door: declared by the person, recognised by an officer of the region."""

import pytest

from tests import factories

PERSONS = "/api/v1/persons"


@pytest.fixture
def known(institution):
    """Somebody whom the institution trains."""
    return factories.person(known_to=institution, name="张样例")


def test_officer_recognises_a_category(as_, officer, known):
    path = f"{PERSONS}/{known.pk}/categories"
    sent = {"category": "veteran", "valid_from": "2026-01-01", "valid_to": "2026-12-31"}

    response = as_(officer).post(path, sent)

    assert response.status_code == 201
    assert response.json()["recognised_by_id"] == str(officer.organisation_ids()[0])
    assert len(as_(officer).get(path).json()["results"]) == 1
    assert as_(officer).post(path, sent).json()["code"] == "already_recognised"


@pytest.mark.parametrize(
    ("role", "status"),
    [("institution_admin", 403), ("auditor", 403), ("stranger_admin", 403), ("trainee", 403),
     ("officer_elsewhere", 404)],
)  # fmt: skip
def test_nobody_else_recognises(as_, request, known, role, status):
    response = as_(request.getfixturevalue(role)).post(
        f"{PERSONS}/{known.pk}/categories", {"category": "veteran", "valid_from": "2026-01-01"}
    )

    assert response.status_code == status


def test_category_that_ends_before_it_begins_is_400(as_, officer, known):
    response = as_(officer).post(
        f"{PERSONS}/{known.pk}/categories",
        {"category": "veteran", "valid_from": "2026-02-01", "valid_to": "2026-01-01"},
    )

    assert response.json()["errors"][0]["pointer"] == "#/valid_to"
