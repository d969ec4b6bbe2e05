"""What a check-in is judged by, read in one statement."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject, TruncDate

from people.days import SHANGHAI
from people.models import Policy, StoredAnswer, User
from people.policies import AttendanceRules, Governing, parse
from people.roles import Grant
from people.statements import Given, Prepared, with_grants
from training.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Enrolment,
    TrainingClass,
    Venue,
)

NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Punch:
    """What the phone sends."""

    id: UUID
    kind: str
    code: str
    captured_at: datetime
    device_id: str
    step: int | None = None
    # WGS 84 degrees and metres.
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: int | None = None
    mock_location: bool = False
    photo_id: UUID | None = None


@dataclass(frozen=True)
class Tally:
    """How often the account has punched in the session."""

    # Codes that were looked at; those of them that were wrong; refusals for any other reason.
    coded: int = 0
    wrong: int = 0
    otherwise_refused: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of the session and of the caller in it."""

    session: ClassSession
    venue: Venue | None
    enrolment: Enrolment | None
    record: AttendanceRecord | None
    ruled: Governing[AttendanceRules]
    tally: Tally
    # Whether this key has its answer, this id its punch, and this kind of punch its acceptance.
    is_answered: bool
    is_known: bool
    is_repeated: bool
    is_shared_device: bool
    is_replayed_code: bool
    is_identical_position: bool


# Models read their columns in the order of their fields.
SESSION = (
    "id", "training_class_id", "starts_at", "ends_at", "planned_minutes", "status", "secret",
)  # fmt: skip
CLASS = ("id", "institution_id", "region_id", "status", "approved_at")
VENUE = ("id", "latitude", "longitude", "radius_m")
ENROLMENT = ("id", "training_class_id", "person_id")
RECORD = tuple(field.attname for field in AttendanceRecord._meta.concrete_fields)
PARTS: tuple[tuple[type[models.Model], str, tuple[str, ...]], ...] = (
    (ClassSession, "", SESSION),
    (TrainingClass, "training_class__", CLASS),
    (Venue, "venue__", VENUE),
    (Venue, "training_class__venue__", VENUE),
    (Enrolment, "mine__", ENROLMENT),
    (AttendanceRecord, "kept__", RECORD),
)
ANSWERS = (
    "policy",
    "tally",
    "is_answered",
    "is_known",
    "is_repeated",
    "is_shared_device",
    "is_replayed_code",
    "is_identical_position",
)


def read(session_id: UUID, punch: Punch, *, by: User, key: UUID) -> Facts | None:
    """Read the facts; ``None`` if the caller cannot see the session."""
    rows = _prepared(by.grants).rows(
        session=session_id,
        person=by.person_id or NOBODY,
        user=by.pk,
        key=key,
        punch=punch.id,
        kind=punch.kind,
        device=punch.device_id,
        code=punch.code,
        latitude=punch.latitude,
        longitude=punch.longitude,
    )
    if not rows:
        return None
    values = iter(rows[0])
    parts = [_part(model, names, values) for model, _prefix, names in PARTS]
    session, training_class, venue, class_venue, enrolment, record = parts
    session.training_class = training_class
    if enrolment is not None:
        enrolment.training_class = training_class
    policy, tally, *answers = values
    return Facts(
        session,
        venue or class_venue,
        enrolment,
        record,
        _ruled(policy),
        Tally(**(tally or {})),
        *answers,
    )


def _part(model: type[models.Model], names: tuple[str, ...], values: Iterator[Any]) -> Any:
    own = [next(values) for _ in names]
    return None if own[0] is None else model.from_db("default", names, own)


def _ruled(policy: dict[str, Any] | None) -> Governing[AttendanceRules]:
    if policy is None:
        return Governing(AttendanceRules(), None)
    values = policy["values"]
    # SQLite nests stored JSON as a text.
    values = json.loads(values) if isinstance(values, str) else values
    return Governing(parse(AttendanceRules, values), UUID(policy["id"]))


def _query(by: User) -> QuerySet[ClassSession, Any]:
    uuid, text = models.UUIDField(), models.CharField()
    degrees = models.DecimalField(max_digits=9, decimal_places=6)
    accepted = AttendanceEvent.objects.filter(
        session=OuterRef("pk"), verdict=AttendanceEvent.Verdict.ACCEPTED
    )
    refused = Q(verdict=AttendanceEvent.Verdict.REFUSED)
    punches = AttendanceEvent.objects.filter(session=OuterRef("pk"), by_id=Given("user", uuid))
    tally = punches.order_by().values("session").annotate(
        found=JSONObject(
            coded=Count("guess"),
            wrong=Count("guess", filter=refused),
            otherwise_refused=Count("pk", filter=refused & Q(guess__isnull=True)),
        )
    )  # fmt: skip
    own = accepted.filter(enrolment=OuterRef("mine__id"))
    others = accepted.filter(enrolment__isnull=False).exclude(enrolment=OuterRef("mine__id"))
    policies = Policy.objects.governing(
        AttendanceRules.kind, OuterRef("training_class__region_id"), OuterRef("local_day")
    )
    return (
        ClassSession.objects.visible_to(by)
        .filter(pk=Given("session", uuid))
        .annotate(
            local_day=TruncDate("starts_at", tzinfo=SHANGHAI),
            mine=FilteredRelation(
                "training_class__enrolments",
                condition=Q(
                    training_class__enrolments__person_id=Given("person", uuid),
                    training_class__enrolments__status=Enrolment.Status.ADMITTED,
                ),
            ),
            kept=FilteredRelation(
                "mine__records", condition=Q(mine__records__session_id=Given("session", uuid))
            ),
            policy=Subquery(policies.values(found=JSONObject(id="id", values="values"))[:1]),
            tally=Subquery(tally.values("found")),
            is_answered=Exists(
                StoredAnswer.objects.filter(user_id=Given("user", uuid), key=Given("key", uuid))
            ),
            is_known=Exists(AttendanceEvent.objects.filter(pk=Given("punch", uuid))),
            is_repeated=Exists(own.filter(kind=Given("kind", text))),
            is_shared_device=Exists(others.filter(device_id=Given("device", text))),
            is_replayed_code=Exists(own.filter(code=Given("code", text))),
            is_identical_position=Exists(
                others.filter(
                    latitude=Given("latitude", degrees), longitude=Given("longitude", degrees)
                )
            ),
        )
        .values_list(*(prefix + name for _, prefix, names in PARTS for name in names), *ANSWERS)
    )


@lru_cache(maxsize=256)
def _prepared(grants: tuple[Grant, ...]) -> Prepared:
    # Nothing but what was given decides who sees a session; this user is otherwise nobody.
    return Prepared(partial(_query, with_grants(grants)))
