"""Observations: what was learnt at a checkpoint, how well it is proven, and who may verify it."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import employment, journal
from people.days import local_day
from people.models import StoredFile, User
from people.refusals import NotYours, Refusal
from training import follow_ups, independence
from training.follow_ups import LIFECYCLE, WindowNotOpen
from training.models import FollowUpTask, OutcomeObservation

Source = OutcomeObservation.Source
Situation = OutcomeObservation.Situation

PROVEN_BY_DOCUMENT = {Source.THIRD_PARTY, Source.REGISTRY}
# From this grade on, a verified observation also confirms the job that it names.
CONFIRMS_A_JOB = 2
SELF_REPORT = 1
# Whoever answers this has told nothing, and may still be asked.
SAYS_NOTHING = {Situation.UNKNOWN, Situation.REFUSED}


class DocumentRequired(Refusal):
    code = "document_required"
    title = _("Evidence of this kind needs its document.")


class AsOfImpossible(Refusal):
    code = "as_of_impossible"
    title = _("An observation is of a day between completion and today.")


class EvidenceTooWeak(Refusal):
    code = "evidence_too_weak"
    title = _("The evidence does not reach the grade that this checkpoint asks for.")


class OwnEvidence(Refusal):
    code = "own_evidence"
    title = _("Whoever entered the evidence does not verify it.")


@dataclass(frozen=True)
class Finding:
    """What somebody says of a person's situation; ``job`` when they work or are trainees."""

    situation: str
    job: employment.Job | None = None
    relation: str = OutcomeObservation.Relation.UNKNOWN
    help_wanted: bool = False
    satisfaction: int | None = None
    note: str = ""
    # Today, unless given.
    as_of: date | None = None
    # What the caller is to this person, unless given.
    source: str = ""
    document: StoredFile | None = None


@transaction.atomic
def answer(task: FollowUpTask, said: Finding, *, by: User, at: datetime) -> OutcomeObservation:
    """Take the person's own answer: a self-report, or E0 if it says nothing.

    The task is observed by what an answer says; one that says nothing can be answered again.

    :raises NotYours: if somebody else answers
    :raises WindowNotOpen: outside the checkpoint's window
    :raises WrongStatus: if the task is past answering
    """
    if not by.person_id or by.person_id != task.enrolment.person_id:
        raise NotYours
    follow_ups.open_if_due(task, at=at)
    today = local_day(at)
    if not task.window_opens_on <= today <= task.window_closes_on:
        raise WindowNotOpen(**follow_ups.window(task))
    if task.status == follow_ups.REFUSED:
        follow_ups.reopen(task, reason="", by=by, at=at)
    LIFECYCLE.lock(task, "observe")
    ended = said.job.ends_on if said.job else None
    observation = _store(task, said, Source.TRAINEE, as_of=ended or today, by=by, at=at)
    if said.situation not in SAYS_NOTHING:
        LIFECYCLE.move(task, "observe", by=by, at=at)
    elif task.status != follow_ups.OBSERVED:
        LIFECYCLE.move(task, "contact", by=by, at=at)
    return observation


@transaction.atomic
def observe(task: FollowUpTask, seen: Finding, *, by: User, at: datetime) -> OutcomeObservation:
    """Note what an officer or the institution learnt; the grade follows from the evidence.

    :raises NotYours: if the caller claims a source that is not theirs
    :raises WindowNotOpen: before the window opens
    :raises WrongStatus: if the task is past observing
    :raises DocumentRequired: if the source is a document and none is attached
    :raises AsOfImpossible: if the day lies before completion or ahead
    """
    source = _source(task, seen.source, by)
    if source in PROVEN_BY_DOCUMENT and seen.document is None:
        raise DocumentRequired(source=source)
    follow_ups.open_if_due(task, at=at)
    LIFECYCLE.lock(task, "observe")
    as_of = _checked_day(task, seen.as_of or local_day(at), today=local_day(at))
    observation = _store(task, seen, source, as_of=as_of, by=by, at=at)
    LIFECYCLE.move(task, "observe", by=by, at=at)
    return observation


