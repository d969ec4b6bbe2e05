"""What an institution asks to be allowed to teach, and what an officer says to it."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal
from people.ids import uuid7
from people.lifecycle import Lifecycle
from people.models import Organisation, User
from people.refusals import Refusal
from training import independence
from training.models import Accreditation, Occupation, TrainingClass

Status = Accreditation.Status
LIFECYCLE = Lifecycle(
    approve=([Status.APPLIED], Status.APPROVED),
    refuse=([Status.APPLIED], Status.REFUSED),
    revoke=([Status.APPROVED], Status.REVOKED),
)


class NotAccredited(Refusal):
    code = "not_accredited"
    title = _("No approved accreditation covers the occupation and level on all class days.")


@transaction.atomic
def apply(
    institution: Organisation,
    occupation: Occupation,
    level: str,
    *,
    valid_from: date,
    valid_to: date,
    by: User,
    at: datetime,
    id: UUID | None = None,  # noqa: A002  # the client's name for the row
) -> Accreditation:
    """Ask to teach an occupation at a level from a day to a day."""
    accreditation = Accreditation(
        id=id or uuid7(),
        institution=institution,
        occupation=occupation,
        level=level,
        valid_from=valid_from,
        valid_to=valid_to,
        applied_by=by,
        applied_at=at,
    )
    accreditation.save(force_insert=True)
    journal.record("accreditation.apply", accreditation, by=by, at=at)
    return accreditation


def _decide(
    accreditation: Accreditation, verb: str, reason: str, *, by: User, at: datetime
) -> Accreditation:
    LIFECYCLE.lock(accreditation, verb)
    independence.require(
        by,
        institution_id=accreditation.institution_id,
        asked_by_id=accreditation.applied_by_id,
    )
    return LIFECYCLE.move(
        accreditation, verb, by=by, at=at, decided_by=by, decided_at=at, reason=reason
    )


@transaction.atomic
def approve(accreditation: Accreditation, *, by: User, at: datetime) -> Accreditation:
    """Allow it.

    :raises WrongStatus: if it was decided before
    :raises OwnInstitution: if the officer belongs to the institution
    :raises OwnRequest: if the officer applied
    """
    return _decide(accreditation, "approve", "", by=by, at=at)


@transaction.atomic
def refuse(accreditation: Accreditation, *, reason: str, by: User, at: datetime) -> Accreditation:
    """Turn it down; raises what ``approve`` raises."""
    return _decide(accreditation, "refuse", reason, by=by, at=at)


@transaction.atomic
def revoke(accreditation: Accreditation, *, reason: str, by: User, at: datetime) -> Accreditation:
    """Take it back; classes already published stay, none can be published or filed on it.

    Raises what ``approve`` raises.
    """
    return _decide(accreditation, "revoke", reason, by=by, at=at)


def require(training_class: TrainingClass) -> None:
    """Refuse a class that its institution may not teach on every one of its days.

    :raises NotAccredited: naming what an accreditation would have to cover
    """
    programme = training_class.programme
    held = Accreditation.objects.filter(
        institution=training_class.institution_id,
        occupation=programme.occupation_id,
        level=programme.level,
    )
    if not held.covering(training_class.starts_on, training_class.ends_on).exists():
        raise NotAccredited(
            occupation_id=programme.occupation_id,
            level=programme.level,
            starts_on=training_class.starts_on,
            ends_on=training_class.ends_on,
        )
