"""Rows as somebody would write them who goes past every verb, not yet saved."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from tests import factories
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    Certificate,
    Enrolment,
    Exam,
    ExamResult,
)


def refused_by(guard: str) -> Any:
    """Expect the database to refuse, naming the guard, in a savepoint of its own."""
    return pytest.raises(IntegrityError, match=guard)


def event(enrolment: Enrolment, **given: Any) -> AttendanceEvent:
    at = timezone.now()
    values = {
        "id": uuid.uuid4(),
        "session": factories.session(enrolment.training_class),
        "enrolment": enrolment,
        "by": enrolment.created_by,
        "kind": "in",
        "mode": "rotating_code",
        "verdict": "accepted",
        "happened_at": at,
        "captured_at": at,
        "received_at": at,
    }
    return AttendanceEvent(**(values | given))


def record(enrolment: Enrolment, **given: Any) -> AttendanceRecord:
    values = {
        "session": factories.session(enrolment.training_class),
        "enrolment": enrolment,
        "status": "present",
        "original_status": "present",
        "updated_at": timezone.now(),
    }
    return AttendanceRecord(**(values | given))


def exam_result(enrolment: Enrolment, outcome: str = "passed") -> ExamResult:
    by = enrolment.created_by
    exam = Exam.objects.create(
        training_class=enrolment.training_class,
        attempt=1,
        held_on=factories.day(),
        name="结业考核",
        pass_mark=60,
        created_by=by,
        created_at=timezone.now(),
    )
    score = 80 if outcome == "passed" else 20
    return ExamResult(
        exam=exam,
        enrolment=enrolment,
        score=score,
        outcome=outcome,
        recorded_by=by,
        recorded_at=timezone.now(),
    )


def certificate(enrolment: Enrolment, **given: Any) -> Certificate:
    values: dict[str, Any] = {
        "enrolment": enrolment,
        "serial": uuid.uuid4().hex,
        "code": uuid.uuid4().hex,
        "issued_on": factories.day(),
        "status_since": timezone.now(),
    }
    known = {field.name for field in Certificate._meta.fields}
    told = {
        "person_name": "张样例",
        "id_number_masked": "430***********0000",
        "programme_name": "测试课程",
        "occupation_name": "测试工种",
        "level": "junior",
        "hours": 4,
        "started_on": factories.day(-5),
        "ended_on": factories.day(),
        "institution_name": "测试单位",
    }
    values |= {name: value for name, value in told.items() if name in known}
    return Certificate(**(values | given))
