"""Exclusions: out of the denominator only by a listed reason, a document and two people."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal
from people.models import StoredFile, User
from people.refusals import Refusal
from training import independence
from training.follow_ups import LIFECYCLE
from training.models import FollowUpTask


class ExclusionProposed(Refusal):
    code = "exclusion_proposed"
    title = _("Somebody else has proposed an exclusion, which can be approved.")


class NoExclusionProposed(Refusal):
    code = "no_exclusion_proposed"
    title = _("No exclusion has been proposed.")


class ExclusionDiffers(Refusal):
    code = "exclusion_differs"
    title = _("The reason is not the one that was proposed.")


class ExclusionUnproven(Refusal):
    code = "exclusion_unproven"
    title = _("An exclusion needs a document.")


@transaction.atomic
def propose(
    task: FollowUpTask, *, code: str, document: StoredFile | None = None, by: User, at: datetime
) -> FollowUpTask:
    """Propose to exclude the person; the proposer may correct it until somebody approves.

    :raises OwnInstitution: if the caller belongs to the institution
    :raises ExclusionProposed: if somebody else's proposal waits
    """
    LIFECYCLE.lock(task, "exclude")
    _require_independence(task, by, asked_by_id=None)
    if task.exclusion_proposed_by_id not in {None, by.pk}:
        raise ExclusionProposed
    task.exclusion_code = code
    task.exclusion_document = document or task.exclusion_document
    task.exclusion_proposed_by = by
    task.save(update_fields=["exclusion_code", "exclusion_document", "exclusion_proposed_by"])
    # The reason stays out of the journal: some say what nobody but the officers should know.
    journal.record("followuptask.propose_exclusion", task, by=by, at=at)
    return task


@transaction.atomic
def approve(
    task: FollowUpTask, *, code: str, document: StoredFile | None = None, by: User, at: datetime
) -> FollowUpTask:
    """Exclude the person, as a second officer who names the same reason.

    :raises OwnInstitution: if the caller belongs to the institution
    :raises OwnRequest: if the caller proposed it
    :raises NoExclusionProposed: if nobody proposed it
    :raises ExclusionDiffers: if the reason is another
    :raises ExclusionUnproven: if neither of the two attached a document
    """
    LIFECYCLE.lock(task, "exclude")
    _require_independence(task, by, asked_by_id=task.exclusion_proposed_by_id)
    if task.exclusion_proposed_by_id is None:
        raise NoExclusionProposed
    if task.exclusion_code != code:
        raise ExclusionDiffers
    proof = task.exclusion_document or document
    if proof is None:
        raise ExclusionUnproven
    return LIFECYCLE.move(
        task, "exclude", by=by, at=at, exclusion_document=proof, exclusion_approved_by=by
    )


def _require_independence(task: FollowUpTask, by: User, *, asked_by_id: UUID | None) -> None:
    institution_id = task.enrolment.training_class.institution_id
    independence.require(by, institution_id=institution_id, asked_by_id=asked_by_id)
