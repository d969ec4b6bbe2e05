"""Exclusions: a listed reason, a document and two people."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from people.models import JournalEntry
from people.refusals import WrongStatus
from people.roles import Role
from tests import factories
from training import exclusions, independence
from training.models import FollowUpTask

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(institution):
    return factories.follow_up(factories.completion(institution=institution))


@pytest.fixture
def second(institution):
    return factories.user(roles=[(Role.OFFICER, factories.bureau(institution.region))])


def propose(task, by, *, document=True, code="military"):
    proof = factories.stored_file(by) if document else None
    return exclusions.propose(task, code=code, document=proof, by=by, at=timezone.now())


def approve(task, by, *, document=False, code="military"):
    proof = factories.stored_file(by) if document else None
    return exclusions.approve(task, code=code, document=proof, by=by, at=timezone.now())


def test_one_proposes_and_another_approves(task, officer, second):
    propose(task, officer)
    assert task.status == "open"

    approve(task, second)

    task.refresh_from_db()
    assert (task.status, task.exclusion_approved_by) == ("excluded", second)


def test_the_proposer_cannot_approve(task, officer):
    propose(task, officer)

    with pytest.raises(independence.OwnRequest):
        approve(task, officer)


def test_the_second_may_bring_the_document_but_somebody_must(task, officer, second):
    propose(task, officer, document=False)

    with pytest.raises(exclusions.ExclusionUnproven):
        approve(task, second)

    assert approve(task, second, document=True).status == "excluded"


def test_both_have_to_name_the_same_reason(task, officer, second):
    propose(task, officer)

    with pytest.raises(exclusions.ExclusionDiffers):
        approve(task, second, code="retired")


def test_a_proposal_is_corrected_by_its_proposer_only(task, officer, second):
    propose(task, officer)
    propose(task, officer, code="retired", document=False)

    task.refresh_from_db()
    assert task.exclusion_code == "retired"
    assert task.exclusion_document is not None
    with pytest.raises(exclusions.ExclusionProposed):
        propose(task, second)


def test_nothing_to_approve(task, second):
    with pytest.raises(exclusions.NoExclusionProposed):
        approve(task, second)


def test_the_institution_has_no_say(task, institution_admin):
    with pytest.raises(independence.OwnInstitution):
        propose(task, institution_admin)
    with pytest.raises(independence.OwnInstitution):
        approve(task, institution_admin)


@pytest.mark.parametrize("status", ["verified", "closed", "missed", "unreachable"])
def test_not_what_is_over(officer, status):
    with pytest.raises(WrongStatus):
        propose(factories.follow_up(status=status), officer)


def test_the_reason_stays_out_of_the_journal(task, officer, second):
    propose(task, officer, code="imprisoned")
    approve(task, second, code="imprisoned")

    assert not [e for e in JournalEntry.objects.all() if "imprisoned" in str(e.facts)]


def test_the_database_keeps_the_promise(task, officer):
    propose(task, officer)

    with pytest.raises(IntegrityError), transaction.atomic():
        FollowUpTask.objects.update(exclusion_approved_by=officer)
    with pytest.raises(IntegrityError), transaction.atomic():
        FollowUpTask.objects.update(status="excluded")
