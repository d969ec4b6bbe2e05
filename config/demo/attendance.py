"""Months of punches and records: mostly honest, some late, some flagged, some refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from config.demo import uid
from config.demo.cast import Side
from people.models import User
from training.models import AttendanceEvent, AttendanceRecord, ClassSession, Enrolment

Kind, Mode, Verdict = AttendanceEvent.Kind, AttendanceEvent.Mode, AttendanceEvent.Verdict
Status = AttendanceRecord.Status
# Positions in the list of a class: who hardly comes, and who never came.
SELDOM, NEVER = 10, 11


@dataclass(frozen=True)
class Visit:
    """One person in one session."""

    session: ClassSession
    enrolment: Enrolment
    user_id: UUID
    person: int
    lesson: int

    @property
    def came(self) -> bool:
        if self.person == NEVER:
            return False
        if self.person == SELDOM:
            return self.lesson % 2 == 0
        return self.person == 0 or (self.person + self.lesson) % 11 != 10

    @property
    def late(self) -> bool:
        return self.person != 0 and (self.person * 3 + self.lesson) % 13 == 12

    @property
    def by_roster(self) -> bool:
        return (self.person + self.lesson * 2) % 9 == 8

    @property
    def arrives_at(self) -> datetime:
        minutes = 25 if self.late else -(self.person % 8)
        return self.session.starts_at + timedelta(minutes=minutes, seconds=self.person)


def fill(side: Side, over: Sequence[ClassSession], admitted: Sequence[Enrolment]) -> None:
    """Write the punches and the records of sessions that are over, in two statements."""
    accounts = dict(
        User.objects.filter(person__in=[row.person_id for row in admitted]).values_list(
            "person_id", "pk"
        )
    )
    visits = [
        Visit(session, enrolment, accounts[enrolment.person_id], person, lesson)
        for lesson, session in enumerate(over)
        for person, enrolment in enumerate(admitted)
    ]
    AttendanceEvent.objects.bulk_create(
        (event for visit in visits for event in _events(visit)), batch_size=500
    )
    AttendanceRecord.objects.bulk_create(
        (_record(visit, side.trainer) for visit in visits), batch_size=500
    )


def _events(visit: Visit) -> Iterator[AttendanceEvent]:
    if not visit.came or visit.by_roster:
        return
    odd = (visit.person * 7 + visit.lesson) % 17
    if odd == 3:
        yield _punch(
            visit, "refused", verdict=Verdict.REFUSED, reason="wrong_code", guess=1, flags=[]
        )
    yield _punch(
        visit,
        "in",
        verdict=Verdict.ACCEPTED,
        guess=2 if odd == 3 else 1,
        flags=_flags(odd),
        was_offline=odd == 7,
        mock_location=odd == 11,
    )


def _flags(odd: int) -> list[str]:
    return {5: ["outside_fence"], 9: ["clock_skew"], 11: ["mock_location"]}.get(odd, [])


def _punch(visit: Visit, name: str, **facts: Any) -> AttendanceEvent:
    at = visit.arrives_at - timedelta(seconds=20 if name == "refused" else 0)
    venue = visit.session.venue
    away = Decimal("0.010000") if "outside_fence" in facts["flags"] else Decimal("0.000100")
    received_at = at + timedelta(hours=5) if facts.get("was_offline") else at
    skew = timedelta(minutes=17) if "clock_skew" in facts["flags"] else timedelta(0)
    return AttendanceEvent(
        id=uid("punch", visit.session.pk, visit.enrolment.person_id, name),
        session=visit.session,
        enrolment=visit.enrolment,
        by_id=visit.user_id,
        kind=Kind.IN,
        mode=Mode.ROTATING_CODE,
        happened_at=at,
        captured_at=at - skew,
        received_at=received_at,
        step=int(at.timestamp()) // 30,
        code=f"{(visit.person * 7919 + visit.lesson * 104729) % 1_000_000:06d}",
        latitude=venue.latitude + away if venue else None,
        longitude=venue.longitude if venue else None,
        accuracy_m=20,
        device_id=f"demo-{visit.person}",
        **facts,
    )


def _record(visit: Visit, trainer: User) -> AttendanceRecord:
    planned = visit.session.planned_minutes
    late = 25 if visit.late else 0
    status = (Status.LATE if late else Status.PRESENT) if visit.came else Status.ABSENT
    credited = planned - late if visit.came else 0
    by_roster = visit.came and visit.by_roster
    return AttendanceRecord(
        id=uid("record", visit.session.pk, visit.enrolment.person_id),
        session=visit.session,
        enrolment=visit.enrolment,
        status=status,
        original_status=status,
        mode=(Mode.ROSTER if by_roster else Mode.ROTATING_CODE) if visit.came else "",
        in_at=visit.arrives_at if visit.came and not by_roster else None,
        credited_minutes=credited,
        flags=_flags((visit.person * 7 + visit.lesson) % 17) if visit.came else [],
        marked_by=trainer if by_roster else None,
        updated_at=visit.session.ends_at,
    )
