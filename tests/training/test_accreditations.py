"""Accreditations: the life cycle against the card, and who decides."""

import pytest
from django.utils import timezone

from people.models import JournalEntry
from people.refusals import WrongStatus
from people.roles import Role
from tests import factories
from training import accreditations, independence

pytestmark = pytest.mark.django_db

# Drawn from the card, not from the code.
DRAWING = """
          approve   refuse   revoke
applied   approved  refused  -
approved  -         -        revoked
refused   -         -        -
revoked   -         -        -
"""
HEADER, *ROWS = [line.split() for line in DRAWING.strip().splitlines()]
MOVES = [
    (row[0], verb, target) for row in ROWS for verb, target in zip(HEADER, row[1:], strict=True)
]


def decide(verb, accreditation, by):
    given = {} if verb == "approve" else {"reason": "样例原因"}
    getattr(accreditations, verb)(accreditation, **given, by=by, at=timezone.now())


@pytest.mark.parametrize(("status", "verb", "target"), MOVES)
def test_the_life_of_an_accreditation_is_as_drawn(status, verb, target, institution, officer):
    accreditation = factories.accreditation(institution, status=status)

    if target == "-":
        with pytest.raises(WrongStatus):
            decide(verb, accreditation, officer)
    else:
        decide(verb, accreditation, officer)

    accreditation.refresh_from_db()
    assert accreditation.status == (status if target == "-" else target)


def test_a_decision_says_who_and_when_and_is_on_record(institution, officer):
    accreditation = factories.accreditation(institution, status="applied")

    decide("refuse", accreditation, officer)

    assert (accreditation.decided_by, accreditation.reason) == (officer, "样例原因")
    assert accreditation.decided_at is not None
    assert JournalEntry.objects.get(verb="accreditation.refuse").by_id == officer.pk


@pytest.mark.parametrize("verb", ["approve", "refuse"])
def test_a_member_of_the_institution_does_not_decide(verb, institution):
    insider = factories.user(
        roles=[(Role.OFFICER, factories.bureau()), (Role.TRAINER, institution)]
    )
    accreditation = factories.accreditation(institution, status="applied")

    with pytest.raises(independence.OwnInstitution):
        decide(verb, accreditation, insider)


@pytest.mark.parametrize("verb", ["approve", "refuse"])
def test_who_applied_does_not_decide(verb, institution, officer):
    accreditation = factories.accreditation(institution, status="applied", applied_by=officer)

    with pytest.raises(independence.OwnRequest):
        decide(verb, accreditation, officer)
