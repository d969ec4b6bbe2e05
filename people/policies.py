"""Numbers that a bureau may set: their schemas, their defaults, and which version governs.

No default here is law. National texts name no attendance percentage, class size or lead time; a
bureau publishes its own, and a decision stores the version that it used.
"""

import json
import re
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Generic, TypeVar, get_type_hints
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import local_day
from people.models import PersonCategory, Policy, Region, User
from people.refusals import Refusal
from people.roles import ancestors


class BadPolicyValues(Refusal):
    code = "bad_policy_values"
    title = _("These values do not fit the schema of this kind of policy.")


class PolicyInThePast(Refusal):
    code = "policy_in_the_past"
    title = _("A policy takes effect today or later: history is not rewritten.")


def number(default: Any, low: Any, high: Any, unit: str | Promise) -> Any:
    """Declare a bounded number with its unit, for checking and for the documentation."""
    return field(default=default, metadata={"low": low, "high": high, "unit": unit})


@dataclass(frozen=True)
class AttendanceRules:
    """How attendance is judged."""

    kind: ClassVar[str] = Policy.Kind.ATTENDANCE
    required_rate: Decimal = number(Decimal("0.80"), 0, 1, _("ratio of planned minutes"))
    late_grace_minutes: int = number(10, 0, 240, _("minutes"))
    early_grace_minutes: int = number(10, 0, 240, _("minutes"))
    opens_before_minutes: int = number(60, 0, 240, _("minutes before a session starts"))
    closes_after_minutes: int = number(60, 0, 240, _("minutes after a session ends"))
    code_step_seconds: int = number(30, 10, 300, _("seconds"))
    offline_upload_hours: int = number(72, 0, 720, _("hours after a session ends"))
    clock_skew_minutes: int = number(5, 1, 120, _("minutes before a clock is flagged"))
    partial_credit: Decimal = number(
        Decimal("0.50"), 0, 1, _("ratio credited when a trainer marks late or left early by hand")
    )


@dataclass(frozen=True)
class ClassRules:
    """What a class must be before it is filed."""

    kind: ClassVar[str] = Policy.Kind.CLASS
    in_order: ClassVar = [("minimum_size", "maximum_size")]
    minimum_size: int = number(1, 1, 500, _("people admitted"))
    maximum_size: int = number(60, 1, 500, _("seats"))
    minimum_hours: int = number(1, 0, 2000, _("class hours of 45 minutes"))
    filing_lead_days: int = number(0, 0, 90, _("days between filing and the first session"))


@dataclass(frozen=True)
class EnrolmentRules:
    """Who may enrol, and how long an offer holds."""

    kind: ClassVar[str] = Policy.Kind.ENROLMENT
    in_order: ClassVar = [("minimum_age", "maximum_age")]
    minimum_age: int = number(16, 14, 100, _("full years on the first day"))
    maximum_age: int = number(60, 16, 120, _("full years on the first day"))
    classes_per_year: int = number(3, 1, 50, _("classes completed or held per calendar year"))
    same_skill_once: bool = field(default=True, metadata={"unit": _("same occupation and level")})
    offer_hold_hours: int = number(24, 1, 240, _("hours"))
    priority_categories: tuple[str, ...] = field(
        default=("hard_to_employ", "zero_household_member", "disabled", "veteran"),
        metadata={
            "unit": _("person categories that come first on a waiting list"),
            "choices": PersonCategory.Category.values,
        },
    )
    # Off, whoever ticks a box passes everyone who waits.
    priority_needs_recognition: bool = field(
        default=True, metadata={"unit": _("only categories that a body has recognised")}
    )


@dataclass(frozen=True)
class ExamRules:
    """The final exam."""

    kind: ClassVar[str] = Policy.Kind.EXAM
    attempts: int = number(2, 1, 10, _("attempts"))
    pass_mark: Decimal = number(Decimal("60.00"), 0, 100, _("points of 100"))


@dataclass(frozen=True)
class Checkpoint:
    """A question asked so many local days after completion, within a window of days."""

    code: str
    offset_days: int
    days_before: int
    days_after: int
    required_grade: int


@dataclass(frozen=True)
class FollowUpRules:
    """When people are asked again (windows after the ESF immediate window and the 6-month rule)."""

    kind: ClassVar[str] = Policy.Kind.FOLLOW_UP
    in_order: ClassVar = [
        ("channels_before_unreachable", "attempts_before_unreachable"),
        ("dates_before_unreachable", "attempts_before_unreachable"),
    ]
    checkpoints: tuple[Checkpoint, ...] = (
        Checkpoint("D7", 7, 7, 21, 1),
        Checkpoint("D30", 30, 7, 21, 2),
        Checkpoint("D60", 60, 7, 14, 3),
        Checkpoint("D90", 90, 14, 30, 3),
        Checkpoint("D180", 180, 21, 45, 3),
        Checkpoint("D365", 365, 30, 60, 2),
    )
    attempts_before_unreachable: int = number(3, 1, 20, _("attempts"))
    channels_before_unreachable: int = number(2, 1, 5, _("channels"))
    dates_before_unreachable: int = number(2, 1, 10, _("dates"))


