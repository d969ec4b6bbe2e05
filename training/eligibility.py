"""Who may enrol in a class: every rule, its answer, and the fact that it used."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people.days import local_day
from people.models import Person
from people.policies import EnrolmentRules, Governing, governing
from people.refusals import Refusal
from training.models import ClassSession, Enrolment, TrainingClass
from training.models.enrolments import HOLDING_A_SEAT, LIVE

Result = Literal["pass", "fail", "unknown"]
S = Enrolment.Status


class EnrolmentClosed(Refusal):
    code = "enrolment_closed"
    title = _("The class takes no enrolments now.")


class PersonUnknown(Refusal):
    code = "person_unknown"
    title = _("Please register your name and ID number first.")


class AlreadyEnrolled(Refusal):
    code = "already_enrolled"
    title = _("This person is enrolled in the class already.")


class NotEligible(Refusal):
    code = "not_eligible"
    title = _("The enrolment rules do not allow this.")


class OverlappingClass(Refusal):
    code = "overlapping_class"
    title = _("A session is at the same time as one of another class of this person.")


@dataclass(frozen=True)
class Rule:
    """One rule: what it demands, whether that holds, and the fact it looked at."""

    code: str
    result: Result
    message: str | Promise
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessment:
    """Every rule for one person and class, under one version of the policy."""

    rules: list[Rule]
    policy: Governing[EnrolmentRules]

    @property
    def eligible(self) -> bool | None:
        """Tell the sum: ``None`` if nothing failed but something is not known."""
        results = {rule.result for rule in self.rules}
        if "fail" in results:
            return False
        return None if "unknown" in results else True


def rules_for(training_class: TrainingClass, *, at: datetime) -> Governing[EnrolmentRules]:
    """Find the enrolment rules that govern the class at the moment."""
    return governing(EnrolmentRules, training_class.region_id, local_day(at))


def assess(training_class: TrainingClass, person: Person | None, *, at: datetime) -> Assessment:
    """Evaluate every rule of applying; seats are no rule, because one may always wait."""
    policy = rules_for(training_class, at=at)
    rules = policy.rules
    history = history_of(person, training_class) if person else None
    return Assessment(
        [
            _class_open(training_class, at),
            Rule(
                "person_known",
                _result(passes=person is not None),
                _("Your account has to be linked to your person on the register."),
            ),
            *_ages(training_class, person, rules),
            *before_a_seat(training_class, history, rules, held=[*HOLDING_A_SEAT, S.COMPLETED]),
            _not_already_enrolled(training_class, history),
        ],
        policy,
    )


def require(rules: list[Rule], *, policy_id: UUID | None) -> None:
    """Refuse what failed, by the reason that can be helped least.

    :raises EnrolmentClosed: with the window
    :raises PersonUnknown: if the account has no person
    :raises AlreadyEnrolled: with the live enrolment
    :raises NotEligible: with the code of every rule that failed
    :raises OverlappingClass: with the other class
    """
    failed = {rule.code: rule for rule in rules if rule.result == "fail"}
    if rule := failed.get("class_open"):
        raise EnrolmentClosed(**rule.facts)
    if "person_known" in failed:
        raise PersonUnknown
    if rule := failed.get("not_already_enrolled"):
        raise AlreadyEnrolled(**rule.facts)
    if failed.keys() - {"no_overlap"}:
        raise NotEligible(rules=sorted(failed), policy_id=policy_id and str(policy_id))
    if rule := failed.get("no_overlap"):
        raise OverlappingClass(**rule.facts)


def before_a_seat(
    training_class: TrainingClass,
    history: list[Enrolment] | None,
    rules: EnrolmentRules,
    *,
    held: Collection[str],
) -> list[Rule]:
    """Evaluate what may have changed between applying and taking the seat.

    ``held`` are the statuses of other classes that count; ``history`` is ``None`` if unknown.
    """
    others = None
    if history is not None:
        elsewhere = [row for row in history if row.training_class_id != training_class.pk]
        others = [row for row in elsewhere if row.status in held]
    return [
        _classes_per_year(training_class, others, rules),
        _same_skill_once(training_class, others, rules),
        _no_overlap(others),
    ]


def before_the_roster(
    training_class: TrainingClass, person: Person, history: list[Enrolment], rules: EnrolmentRules
) -> list[Rule]:
    """Evaluate what nobody's word replaces when an institution puts a person on its roster."""
    return [
        *_ages(training_class, person, rules),
        *before_a_seat(training_class, history, rules, held=[S.ADMITTED, S.COMPLETED]),
    ]