def _source(task: FollowUpTask, claimed: str, by: User) -> str:
    if follow_ups.speaks_for_institution(task, by):
        allowed = [Source.INSTITUTION]
    else:
        allowed = [Source.OFFICER, Source.THIRD_PARTY, Source.REGISTRY]
    source = claimed or allowed[0]
    if source not in allowed:
        raise NotYours(allowed=[str(each) for each in allowed])
    return source


def _checked_day(task: FollowUpTask, day: date, *, today: date) -> date:
    completed_at = task.enrolment.ended_at
    earliest = local_day(completed_at) if completed_at else day
    if not earliest <= day <= today:
        raise AsOfImpossible(earliest=str(earliest), latest=str(today))
    return day


def _store(
    task: FollowUpTask, finding: Finding, source: str, *, as_of: date, by: User, at: datetime
) -> OutcomeObservation:
    spell = None
    if finding.job:
        spell = employment.find_or_report(task.enrolment.person, finding.job, by=by, at=at)
    observation = OutcomeObservation.objects.create(
        task=task,
        source=source,
        situation=finding.situation,
        as_of=as_of,
        spell=spell,
        relation=finding.relation,
        help_wanted=finding.help_wanted,
        satisfaction=finding.satisfaction,
        note=finding.note,
        document=finding.document,
        grade=_grade(task, finding, source),
        by=by,
        at=at,
    )
    journal.record(
        "outcomeobservation.store",
        observation,
        by=by,
        at=at,
        source=source,
        grade=observation.grade,
    )
    return observation


def _grade(task: FollowUpTask, finding: Finding, source: str) -> int:
    if source == Source.TRAINEE and finding.situation in SAYS_NOTHING:
        return 0
    return grade(
        source,
        has_document=finding.document is not None,
        in_contact=task.attempts.filter(result=follow_ups.REACHED).exists(),
    )


def grade(source: str, *, has_document: bool, in_contact: bool) -> int:
    """Compute the grade E0–E4 of evidence: it is never typed.

    An institution stays at E1 at most with its own trainees; without a document or a contact on
    record its word is an assertion, E0.
    """
    match source:
        case Source.REGISTRY:
            return 4
        case Source.THIRD_PARTY:
            return 3
        case Source.OFFICER:
            return 2 if has_document else SELF_REPORT
        case Source.TRAINEE:
            return SELF_REPORT
        case _:
            return SELF_REPORT if has_document or in_contact else 0


@transaction.atomic
def verify(task: FollowUpTask, *, by: User, at: datetime) -> FollowUpTask:
    """Stand up for the evidence as a second person, neither its author nor of the institution.

    Work has to be proven to the checkpoint's grade; for anything else the person's word will do.

    :raises OwnInstitution: if the caller belongs to the institution
    :raises EvidenceTooWeak: if nothing reaches the grade
    :raises OwnEvidence: if all that reaches it is the caller's own
    """
    LIFECYCLE.lock(task, "verify")
    independence.require(
        by, institution_id=task.enrolment.training_class.institution_id, asked_by_id=None
    )
    observations = list(task.observations.order_by("grade", "at", "id"))
    enough = [each for each in observations if each.grade >= _needed(task, each)]
    if not enough:
        raise EvidenceTooWeak(grade=observations[-1].grade, required_grade=task.required_grade)
    verifiable = [each for each in enough if each.by_id != by.pk]
    if not verifiable:
        raise OwnEvidence
    best = verifiable[-1]
    if best.spell and best.grade >= CONFIRMS_A_JOB:
        employment.confirm(best.spell, by=by, at=at)
    journal.record("outcomeobservation.verify", best, by=by, at=at)
    return LIFECYCLE.move(task, "verify", by=by, at=at)


def _needed(task: FollowUpTask, observation: OutcomeObservation) -> int:
    if observation.situation == Situation.EMPLOYED:
        return task.required_grade
    return min(task.required_grade, SELF_REPORT)
