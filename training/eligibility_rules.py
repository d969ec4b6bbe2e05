"""The single rules of enrolling: what each looks at, and the sentence that says what it found."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people.days import local_day, local_time
from people.models import Person
from people.policies import EnrolmentRules
from training.models import Enrolment, TrainingClass
from training.models.enrolments import LIVE

Result = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class Rule:
    """One rule: whether it holds, the fact it looked at, and a sentence that says so.

    Until it passes, the sentence is what the rule demands.
    """

    code: str
    result: Result
    message: str | Promise
    facts: dict[str, Any] = field(default_factory=dict)


def rule(
    code: str,
    *,
    passes: bool | None,
    holds: str | Promise,
    demands: str | Promise,
    facts: dict[str, Any] | None = None,
) -> Rule:
    results: dict[bool | None, Result] = {None: "unknown", True: "pass", False: "fail"}
    return Rule(code, results[passes], holds if passes else demands, facts or {})


def class_open(training_class: TrainingClass, at: datetime) -> Rule:
    is_open = training_class.status == TrainingClass.Status.ENROLLING
    facts = {
        "status": training_class.status,
        "enrolment_opens_on": str(training_class.enrolment_opens_on),
        "enrolment_closes_on": str(training_class.enrolment_closes_on),
    }
    return rule(
        "class_open",
        passes=is_open and training_class.enrols_on(local_day(at)),
        holds=_(
            "The class takes enrolments from %(enrolment_opens_on)s to %(enrolment_closes_on)s."
        )
        % facts,
        demands=_(
            "The class takes no enrolments now, only while it is open to the public, from"
            " %(enrolment_opens_on)s to %(enrolment_closes_on)s."
        )
        % facts,
        facts=facts,
    )


def ages(training_class: TrainingClass, person: Person | None, rules: EnrolmentRules) -> list[Rule]:
    age = person.age_on(training_class.starts_on) if person else None
    facts = {"age": age, "on": str(training_class.starts_on)}
    low, high = rules.minimum_age, rules.maximum_age
    return [
        rule(
            "minimum_age",
            passes=None if age is None else age >= low,
            holds=_("You are at least %(years)s years old on the first day.") % {"years": low},
            demands=_("One has to be at least %(years)s years old on the first day.")
            % {"years": low},
            facts={**facts, "minimum_age": low},
        ),
        rule(
            "maximum_age",
            passes=None if age is None else age <= high,
            holds=_("You are at most %(years)s years old on the first day.") % {"years": high},
            demands=_("One may be at most %(years)s years old on the first day.") % {"years": high},
            facts={**facts, "maximum_age": high},
        ),
    ]


def classes_per_year(
    training_class: TrainingClass, others: list[Enrolment] | None, rules: EnrolmentRules
) -> Rule:
    year, limit = training_class.starts_on.year, rules.classes_per_year
    count = None
    if others is not None:
        count = sum(row.training_class.starts_on.year == year for row in others)
    return rule(
        "classes_per_year",
        passes=None if count is None else count < limit,
        holds=_("You have not used up the %(limit)s classes of that calendar year.")
        % {"limit": limit},
        demands=_("At most %(limit)s classes may begin in one calendar year.") % {"limit": limit},
        facts={"year": year, "classes": count, "classes_per_year": limit},
    )


def same_skill_once(
    training_class: TrainingClass, others: list[Enrolment] | None, rules: EnrolmentRules
) -> Rule:
    programme = training_class.programme
    same = [
        row
        for row in others or []
        if row.training_class.programme.occupation_id == programme.occupation_id
        and row.training_class.programme.level == programme.level
    ]
    passes = None if others is None else not same
    return rule(
        "same_skill_once",
        passes=passes if rules.same_skill_once else True,
        holds=_("You may learn this occupation and level."),
        demands=_("The same occupation and level can be learnt once."),
        facts=_naming(same[0]) if same else {},
    )


def no_overlap(others: list[Enrolment] | None) -> Rule:
    # The columns are annotated by histories_of, as no model knows.
    rows: list[Any] = [*(others or [])]
    clashing = next((row for row in rows if row.clashes_at), None)
    facts = {}
    if clashing:
        facts = {
            **_naming(clashing),
            "starts_at": local_time(clashing.clashes_at),
            "ends_at": local_time(clashing.clashes_until),
        }
    return rule(
        "no_overlap",
        passes=None if others is None else clashing is None,
        holds=_("No session is at the same time as one of another class of yours."),
        demands=_("No session may be at the same time as one of another class of yours."),
        facts=facts,
    )


def not_already_enrolled(training_class: TrainingClass, history: list[Enrolment] | None) -> Rule:
    here = [row for row in history or [] if row.training_class_id == training_class.pk]
    live = next((row for row in here if row.status in LIVE), None)
    return rule(
        "not_already_enrolled",
        passes=None if history is None else live is None,
        holds=_("You are not enrolled in this class yet."),
        demands=_("One can be enrolled in a class only once."),
        facts={"enrolment_id": str(live.pk), "status": live.status} if live else {},
    )


def _naming(row: Enrolment) -> dict[str, Any]:
    return {
        "enrolment_id": str(row.pk),
        "class_id": str(row.training_class_id),
        "class_name": row.training_class.name,
    }
