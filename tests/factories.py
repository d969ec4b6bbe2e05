"""Rows to test with: plain functions, the state named, everybody in them invented.

Days count from today, because doors read the clock: ``day(7)`` is a week from now.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.utils import timezone

from people import identifiers, persons
from people.crypto import phone_index
from people.days import SHANGHAI, local_day
from people.models import Acquaintance, Membership, Organisation, Person, Region, StoredFile, User
from people.roles import Role, ancestors
from training.models import (
    Accreditation,
    AttendanceRecord,
    ClassFiling,
    ClassSession,
    Enrolment,
    Exam,
    ExamResult,
    FollowUpTask,
    Occupation,
    Programme,
    Trainer,
    TrainingClass,
    Venue,
)
from training.models.enrolments import HOLDING_A_SEAT

COUNTY = "430202000000"  # inside the city below
COUNTY_ELSEWHERE = "430203000000"  # inside it too
CITY = "430200000000"
LEVELS = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}

_numbers = count(1)


def day(offset: int = 0) -> date:
    """Name a local day by its distance from today."""
    return local_day(timezone.now()) + timedelta(days=offset)


def moment(on: date, at: str = "08:30") -> datetime:
    """Name a moment by its local day and clock time."""
    return datetime.combine(on, time.fromisoformat(at), SHANGHAI)


def region(code: str = COUNTY) -> Region:
    """Find or make a region and those above it."""
    above: Region | None = None
    for each in reversed(ancestors(code)):
        width = next(w for w in LEVELS if not each[w:].strip("0"))
        above, _ = Region.objects.get_or_create(
            code=each,
            defaults={
                "name": f"测试区划{each[:width]}",
                "level": LEVELS[width],
                "parent": above,
                "valid_from": date(2000, 1, 1),
            },
        )
    assert above is not None
    return above


def credit_code(number: int) -> str:
    """Invent a social credit code whose check character is right."""
    body = f"91430200MA{number:07}"
    for last in "0123456789ABCDEFGHJKLMNPQRTUWXY":
        try:
            return identifiers.credit_code(body + last)
        except identifiers.BadIdentifier:
            continue
    raise AssertionError(body)


def organisation(kind: str = "institution", **given: Any) -> Organisation:
    number = next(_numbers)
    values: dict[str, Any] = {
        "kind": kind,
        "name": f"测试单位{number}",
        "credit_code": credit_code(number),
        "created_at": timezone.now(),
    }
    if "region" not in given:
        values["region"] = region()
    return Organisation.objects.create(**(values | given))


def institution(**given: Any) -> Organisation:
    return organisation("institution", **given)


def bureau(where: Region | None = None, **given: Any) -> Organisation:
    return organisation("bureau", region=where or region(), **given)


def phone() -> str:
    return f"138{next(_numbers):08}"


def user(
    phone: str | None = None,
    person: Person | None = None,
    roles: Iterable[tuple[Role, Organisation]] = (),
    *,
    password: str | None = None,
) -> User:
    """Make an account; ``roles`` are given where they are named, nowhere else."""
    phone = phone or globals()["phone"]()
    made = User.objects.create(
        phone=phone,
        phone_index=phone_index(phone),
        password=make_password(password),
        person=person,
        created_at=timezone.now(),
    )
    for role, where in roles:
        Membership.objects.create(
            user=made, organisation=where, role=role, created_at=timezone.now()
        )
    return made


def id_number(born_on: date = date(1985, 3, 1), sex: str = "female") -> str:
    """Invent a resident ID number whose check character is right; each is used once."""
    number = next(_numbers)
    # 500 people of a sex share a birthday and an area; then the area changes.
    first17 = f"4302{number // 500:02}{born_on:%Y%m%d}{number % 500 * 2 + (sex == 'male'):03}"
    return first17 + identifiers.check_digit(first17)


def person(*, known_to: Organisation | None = None, **given: Any) -> Person:
    """Make a person; ``known_to`` an organisation that may therefore see the row."""
    number = given.pop("id_number", None) or id_number(
        given.pop("born_on", date(1985, 3, 1)), given.pop("sex", "female")
    )
    said = persons.Particulars(
        name=given.pop("name", "张样例"),
        id_number=number,
        region=given.pop("region", None) or region(),
        phone=given.pop("phone", None) or phone(),
    )
    made = persons.build(said, at=timezone.now())
    for name, value in given.items():
        setattr(made, name, value)
    made.save(force_insert=True)
    if known_to:
        Acquaintance.objects.create(person=made, organisation=known_to, since=made.created_at)
    return made


def occupation(**given: Any) -> Occupation:
    number = next(_numbers)
    return Occupation.objects.create(
        **(
            {"code": f"6-99-{number // 100:02}-{number % 100:02}", "name": f"测试工种{number}"}
            | given
        )
    )


def programme(**given: Any) -> Programme:
    values: dict[str, Any] = {
        "level": "junior",
        "kind": "skill",
        "name": f"测试课程{next(_numbers)}",
        "hours": 4,
    }
    if "occupation" not in given:
        values["occupation"] = occupation()
    return Programme.objects.create(**(values | given))


def accreditation(
    institution: Organisation, programme: Programme | None = None, **given: Any
) -> Accreditation:
    """Make an approved one around today, for the programme's occupation and level if given."""
    values: dict[str, Any] = {
        "institution": institution,
        "level": programme.level if programme else "junior",
        "valid_from": day(-365),
        "valid_to": day(365),
        "status": Accreditation.Status.APPROVED,
        "applied_at": timezone.now(),
    }
    if "occupation" not in given:
        values["occupation"] = programme.occupation if programme else occupation()
    values |= given
    if "applied_by" not in given:
        values["applied_by"] = user(roles=[(Role.INSTITUTION_ADMIN, institution)])
    if values["status"] != Accreditation.Status.APPLIED and "decided_by" not in given:
        values["decided_by"] = user(roles=[(Role.OFFICER, bureau(institution.region))])
        values["decided_at"] = timezone.now()
    return Accreditation.objects.create(**values)


