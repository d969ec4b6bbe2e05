"""What a class is filed with: complete plans, enough people, a roster that cannot drift."""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, Sum
from django.utils.translation import gettext_lazy as _

from people import policies
from people.days import local_day
from people.models import User
from people.policies import ClassRules
from people.refusals import Refusal
from training.models import ClassFiling, Enrolment, TrainingClass

MINUTES_PER_CLASS_HOUR = 45


class TooFewHours(Refusal):
    code = "too_few_hours"
    title = _("The sessions plan fewer class hours than the bureau asks for.")


class SessionsIncomplete(Refusal):
    code = "sessions_incomplete"
    title = _("Some sessions have no trainer or no venue yet.")


class TooFewAdmitted(Refusal):
    code = "too_few_admitted"
    title = _("Fewer people are admitted than a class needs.")


class LeadDaysMissing(Refusal):
    code = "lead_days_missing"
    title = _("The first session is nearer than the days that the bureau needs.")


def refuse_incomplete(training_class: TrainingClass, at: datetime) -> UUID | None:
    """Check everything that filing promises, and tell which policy version was used.

    :raises TooFewHours: if the sessions plan fewer hours than policy, or there are none
    :raises SessionsIncomplete: if a session lacks its trainer or its venue
    :raises TooFewAdmitted: if fewer people than the minimum size are admitted
    :raises LeadDaysMissing: if the first session is too near
    """
    policy = policies.governing(ClassRules, training_class.region_id, local_day(at))
    rules = policy.rules
    planned = training_class.sessions.planned().aggregate(
        sessions=Count("id"),
        minutes=Sum("planned_minutes", default=0),
        without_trainer=Count("id", filter=Q(trainer=None)),
        without_venue=Count("id", filter=Q(venue=None)),
        first=Min("starts_at"),
    )
    needed = rules.minimum_hours * MINUTES_PER_CLASS_HOUR
    if not planned["sessions"] or planned["minutes"] < needed:
        raise TooFewHours(planned_minutes=planned["minutes"], required_minutes=needed)
    if planned["without_trainer"] or planned["without_venue"]:
        raise SessionsIncomplete(
            sessions=planned["sessions"],
            without_trainer=planned["without_trainer"],
            without_venue=planned["without_venue"],
        )
    admitted = training_class.enrolments.filter(status=Enrolment.Status.ADMITTED).count()
    if admitted < rules.minimum_size:
        raise TooFewAdmitted(admitted=admitted, minimum_size=rules.minimum_size)
    first = local_day(planned["first"])
    if (first - local_day(at)).days < rules.filing_lead_days:
        raise LeadDaysMissing(first_session_on=first, lead_days=rules.filing_lead_days)
    return policy.policy_id


def freeze(training_class: TrainingClass, *, by: User, at: datetime) -> ClassFiling:
    """Write the admitted people down as the next version; needs the class to be locked."""
    admitted = training_class.enrolments.filter(status=Enrolment.Status.ADMITTED)
    roster = [
        {
            "enrolment_id": str(enrolment.pk),
            "person_id": str(enrolment.person_id),
            "name": enrolment.person.name,
            "id_number_masked": enrolment.person.id_number_masked,
        }
        for enrolment in admitted.select_related("person").order_by("person__name", "id")
    ]
    last = training_class.filings.aggregate(number=Max("number", default=0))["number"]
    return ClassFiling.objects.create(
        training_class=training_class,
        number=last + 1,
        roster=roster,
        sha256=digest(roster),
        filed_by=by,
        filed_at=at,
    )


def digest(roster: list[dict[str, Any]]) -> str:
    """Hash a roster as canonical JSON: sorted members, no spaces, UTF-8."""
    canonical = json.dumps(roster, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
