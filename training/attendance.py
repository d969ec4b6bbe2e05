"""Attendance: what a punch or a mark is worth, and ending a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import local_day
from people.models import User
from people.policies import AttendanceRules, governing
from people.refusals import Refusal
from training import sessions
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Enrolment,
    TrainingClass,
)

Class, Status, Planned = TrainingClass.Status, AttendanceRecord.Status, ClassSession.Status
# What may be known before a session: that somebody need not or will not come.
IN_ADVANCE = frozenset({Status.ON_LEAVE, Status.EXEMPT})
MARKABLE = frozenset({Class.APPROVED, Class.IN_PROGRESS, Class.SUSPENDED})


class ClassClosed(Refusal):
    code = "class_closed"
    title = _("The class is closed: its attendance no longer changes.")


class ClassNotApproved(Refusal):
    code = "class_not_approved"
    title = _("The class has not been approved.")


class SessionCancelled(Refusal):
    code = "session_cancelled"
    title = _("The session was cancelled.")


class SessionNotOpen(Refusal):
    code = "session_not_open"
    title = _("The session is not open for this now.")


class NotOnRoster(Refusal):
    code = "not_on_roster"
    title = _("Some of these enrolments are not on the roster of the session.")


# -- one record -----------------------------------------------------------------------------------


def window(session: ClassSession, rules: AttendanceRules) -> tuple[datetime, datetime]:
    """Tell from when to when a session takes check-ins."""
    return (
        session.starts_at - timedelta(minutes=rules.opens_before_minutes),
        session.ends_at + timedelta(minutes=rules.closes_after_minutes),
    )


def derive(record: AttendanceRecord, session: ClassSession, rules: AttendanceRules) -> None:
    """Judge a record by its check-in and check-out; one that a person marked stays as it is."""
    if record.marked_by_id is not None or record.in_at is None:
        return
    late = record.in_at > session.starts_at + timedelta(minutes=rules.late_grace_minutes)
    early = record.out_at is not None and record.out_at < session.ends_at - timedelta(
        minutes=rules.early_grace_minutes
    )
    status = Status.LEFT_EARLY if early else Status.LATE if late else Status.PRESENT
    if record.original_status == Status.UNMARKED:
        record.original_status = status
    record.status = status
    planned = session.planned_minutes
    if status == Status.PRESENT:
        record.credited_minutes = planned
    else:
        came = max(record.in_at, session.starts_at)
        left = min(record.out_at or session.ends_at, session.ends_at)
        record.credited_minutes = min(planned, max(0, (left - came) // timedelta(minutes=1)))


def credit(status: str, planned_minutes: int, rules: AttendanceRules) -> int:
    """Tell how many minutes a mark by hand is worth, rounded half up."""
    if status in {Status.PRESENT, Status.EXEMPT}:
        return planned_minutes
    if status in {Status.LATE, Status.LEFT_EARLY}:
        return int((planned_minutes * rules.partial_credit).to_integral_value(ROUND_HALF_UP))
    return 0


# -- marking and finishing ------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """What a trainer says of one person."""

    enrolment_id: UUID
    status: str
    note: str = ""


def _lock(session: ClassSession) -> ClassSession:
    """Lock session and class, so that marking, finishing and closing queue here.

    :raises ClassClosed: nothing changes any more
    :raises ClassNotApproved: before the class is approved, and once it is cancelled
    :raises SessionCancelled: the session does not take place
    """
    rows = ClassSession.objects.select_related("training_class", "trainer")
    # The class first, as everywhere; without the key, so that check-ins, whose rows refer to the
    # session, need not wait.
    session = rows.select_for_update(of=("training_class", "self"), no_key=True).get(pk=session.pk)
    if session.training_class.status == Class.CLOSED:
        raise ClassClosed
    if session.status == Planned.CANCELLED:
        raise SessionCancelled
    if session.training_class.status not in MARKABLE:
        raise ClassNotApproved(class_status=session.training_class.status)
    return session


@transaction.atomic
def mark(session: ClassSession, marks: Sequence[Mark], *, by: User, at: datetime) -> None:
    """Enter what a trainer saw; the first verdict stays beside the new one.

    :raises NotOnRoster: naming the places in the list that are not admitted to the class
    :raises SessionNotOpen: before the session opens, except for leave and exemption
    """
    session = _lock(session)
    ruled = governing(
        AttendanceRules, session.training_class.region_id, local_day(session.starts_at)
    )
    opens_at, _closes_at = window(session, ruled.rules)
    if at < opens_at and any(each.status not in IN_ADVANCE for each in marks):
        raise SessionNotOpen(opens_at=opens_at)
    wanted = [each.enrolment_id for each in marks]
    admitted = set(on_roster(session).filter(pk__in=wanted).values_list("pk", flat=True))
    if strangers := [index for index, pk in enumerate(wanted) if pk not in admitted]:
        raise NotOnRoster(indexes=strangers)
    known = {row.enrolment_id: row for row in session.records.filter(enrolment__in=wanted)}
    rows, changes = [], []
    for each in marks:
        row = known.get(each.enrolment_id) or _blank(session, each.enrolment_id)
        changes.append([str(each.enrolment_id), row.status, each.status])
        if row.original_status == Status.UNMARKED:
            row.original_status = each.status
        row.status, row.note, row.mode = each.status, each.note, AttendanceEvent.Mode.ROSTER
        row.credited_minutes = credit(each.status, session.planned_minutes, ruled.rules)
        row.marked_by, row.policy_id, row.updated_at = by, ruled.policy_id, at
        rows.append(row)
    AttendanceRecord.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["enrolment", "session"],
        update_fields=[
            "status", "original_status", "mode", "credited_minutes", "note", "marked_by",
            "policy_id", "updated_at",
        ],
    )  # fmt: skip
    journal.record("attendance.mark", session, by=by, at=at, marks=changes)


def on_roster(session: ClassSession) -> QuerySet[Enrolment]:
    return Enrolment.objects.on_roster().filter(training_class=session.training_class_id)


def _blank(session: ClassSession, enrolment_id: UUID) -> AttendanceRecord:
    return AttendanceRecord(
        session=session,
        enrolment_id=enrolment_id,
        status=Status.UNMARKED,
        original_status=Status.UNMARKED,
    )


@transaction.atomic
def finish(session: ClassSession, *, by: User, at: datetime) -> ClassSession:
    """End a session: whoever neither checked in nor was marked was absent.

    A check-in made offline that arrives before its deadline still counts.

    :raises SessionNotOpen: before it starts
    """
    locked = _lock(session)
    if at < locked.starts_at:
        raise SessionNotOpen(starts_at=locked.starts_at)
    sessions.LIFECYCLE.lock(session, "finish")
    ruled = governing(AttendanceRules, locked.training_class.region_id, local_day(locked.starts_at))
    # Whoever came keeps the record that a check-in is writing at this very moment.
    missing = on_roster(locked).exclude(records__session=locked).values_list("pk", flat=True)
    absent = [_blank(locked, pk) for pk in missing]
    for row in absent:
        row.status = row.original_status = Status.ABSENT
        row.policy_id, row.updated_at = ruled.policy_id, at
    AttendanceRecord.objects.bulk_create(absent, ignore_conflicts=True)
    locked.records.filter(status=Status.UNMARKED).update(
        status=Status.ABSENT, original_status=Status.ABSENT, updated_at=at
    )
    return sessions.LIFECYCLE.move(session, "finish", by=by, at=at)