def trainer(institution: Organisation, user: User | None = None, **given: Any) -> Trainer:
    values = {"institution": institution, "user": user, "name": f"测试教师{next(_numbers)}"}
    return Trainer.objects.create(**(values | given))


def venue(institution: Organisation, **given: Any) -> Venue:
    number = next(_numbers)
    values: dict[str, Any] = {
        "institution": institution,
        "name": f"测试教室{number}",
        "address": f"样例路{number}号",
        "latitude": Decimal("27.830000"),
        "longitude": Decimal("113.130000"),
        "capacity": 60,
    }
    return Venue.objects.create(**(values | given))


# First and last day of a class in each state, as distances from today.
DAYS = {
    "draft": (7, 37),
    "enrolling": (7, 37),
    "returned": (7, 37),
    "filed": (7, 37),
    "approved": (7, 37),
    "in_progress": (-5, 25),
    "suspended": (-5, 25),
    "closed": (-60, -10),
    "cancelled": (7, 37),
}
PUBLISHED = set(DAYS) - {"draft"}
WAS_FILED = {"filed", "returned", "approved", "in_progress", "suspended", "closed"}
WAS_APPROVED = {"approved", "in_progress", "suspended", "closed"}
WAS_STARTED = {"in_progress", "suspended", "closed"}


def _marks(state: str, values: dict[str, Any]) -> dict[str, Any]:
    """Say who brought a class into its state, and when: approved well before it began."""
    at = timezone.now()
    began = min(at, moment(values["starts_on"]))
    marks: dict[str, Any] = {}
    if state in PUBLISHED:
        marks["published_at"] = began - timedelta(days=30)
    if state in WAS_FILED:
        marks |= {"filed_by": values["created_by"], "filed_at": began - timedelta(days=5)}
    if state in WAS_APPROVED:
        marks["approved_at"] = began - timedelta(days=3)
        if "approved_by" not in values:
            marks["approved_by"] = user(roles=[(Role.OFFICER, bureau(values["region"]))])
    if state in WAS_STARTED:
        marks["started_at"] = began
    if state == "closed":
        marks["closed_at"] = at
    return marks


def training_class(state: str = "draft", **given: Any) -> TrainingClass:
    """Make a class that is consistent with its state; its institution is accredited for it.

    ``accredited=False`` leaves the accreditation out.
    """
    accredited = given.pop("accredited", True)
    first, last = DAYS[state]
    school = given.pop("institution", None) or institution()
    values: dict[str, Any] = {
        "institution": school,
        "programme": given.pop("programme", None) or programme(),
        "region": given.pop("region", None) or school.region,
        "name": f"测试班{next(_numbers)}",
        "status": state,
        "seats": 30,
        "enrolment_opens_on": day(first - 30),
        "enrolment_closes_on": day(first - 1),
        "starts_on": day(first),
        "ends_on": day(last),
        "created_at": timezone.now(),
    }
    if "created_by" not in given:
        values["created_by"] = user(roles=[(Role.INSTITUTION_ADMIN, school)])
    values |= given
    values = _marks(state, values) | values
    made = TrainingClass.objects.create(**values)
    if accredited:
        accreditation(school, made.programme, applied_by=made.created_by)
    if state in WAS_FILED:
        ClassFiling.objects.create(
            training_class=made,
            number=1,
            roster=[],
            sha256=hashlib.sha256(b"[]").hexdigest(),
            filed_by=values["filed_by"],
            filed_at=values["filed_at"],
        )
    return made


