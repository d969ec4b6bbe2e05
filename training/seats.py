"""What the verbs of enrolments stand on: the table of moves, the locks, the seats, the notices."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from people import notices
from people.days import local_time
from people.lifecycle import Lifecycle
from people.models import User
from people.refusals import Refusal, require_status
from training.models import Enrolment, TrainingClass

S = Enrolment.Status
LIFECYCLE = Lifecycle(
    admit=([S.APPLIED, S.WAITLISTED], S.ADMITTED),
    waitlist=([S.APPLIED], S.WAITLISTED),
    reject=([S.APPLIED, S.WAITLISTED], S.REJECTED),
    offer=([S.WAITLISTED], S.OFFERED),
    accept=([S.OFFERED], S.ADMITTED),
    lapse=([S.OFFERED], S.LAPSED),
    withdraw=([S.APPLIED, S.WAITLISTED, S.OFFERED, S.ADMITTED], S.WITHDRAWN),
    drop=([S.ADMITTED], S.DROPPED),
    # Only closing the class makes these moves.
    complete=([S.ADMITTED], S.COMPLETED),
    fail=([S.ADMITTED], S.FAILED),
    no_show=([S.ADMITTED], S.NO_SHOW),
)


# Filing freezes the roster; only offers made before it can still be accepted.
GIVING_SEATS = [TrainingClass.Status.ENROLLING, TrainingClass.Status.RETURNED]


class ClassFull(Refusal):
    code = "class_full"
    title = _("Every seat in this class is taken.")


class ClassHasStarted(Refusal):
    code = "class_has_started"
    title = _("The class has started.")


def lock_class(class_id: UUID) -> TrainingClass:
    """Lock the class: whoever gives or takes a seat, or joins the line, queues here.

    The order of locks is person, class, enrolment. A full lock would also stop others from
    writing rows that merely refer to the class.
    """
    return TrainingClass.objects.select_for_update(no_key=True).get(pk=class_id)


def lock(enrolment: Enrolment, verb: str) -> TrainingClass:
    """Lock the class and then the enrolment, and check that the verb may start from its status.

    :raises WrongStatus: if the table has no such move from the row's status
    """
    training_class = lock_class(enrolment.training_class_id)
    LIFECYCLE.lock(enrolment, verb)
    return training_class


def require_open_roster(training_class: TrainingClass) -> None:
    """Check that seats may still be given: a filed roster is what the bureau decides about.

    :raises ClassHasStarted: once the class runs
    :raises WrongStatus: with the class's status, unless it is enrolling or returned
    """
    require_not_started(training_class)
    require_status(training_class.status, GIVING_SEATS)


def require_not_started(training_class: TrainingClass) -> None:
    """Check that seats may still change hands.

    :raises ClassHasStarted: once the class runs
    """
    if training_class.started_at is not None:
        raise ClassHasStarted(started_at=local_time(training_class.started_at))


def take(class_id: UUID, *, count: int = 1, among: "QuerySet[TrainingClass] | None" = None) -> bool:
    """Take free seats, all or none, in one conditional UPDATE; tell whether they were there."""
    classes = TrainingClass.objects.all() if among is None else among
    free = classes.filter(pk=class_id, seats_taken__lte=F("seats") - count)
    return bool(free.update(seats_taken=F("seats_taken") + count))


def give_back(class_id: UUID, *, count: int = 1) -> None:
    """Give seats back."""
    TrainingClass.objects.filter(pk=class_id).update(seats_taken=F("seats_taken") - count)


def tell(
    enrolments: Sequence[Enrolment],
    training_class: TrainingClass,
    *,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> None:
    """Tell people who made the same move where they stand now, unless they made it themselves."""
    told = [row for row in enrolments if by is None or by.person_id != row.person_id]
    if not told:
        return
    first = told[0]
    facts = {"class_id": str(training_class.pk), "class_name": training_class.name}
    if first.status == S.OFFERED and first.offer_expires_at:
        facts["offer_expires_at"] = local_time(first.offer_expires_at)
    if reason:
        facts["reason"] = reason
    notices.tell_each(
        ((row.person_id, row) for row in told), f"enrolment.{first.status}", at=at, **facts
    )
