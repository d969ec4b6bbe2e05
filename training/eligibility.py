"""Who may enrol in a class: every rule, its answer, and the fact that it used."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from people.days import local_day
from people.models import Person, User
from people.policies import EnrolmentRules, Governing, governing
from people.refusals import Refusal
from training import eligibility_rules
from training.eligibility_rules import Rule
from training.models import ClassSession, Enrolment, TrainingClass
from training.models.enrolments import HOLDING_A_SEAT, LIVE

S = Enrolment.Status


class EnrolmentClosed(Refusal):
    code = "enrolment_closed"
    title = _("The class takes no enrolments now.")


class PersonUnknown(Refusal):
    code = "person_unknown"
    title = _("Please register your name and ID number first.")


class PersonUnconfirmed(Refusal):
    code = "person_unconfirmed"
    title = _("Your registration waits for a confirmation by an institution or the bureau.")


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


def assess(
    training_class: TrainingClass, person: Person | None, *, at: datetime, is_waiting: bool = False
) -> Assessment:
    """Evaluate every rule of applying; seats are no rule, because one may always wait.

    ``is_waiting`` says that there is no person because a claim to be one is not confirmed yet.
    """
    policy = rules_for(training_class, at=at)
    rules = policy.rules
    history = history_of(person, training_class) if person else None
    return Assessment(
        [
            eligibility_rules.class_open(training_class, at),
            _person_unconfirmed() if is_waiting else _person_known(person),
            *eligibility_rules.ages(training_class, person, rules),
            *before_a_seat(training_class, history, rules, held=[*HOLDING_A_SEAT, S.COMPLETED]),
            eligibility_rules.not_already_enrolled(training_class, history),
        ],
        policy,
    )


def _person_known(person: Person | None) -> Rule:
    return eligibility_rules.rule(
        "person_known",
        passes=person is not None,
        holds=_("Your account is linked to your person on the register."),
        demands=_("Your account has to be linked to your person on the register."),
    )


def _person_unconfirmed() -> Rule:
    return Rule(PersonUnconfirmed.code, "fail", PersonUnconfirmed.title)


def require(rules: list[Rule], *, policy_id: UUID | None, by: User) -> None:
    """Refuse what failed, by the reason that can be helped least.

    :raises EnrolmentClosed: with the window
    :raises PersonUnknown: if the account has no person
    :raises PersonUnconfirmed: if it waits for one
    :raises AlreadyEnrolled: with the live enrolment
    :raises NotEligible: with the code of every rule that failed
    :raises OverlappingClass: with the time, and the class if the caller may see the enrolment
    """
    failed = {rule.code: rule for rule in rules if rule.result == "fail"}
    if rule := failed.get("class_open"):
        raise EnrolmentClosed(**rule.facts)
    if "person_known" in failed:
        raise PersonUnknown
    if "person_unconfirmed" in failed:
        raise PersonUnconfirmed
    if rule := failed.get("not_already_enrolled"):
        raise AlreadyEnrolled(**rule.facts)
    if failed.keys() - {"no_overlap"}:
        raise NotEligible(rules=sorted(failed), policy_id=policy_id and str(policy_id))
    if rule := failed.get("no_overlap"):
        raise OverlappingClass(**_seen_by(by, rule.facts))


def _seen_by(user: User, facts: dict[str, Any]) -> dict[str, Any]:
    """Keep the time only for somebody who may not know what else the person learns, and where."""
    if Enrolment.objects.visible_to(user).filter(pk=facts["enrolment_id"]).exists():
        return facts
    return {name: facts[name] for name in ("starts_at", "ends_at")}


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
        eligibility_rules.classes_per_year(training_class, others, rules),
        eligibility_rules.same_skill_once(training_class, others, rules),
        eligibility_rules.no_overlap(others),
    ]


def before_the_roster(
    training_class: TrainingClass, person: Person, history: list[Enrolment], rules: EnrolmentRules
) -> list[Rule]:
    """Evaluate what nobody's word replaces when an institution puts a person on its roster."""
    return [
        *eligibility_rules.ages(training_class, person, rules),
        *before_a_seat(training_class, history, rules, held=[S.ADMITTED, S.COMPLETED]),
    ]


def history_of(person: Person, training_class: TrainingClass) -> list[Enrolment]:
    """Read the person's live and completed enrolments, and where each meets this class."""
    return histories_of([person.pk], training_class)[person.pk]


def histories_of(
    person_ids: Collection[UUID], training_class: TrainingClass
) -> dict[UUID, list[Enrolment]]:
    """Read the live and completed enrolments of each, in one statement.

    ``clashes_at`` and ``clashes_until`` bound the first session at the same time as one of this
    class.
    """
    planned = ClassSession.objects.planned()
    here = planned.filter(
        training_class=training_class.pk,
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    clash = planned.filter(Exists(here), training_class=OuterRef("training_class"))
    first = clash.order_by("starts_at", "id")
    rows = (
        Enrolment.objects.filter(person__in=person_ids, status__in=[*LIVE, S.COMPLETED])
        .select_related("training_class__programme")
        .annotate(
            clashes_at=Subquery(first.values("starts_at")[:1]),
            clashes_until=Subquery(first.values("ends_at")[:1]),
        )
        .order_by("id")
    )
    histories: dict[UUID, list[Enrolment]] = {person_id: [] for person_id in person_ids}
    for row in rows:
        histories[row.person_id].append(row)
    return histories