MAXIMUM_CHECKPOINTS = 20
Rules = TypeVar("Rules", AttendanceRules, ClassRules, EnrolmentRules, ExamRules, FollowUpRules)
SCHEMAS: dict[str, type[Any]] = {
    str(schema.kind): schema
    for schema in (AttendanceRules, ClassRules, EnrolmentRules, ExamRules, FollowUpRules)
}


@dataclass(frozen=True)
class Governing(Generic[Rules]):
    """The rules in force somewhere on a day, and the version they come from."""

    rules: Rules
    policy_id: UUID | None


def parse(schema: type[Rules], values: dict[str, Any]) -> Rules:
    """Read stored or submitted values; absent ones take the default.

    :raises BadPolicyValues: naming every member that is unknown, of a wrong type, out of bounds,
        or a minimum above its maximum
    """
    known = {f.name: f for f in fields(schema)}
    hints = get_type_hints(schema)
    wrong = sorted(set(values) - set(known))
    read: dict[str, Any] = {}
    for name in known.keys() & values.keys():
        try:
            read[name] = _value(hints[name], values[name], known[name].metadata)
        except (TypeError, ValueError, InvalidOperation, KeyError):
            wrong.append(name)
    if wrong:
        raise BadPolicyValues(members=sorted(wrong))
    rules = schema(**read)
    for low, high in getattr(schema, "in_order", ()):
        if getattr(rules, low) > getattr(rules, high):
            raise BadPolicyValues(members=[low, high])
    return rules


def _value(hint: Any, raw: Any, bounds: Any) -> Any:
    if hint is bool or hint is int:
        if type(raw) is not hint:
            raise TypeError
        value: Any = raw
    elif hint is Decimal:
        if not isinstance(raw, str | int) or isinstance(raw, bool):
            raise TypeError
        value = Decimal(raw)
    elif hint == tuple[Checkpoint, ...]:
        return _checkpoints(raw)
    else:
        return _choices(raw, bounds["choices"])
    if "low" in bounds and not bounds["low"] <= value <= bounds["high"]:
        raise ValueError
    return value


def _choices(raw: Any, known: list[str]) -> tuple[str, ...]:
    if not isinstance(raw, list) or any(item not in known for item in raw):
        raise ValueError
    return tuple(dict.fromkeys(raw))


def _checkpoints(raw: Any) -> tuple[Checkpoint, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= MAXIMUM_CHECKPOINTS:
        raise ValueError
    checkpoints = tuple(_checkpoint(item) for item in raw)
    # A person gets one task per checkpoint: the code is its identity.
    if len({checkpoint.code for checkpoint in checkpoints}) < len(checkpoints):
        raise ValueError
    return checkpoints


def _checkpoint(raw: dict[str, Any]) -> Checkpoint:
    checkpoint = Checkpoint(**raw)
    days = (checkpoint.offset_days, checkpoint.days_before, checkpoint.days_after)
    if any(type(d) is not int or not 0 <= d <= 3650 for d in days):
        raise ValueError
    if type(checkpoint.required_grade) is not int or not 0 <= checkpoint.required_grade <= 4:
        raise ValueError
    if type(checkpoint.code) is not str or not re.fullmatch("[A-Z0-9]{1,10}", checkpoint.code):
        raise ValueError
    return checkpoint


def dump(rules: Any) -> dict[str, Any]:
    """Write rules as the JSON that ``parse`` reads."""
    dumped: dict[str, Any] = json.loads(json.dumps(asdict(rules), default=str))
    return dumped


def describe(schema: type[Any]) -> list[dict[str, Any]]:
    """List the members of a kind: name, default, bounds and unit."""
    defaults = dump(schema())
    return [
        {
            "name": f.name,
            "default": defaults[f.name],
            "low": None if f.metadata.get("low") is None else str(f.metadata["low"]),
            "high": None if f.metadata.get("high") is None else str(f.metadata["high"]),
            "unit": str(f.metadata.get("unit", "")),
        }
        for f in fields(schema)
        if f.default is not MISSING or f.default_factory is not MISSING
    ]


def governing(schema: type[Rules], region_id: str, on: date) -> Governing[Rules]:
    """Find the rules for a region on the day a fact happened: nearest region, latest version."""
    policy = Policy.objects.governing(schema.kind, region_id, on).first()
    if policy is None:
        return Governing(schema(), None)
    return Governing(parse(schema, policy.values), policy.pk)


@transaction.atomic
def publish(
    kind: str,
    region: Region,
    values: dict[str, Any],
    *,
    effective_from: date,
    effective_to: date | None,
    basis: str,
    by: User,
    at: datetime,
) -> Policy:
    """Publish a version; it can be followed by another, never changed.

    :raises BadPolicyValues: if the values do not fit the kind
    :raises PolicyInThePast: if it would take effect before today
    """
    # Whole, with today's defaults: a default that changes later must not change a published rule.
    whole = dump(parse(SCHEMAS[kind], values))
    if effective_from < local_day(at):
        raise PolicyInThePast(today=str(local_day(at)))
    policy = Policy.objects.create(
        kind=kind,
        region=region,
        depth=len(ancestors(region.pk)),
        effective_from=effective_from,
        effective_to=effective_to,
        values=whole,
        basis=basis,
        approved_by=by,
        published_at=at,
    )
    journal.record("policy.publish", policy, by=by, at=at, kind=kind)
    return policy
