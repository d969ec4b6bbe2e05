"""The key of a session: what a trainer's device needs to show the rotating code."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from people import journal
from people.days import local_day
from people.models import User
from people.policies import AttendanceRules, governing
from training.attendance import Class, ClassNotApproved, window
from training.models import ClassSession


@dataclass(frozen=True)
class CheckInKey:
    """A secret in base32, and when its codes are taken; ``qr`` has a place for the code."""

    secret: str
    step_seconds: int
    valid_from: datetime
    valid_until: datetime
    qr: str


@transaction.atomic
def read(session: ClassSession, *, by: User, at: datetime) -> CheckInKey:
    """Hand out the key; that it was read is on record.

    :raises ClassNotApproved: before the class is approved, and once it is cancelled
    """
    training_class = session.training_class
    if training_class.approved_at is None or training_class.status == Class.CANCELLED:
        raise ClassNotApproved(class_status=training_class.status)
    day = local_day(session.starts_at)
    rules = governing(AttendanceRules, training_class.region_id, day).rules
    opens_at, closes_at = window(session, rules)
    journal.record("session.read_secret", session, by=by, at=at)
    return CheckInKey(
        secret=session.secret,
        step_seconds=rules.code_step_seconds,
        valid_from=opens_at,
        valid_until=closes_at,
        qr=f"qihang:check-in:{session.pk}:{{code}}",
    )
