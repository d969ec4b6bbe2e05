"""The journal: auditors read what concerns their region, nobody else reads anything."""

import pytest

from people import journal
from people.models import JournalEntry
from people.roles import Role
from tests import factories

JOURNAL = "/api/v1/journal"


@pytest.fixture
def entry(institution, officer):
    journal.record(
        "organisation.register", institution, by=officer, at=factories.moment(factories.day())
    )
    return JournalEntry.objects.get()


def found(client, **filters):
    response = client.get(JOURNAL, filters)
    assert response.status_code == 200
    return [row["id"] for row in response.json()["results"]]


def test_auditor_reads_who_did_what(as_, auditor, officer, institution, entry):
    row = as_(auditor).get(JOURNAL).json()["results"][0]

    assert row["verb"] == "organisation.register"
    assert row["by_id"] == str(officer.pk)
    assert row["object_id"] == str(institution.pk)


def test_auditor_of_another_county_reads_nothing_of_it(as_, entry):
    elsewhere = factories.bureau(factories.region(factories.COUNTY_ELSEWHERE))
    stranger = factories.user(roles=[(Role.AUDITOR, elsewhere)])

    assert found(as_(stranger)) == []


@pytest.mark.parametrize("role", ["officer", "institution_admin", "trainer_user", "trainee"])
def test_nobody_else_reads_it(as_, request, entry, role):
    assert as_(request.getfixturevalue(role)).get(JOURNAL).status_code == 403


def test_system_administrator_does_not_read_it(as_, entry):
    system = factories.user(roles=[(Role.SYSTEM_ADMIN, factories.bureau())])

    assert as_(system).get(JOURNAL).status_code == 403


def test_filters(as_, auditor, institution, entry):
    client = as_(auditor)
    here, today, yesterday = [str(entry.pk)], str(factories.day()), str(factories.day(-1))

    assert found(client, verb="organisation.register") == here
    assert found(client, verb="person.reveal") == []
    assert found(client, object=str(institution.pk)) == here
    assert found(client, object="somebody") == []
    assert found(client, **{"from": today, "to": today}) == here
    assert found(client, **{"from": str(factories.day(1))}) == []
    assert found(client, to=yesterday) == []
    assert client.get(JOURNAL, {"from": "yesterday"}).status_code == 400


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1899-12-31", "2201-01-01"])
@pytest.mark.parametrize("parameter", ["from", "to"])
def test_day_outside_of_the_calendar_is_named(as_, auditor, entry, parameter, day):
    response = as_(auditor).get(JOURNAL, {parameter: day})

    assert response.status_code == 400
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


def test_journal_is_read_only(as_, auditor, entry):
    client = as_(auditor)

    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(JOURNAL).status_code == 405


def test_list_takes_two_statements(as_, auditor, institution, officer, django_assert_num_queries):
    for _time in range(20):
        journal.record(
            "organisation.register", institution, by=officer, at=factories.moment(factories.day())
        )
    client = as_(auditor)

    with django_assert_num_queries(2):
        client.get(JOURNAL, {"limit": 100})
