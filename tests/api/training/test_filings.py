"""The door to the rosters that a class was filed with."""

import pytest
from django.utils import timezone

from tests import factories
from training import filings

pytestmark = pytest.mark.django_db


def filed_class(institution, people=1):
    training_class = factories.training_class("enrolling", institution=institution, seats=60)
    for _ in range(people):
        factories.enrolment(training_class)
    return training_class


def url(training_class):
    return f"/api/v1/classes/{training_class.pk}/filings"


def test_an_officer_reads_every_roster_as_it_was_filed(
    as_, officer, institution, institution_admin
):
    training_class = filed_class(institution)
    first = filings.freeze(training_class, by=institution_admin, at=timezone.now())
    factories.enrolment(training_class)
    filings.freeze(training_class, by=institution_admin, at=timezone.now())

    response = as_(officer).get(url(training_class))

    rows = response.json()["results"]
    assert [(row["number"], len(row["roster"])) for row in rows] == [(1, 1), (2, 2)]
    assert rows[0]["sha256"] == first.sha256 == filings.digest(rows[0]["roster"])


def test_a_roster_is_not_for_trainees_nor_for_other_institutions(
    as_, trainee, stranger_admin, officer_elsewhere, institution, institution_admin
):
    training_class = filed_class(institution)
    filings.freeze(training_class, by=institution_admin, at=timezone.now())

    assert as_(trainee).get(url(training_class)).status_code == 403
    assert as_(stranger_admin).get(url(training_class)).json().get("results", []) == []
    assert as_(officer_elsewhere).get(url(training_class)).json().get("results", []) == []


@pytest.mark.parametrize("versions", [1, 20])
def test_the_list_costs_the_same_for_one_and_for_many(
    as_, officer, institution, institution_admin, versions, django_assert_max_num_queries
):
    training_class = filed_class(institution, people=3)
    for _ in range(versions):
        filings.freeze(training_class, by=institution_admin, at=timezone.now())
    client = as_(officer)

    with django_assert_max_num_queries(3):
        client.get(url(training_class))
