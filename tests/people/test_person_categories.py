"""Categories: recognised by a bureau for some days, never twice for one."""

from datetime import UTC, date, datetime

import pytest

from people import person_categories, persons
from people.models import PersonCategory
from people.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def recognise(person, officer, valid_from, valid_to=None):
    return person_categories.recognise(
        person, "hard_to_employ", valid_from=valid_from, valid_to=valid_to, by=officer, at=NOON
    )


def test_recognising_names_the_officers_bureau(officer):
    person = factories.person()

    row = recognise(person, officer, MAY)

    assert row.recognised_by == officer.memberships.get(role=Role.OFFICER).organisation


def test_declared_category_becomes_recognised(officer):
    person = factories.person()
    persons.declare_categories(person, ("hard_to_employ",), at=NOON)

    recognise(person, officer, date(2026, 3, 2), JUNE)

    row = PersonCategory.objects.get()
    assert (row.valid_to, bool(row.recognised_by)) == (JUNE, True)


def test_recognised_periods_do_not_share_a_day(officer):
    person = factories.person()
    recognise(person, officer, MAY, JUNE)

    with pytest.raises(person_categories.AlreadyRecognised):
        recognise(person, officer, JUNE, JULY)
    assert recognise(person, officer, date(2026, 6, 2), JULY)


def test_categories_are_those_of_the_day(officer):
    person = factories.person()
    recognise(person, officer, MAY, JUNE)

    def on(day):
        return person_categories.categories_on([person.pk], at=factories.moment(day))[
            person.pk
        ].held

    assert on(date(2026, 4, 30)) == []
    assert on(MAY) == on(JUNE) == ["hard_to_employ"]
    assert on(date(2026, 6, 2)) == []
