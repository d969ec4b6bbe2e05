"""Who sits in a session and what is known of their attendance: one statement, or a spreadsheet."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db import models, transaction
from django.db.models import FilteredRelation, Q, QuerySet

from people import journal
from people.days import SHANGHAI
from people.models import User
from people.roles import Grant, Scope
from people.statements import Given, Prepared, with_grants
from people.workbooks import write_workbook
from training.attendance_rates import percent, rates_of
from training.models import AttendanceRecord, ClassSession, TrainingClass
from training.models.enrolments import ON_ROSTER

MAXIMUM = 500
Status = AttendanceRecord.Status
# How a bureau's paper sheet says it.
SHEET_MARKS = {
    Status.UNMARKED: "",
    Status.PRESENT: "出勤",
    Status.LATE: "迟到",
    Status.LEFT_EARLY: "早退",
    Status.ABSENT: "缺勤",
    Status.ON_LEAVE: "请假",
    Status.EXEMPT: "免修",
}


class RosterRow(NamedTuple):
    """One person on the roster; without a record nothing is known yet."""

    enrolment_id: UUID
    person_id: UUID
    name: str
    id_number_masked: str
    phone_masked: str
    record_id: UUID | None
    status: str | None
    credited_minutes: int | None
    in_at: datetime | None
    out_at: datetime | None
    mode: str | None
    flags: list[str] | None


COLUMNS = (
    "training_class__institution_id",
    "training_class__region_id",
    "trainer__user_id",
    "seated__id",
    "seated__person_id",
    "seated__person__name",
    "seated__person__id_number_masked",
    "seated__person__phone_masked",
    "kept__id",
    "kept__status",
    "kept__credited_minutes",
    "kept__in_at",
    "kept__out_at",
    "kept__mode",
    "kept__flags",
)


@dataclass(frozen=True)
class Roster:
    """The people of a session, and whose session it is."""

    scope: Scope
    rows: list[RosterRow]


def roster_of(session_id: UUID, *, by: User) -> Roster | None:
    """Read the roster of a session, in one statement; ``None`` if the caller cannot see it."""
    found = _prepared(by.grants).rows(session=session_id)
    if not found:
        return None
    institution_id, region_id, trainer_user_id = found[0][:3]
    scope = Scope(
        organisation_ids=frozenset({institution_id}),
        region_id=region_id,
        trainer_user_ids=frozenset({trainer_user_id} if trainer_user_id else ()),
    )
    # A session without people is one row without an enrolment.
    return Roster(scope, [RosterRow(*row[3:]) for row in found if row[3] is not None])


@lru_cache(maxsize=256)
def _prepared(grants: tuple[Grant, ...]) -> Prepared:
    return Prepared(partial(_query, with_grants(grants)))


def _query(by: User) -> QuerySet[ClassSession, Any]:
    session_id = Given("session", models.UUIDField())
    return (
        ClassSession.objects.visible_to(by)
        .filter(pk=session_id)
        .annotate(
            seated=FilteredRelation(
                "training_class__enrolments",
                condition=Q(training_class__enrolments__status__in=ON_ROSTER),
            ),
            kept=FilteredRelation(
                "seated__records", condition=Q(seated__records__session_id=session_id)
            ),
        )
        .order_by("seated__person__name_initials", "seated__person__name", "seated__id")
        .values_list(*COLUMNS)[:MAXIMUM]
    )


@transaction.atomic
def sheet(training_class: TrainingClass, *, by: User, at: datetime) -> bytes:
    """Write the attendance of a class as a workbook, one column for each session."""
    sessions = list(training_class.sessions.planned().order_by("starts_at", "id"))
    rows = (
        training_class.enrolments.on_roster()
        .order_by("person__name_initials", "person__name", "id")
        .values_list("pk", "person__name", "person__id_number_masked")
    )
    marks = {
        (enrolment_id, session_id): SHEET_MARKS[Status(status)]
        for enrolment_id, session_id, status in AttendanceRecord.objects.filter(
            session__training_class=training_class
        ).values_list("enrolment_id", "session_id", "status")
    }
    rates = rates_of(training_class, at=at)
    journal.record("attendance.export", training_class, by=by, at=at, people=len(rows))
    times = [f"{session.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for session in sessions]
    return write_workbook(
        ["序号", "姓名", "身份证号", *times, "出勤率"],
        [
            [
                number,
                name,
                id_number,
                *(marks.get((pk, session.pk), "") for session in sessions),
                percent(rates[pk].rate),
            ]
            for number, (pk, name, id_number) in enumerate(rows, start=1)
        ],
        title=f"{training_class.name} 考勤表",
        sheet_name="考勤表",
    )
