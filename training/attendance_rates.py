"""Attendance rates: how much of a class somebody attended, and whether it can still be enough."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from people.days import local_day
from people.policies import AttendanceRules, governing
from training.models import AttendanceRecord, ClassSession, Enrolment, TrainingClass

Planned = ClassSession.Status
# What a record can say once something is known.
MARKS = tuple(
    status for status in AttendanceRecord.Status if status != AttendanceRecord.Status.UNMARKED
)


@dataclass(frozen=True)
class Rate:
    """How much of a class one person attended; minutes are clock minutes, ratios are exact."""

    planned_minutes: int
    credited_minutes: int
    past_minutes: int
    past_credited_minutes: int
    # What the sessions to come can still give.
    open_minutes: int
    required_rate: Fraction
    policy_id: UUID | None = field(compare=False)

    @property
    def rate(self) -> Fraction | None:
        """Credited by planned minutes of all sessions that were not cancelled."""
        return _ratio(self.credited_minutes, self.planned_minutes)

    @property
    def rate_so_far(self) -> Fraction | None:
        """The same over the sessions that are over."""
        return _ratio(self.past_credited_minutes, self.past_minutes)

    @property
    def can_still_pass(self) -> bool | None:
        """Tell whether attending everything to come would be enough."""
        best = _ratio(self.credited_minutes + self.open_minutes, self.planned_minutes)
        return None if best is None else best >= self.required_rate


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def rounded(ratio: Fraction | None) -> Decimal | None:
    """Round a ratio half up to four decimals: for eyes only, never to decide by."""
    if ratio is None:
        return None
    return Decimal(floor(ratio * 10_000 + Fraction(1, 2))) / 10_000


def shown(ratio: Fraction | None) -> str | None:
    """Write a rounded ratio with all of its four decimals."""
    found = rounded(ratio)
    return None if found is None else f"{found:.4f}"


def percent(ratio: Fraction | None) -> str:
    """Write the same as per cent with two decimals; nothing where there is no ratio."""
    found = rounded(ratio)
    return "" if found is None else f"{found:.2%}"


def rates_of(training_class: TrainingClass, *, at: datetime) -> dict[UUID, Rate]:
    """Work out the rate of everyone on the roster of a class, in three statements."""
    return _rates(training_class, training_class.enrolments.on_roster(), at=at)


def rate_of(enrolment: Enrolment, *, at: datetime) -> Rate:
    """Work out the rate of one enrolment, whatever became of it."""
    one = Enrolment.objects.filter(pk=enrolment.pk)
    return _rates(enrolment.training_class, one, at=at)[enrolment.pk]


def _rates(
    training_class: TrainingClass, enrolments: QuerySet[Enrolment], *, at: datetime
) -> dict[UUID, Rate]:
    day = min(local_day(at), training_class.ends_on)
    ruled = governing(AttendanceRules, training_class.region_id, day)
    sessions = training_class.sessions.planned().aggregate(
        planned=_sum("planned_minutes"), past=_sum("planned_minutes", _past(at))
    )
    held = Q(records__session__status__in=[Planned.SCHEDULED, Planned.FINISHED])
    # A session that goes on may be judged already: then it gives what it gave.
    judged = Q(
        records__session__status=Planned.SCHEDULED,
        records__session__ends_at__gt=at,
        records__status__in=MARKS,
    )
    rows = enrolments.annotate(
        credited=_sum("records__credited_minutes", held),
        past_credited=_sum("records__credited_minutes", held & _past(at, "records__session__")),
        judged=_sum("records__session__planned_minutes", judged),
    )
    return {
        pk: Rate(
            planned_minutes=sessions["planned"],
            credited_minutes=credited,
            past_minutes=sessions["past"],
            past_credited_minutes=past_credited,
            open_minutes=sessions["planned"] - sessions["past"] - judged_minutes,
            required_rate=Fraction(ruled.rules.required_rate),
            policy_id=ruled.policy_id,
        )
        for pk, credited, past_credited, judged_minutes in rows.values_list(
            "pk", "credited", "past_credited", "judged"
        )
    }


def _past(at: datetime, prefix: str = "") -> Q:
    return Q(**{f"{prefix}status": Planned.FINISHED}) | Q(**{f"{prefix}ends_at__lte": at})


def _sum(column: str, only: Q | None = None) -> Coalesce:
    return Coalesce(Sum(column, filter=only), 0)