def session(
    training_class: TrainingClass, starts_at: datetime | None = None, **given: Any
) -> ClassSession:
    """Make a session of three hours, 08:30 on the first day unless told otherwise.

    It has a trainer and a venue of its own unless they are given, ``None`` included.
    """
    starts_at = starts_at or moment(training_class.starts_on)
    ends_at = given.pop("ends_at", None) or starts_at + timedelta(hours=3)
    values: dict[str, Any] = {
        "training_class": training_class,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "planned_minutes": int((ends_at - starts_at).total_seconds() // 60),
        "secret": base64.b32encode(secrets.token_bytes(20)).decode(),
        "created_at": timezone.now(),
    }
    if "trainer" not in given:
        values["trainer"] = trainer(training_class.institution)
    if "venue" not in given:
        values["venue"] = venue(training_class.institution)
    return ClassSession.objects.create(**(values | given))


def enrolment(
    training_class: TrainingClass,
    person: Person | None = None,
    status: str = "admitted",
    **given: Any,
) -> Enrolment:
    """Put a person (a new one, unless given) into the class; a held seat is counted."""
    at = timezone.now()
    if person is None:
        person = globals()["person"](known_to=training_class.institution)
    values: dict[str, Any] = {
        "training_class": training_class,
        "person": person,
        "status": status,
        "applied_at": at,
        "created_by": training_class.created_by,
    }
    if status == "offered":
        values["offer_expires_at"] = at + timedelta(hours=24)
    if status in {"admitted", "dropped", "completed", "failed", "no_show"}:
        values["admitted_at"] = at
    if status in {"rejected", "lapsed", "withdrawn", "dropped", "completed", "failed", "no_show"}:
        values["ended_at"] = at
    if status in HOLDING_A_SEAT:
        TrainingClass.objects.filter(pk=training_class.pk).update(seats_taken=F("seats_taken") + 1)
        training_class.refresh_from_db(fields=["seats_taken"])
    return Enrolment.objects.create(**(values | given))


def attended(
    session: ClassSession, enrolment: Enrolment, status: str = "present", minutes: int | None = None
) -> AttendanceRecord:
    """Note what became of a person in a session; present counts all of its minutes."""
    whole = session.planned_minutes if status in {"present", "exempt"} else 0
    return AttendanceRecord.objects.create(
        session=session,
        enrolment=enrolment,
        status=status,
        original_status=status,
        credited_minutes=whole if minutes is None else minutes,
        updated_at=timezone.now(),
    )


def over_class(trainees: int = 0, **given: Any) -> TrainingClass:
    """Make a class in progress whose one session, two days ago, is finished; all were present."""
    made = training_class("in_progress", **given)
    held = session(made, moment(day(-2)), status=ClassSession.Status.FINISHED)
    for _ in range(trainees):
        attended(held, enrolment(made))
    return made


def exam(training_class: TrainingClass, attempt: int = 1, **given: Any) -> Exam:
    """Make an exam held yesterday with a pass mark of 60."""
    values: dict[str, Any] = {
        "training_class": training_class,
        "attempt": attempt,
        "held_on": day(-1),
        "name": f"结业考试{attempt}",
        "pass_mark": Decimal("60.00"),
        "created_by": training_class.created_by,
        "created_at": timezone.now(),
    }
    return Exam.objects.create(**(values | given))


def result(exam: Exam, enrolment: Enrolment, score: str | None = "80") -> ExamResult:
    """Give a person a score; ``None`` is absent."""
    outcome = "absent" if score is None else "passed" if Decimal(score) >= 60 else "failed"
    return ExamResult.objects.create(
        exam=exam,
        enrolment=enrolment,
        score=None if score is None else Decimal(score),
        outcome=outcome,
        recorded_by=exam.created_by,
        recorded_at=timezone.now(),
    )


def completion(person: Person | None = None, **given: Any) -> Enrolment:
    """Make a completed enrolment in a closed class, ended today, its exam passed."""
    done = training_class("closed", **given)
    made = enrolment(done, person, status="completed")
    result(exam(done, held_on=done.ends_on), made)
    return made


def follow_up(
    enrolment: Enrolment | None = None, status: str = "open", **given: Any
) -> FollowUpTask:
    """Make a checkpoint D30 whose window is open since last week and for two more."""
    values: dict[str, Any] = {
        "enrolment": enrolment or completion(),
        "checkpoint": "D30",
        "required_grade": 2,
        "due_on": day(0),
        "window_opens_on": day(-7),
        "window_closes_on": day(14),
        "status": status,
    }
    return FollowUpTask.objects.create(**(values | given))


def stored_file(uploaded_by: User, **given: Any) -> StoredFile:
    """Make the row of a stored document; there are no bytes behind it."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "purpose": "document",
        "media_type": "application/pdf",
        "name": f"样例文件{number}.pdf",
        "size": 1,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "path": f"样例/{number}",
        "uploaded_by": uploaded_by,
        "created_at": timezone.now(),
    }
    return StoredFile.objects.create(**(values | given))