def history_of(person: Person, training_class: TrainingClass) -> list[Enrolment]:
    """Read the person's live and completed enrolments, and where each meets this class."""
    return histories_of([person.pk], training_class)[person.pk]


def histories_of(
    person_ids: Collection[UUID], training_class: TrainingClass
) -> dict[UUID, list[Enrolment]]:
    """Read the live and completed enrolments of each, in one statement.

    ``clashes_at`` is the start of the first session at the same time as one of this class.
    """
    planned = ClassSession.objects.planned()
    here = planned.filter(
        training_class=training_class.pk,
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    clash = planned.filter(Exists(here), training_class=OuterRef("training_class"))
    rows = (
        Enrolment.objects.filter(person__in=person_ids, status__in=[*LIVE, S.COMPLETED])
        .select_related("training_class__programme")
        .annotate(clashes_at=Subquery(clash.order_by("starts_at", "id").values("starts_at")[:1]))
        .order_by("id")
    )
    histories: dict[UUID, list[Enrolment]] = {person_id: [] for person_id in person_ids}
    for row in rows:
        histories[row.person_id].append(row)
    return histories


def _result(*, passes: bool | None) -> Result:
    if passes is None:
        return "unknown"
    return "pass" if passes else "fail"


def _class_open(training_class: TrainingClass, at: datetime) -> Rule:
    is_open = training_class.status == TrainingClass.Status.ENROLLING
    facts = {
        "status": training_class.status,
        "enrolment_opens_on": str(training_class.enrolment_opens_on),
        "enrolment_closes_on": str(training_class.enrolment_closes_on),
    }
    return Rule(
        "class_open",
        _result(passes=is_open and training_class.enrols_on(local_day(at))),
        _("The class takes enrolments from %(enrolment_opens_on)s to %(enrolment_closes_on)s.")
        % facts,
        facts,
    )


def _ages(
    training_class: TrainingClass, person: Person | None, rules: EnrolmentRules
) -> list[Rule]:
    age = person.age_on(training_class.starts_on) if person else None
    facts = {"age": age, "on": str(training_class.starts_on)}
    low, high = rules.minimum_age, rules.maximum_age
    return [
        Rule(
            "minimum_age",
            _result(passes=None if age is None else age >= low),
            _("One has to be at least %(years)s years old on the first day.") % {"years": low},
            {**facts, "minimum_age": low},
        ),
        Rule(
            "maximum_age",
            _result(passes=None if age is None else age <= high),
            _("One may be at most %(years)s years old on the first day.") % {"years": high},
            {**facts, "maximum_age": high},
        ),
    ]


def _classes_per_year(
    training_class: TrainingClass, others: list[Enrolment] | None, rules: EnrolmentRules
) -> Rule:
    year, limit = training_class.starts_on.year, rules.classes_per_year
    count = None
    if others is not None:
        count = sum(row.training_class.starts_on.year == year for row in others)
    return Rule(
        "classes_per_year",
        _result(passes=None if count is None else count < limit),
        _("At most %(limit)s classes may begin in one calendar year.") % {"limit": limit},
        {"year": year, "classes": count, "classes_per_year": limit},
    )


def _same_skill_once(
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
    return Rule(
        "same_skill_once",
        _result(passes=passes if rules.same_skill_once else True),
        _("The same occupation and level can be learnt once."),
        _naming(same[0]) if same else {},
    )


def _no_overlap(others: list[Enrolment] | None) -> Rule:
    clashing = next((row for row in others or [] if _clashes_at(row)), None)
    facts = {}
    if clashing:
        facts = {**_naming(clashing), "starts_at": _clashes_at(clashing).isoformat()}
    return Rule(
        "no_overlap",
        _result(passes=None if others is None else clashing is None),
        _("No session may be at the same time as one of another class of yours."),
        facts,
    )


def _not_already_enrolled(training_class: TrainingClass, history: list[Enrolment] | None) -> Rule:
    here = [row for row in history or [] if row.training_class_id == training_class.pk]
    live = next((row for row in here if row.status in LIVE), None)
    return Rule(
        "not_already_enrolled",
        _result(passes=None if history is None else live is None),
        _("One can be enrolled in a class only once."),
        {"enrolment_id": str(live.pk), "status": live.status} if live else {},
    )


def _clashes_at(row: Enrolment) -> Any:
    return row.clashes_at  # type: ignore[attr-defined]  # annotated by history_of


def _naming(row: Enrolment) -> dict[str, Any]:
    return {
        "enrolment_id": str(row.pk),
        "class_id": str(row.training_class_id),
        "class_name": row.training_class.name,
    }
