"""Following up: the life of a checkpoint's task, from its window to a verified answer.

What was learnt is ``training/observations.py``; who is taken out is ``training/exclusions.py``.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from people import journal, notices, policies
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import Policy, User
from people.refusals import Refusal
from training.models import ContactAttempt, Enrolment, FollowUpTask

(
    SCHEDULED,
    OPEN,
    IN_CONTACT,
    OBSERVED,
    VERIFIED,
    CLOSED,
    UNREACHABLE,
    REFUSED,
    EXCLUDED,
    MISSED,
) = FollowUpTask.Status

LIFECYCLE = Lifecycle(
    open=([SCHEDULED], OPEN),
    contact=([OPEN, IN_CONTACT], IN_CONTACT),
    observe=([OPEN, IN_CONTACT, OBSERVED], OBSERVED),
    verify=([OBSERVED], VERIFIED),
    close=([VERIFIED], CLOSED),
    mark_unreachable=([OPEN, IN_CONTACT], UNREACHABLE),
    refuse=([OPEN, IN_CONTACT], REFUSED),
    exclude=([SCHEDULED, OPEN, IN_CONTACT, OBSERVED], EXCLUDED),
    miss=([OPEN], MISSED),
    reopen=([CLOSED, UNREACHABLE, REFUSED, EXCLUDED, MISSED], OPEN),
)

REACHED = ContactAttempt.Result.REACHED
DECLINED = ContactAttempt.Result.REFUSED
# Somebody who lives or works nearby was asked, not only a number dialled.
LOCAL_CHANNELS = {
    ContactAttempt.Channel.HOME_VISIT,
    ContactAttempt.Channel.COMMUNITY,
    ContactAttempt.Channel.EMPLOYER,
    ContactAttempt.Channel.FAMILY,
}
SWEEP = 500


class WindowNotOpen(Refusal):
    code = "window_not_open"
    title = _("This checkpoint's window is not open.")


class StillReachable(Refusal):
    code = "still_reachable"
    title = _("Nobody is unreachable before the contact rule is exhausted.")


class NoContactRecord(Refusal):
    code = "no_contact_record"
    title = _("A refusal to answer needs a contact on record in which it was given.")


@transaction.atomic
def plan(enrolments: Sequence[Enrolment], *, by: User, at: datetime) -> list[FollowUpTask]:
    """Plan one task per checkpoint for people who completed one class on this local day.

    The checkpoints are those in force on the day; a later protocol rewrites nothing.
    """
    if not enrolments:
        return []
    anchor = local_day(at)
    region_id = enrolments[0].training_class.region_id
    governing = policies.governing(policies.FollowUpRules, region_id, anchor)
    tasks = FollowUpTask.objects.bulk_create(
        _task(enrolment, checkpoint, anchor, governing)
        for enrolment in enrolments
        for checkpoint in governing.rules.checkpoints
    )
    journal.record_all("followuptask.plan", tasks, by=by, at=at)
    due = FollowUpTask.objects.filter(enrolment__in=enrolments, window_opens_on__lte=anchor)
    _open(due, at=at)
    return tasks


def _task(
    enrolment: Enrolment,
    checkpoint: policies.Checkpoint,
    anchor: date,
    governing: policies.Governing[policies.FollowUpRules],
) -> FollowUpTask:
    due_on = anchor + timedelta(days=checkpoint.offset_days)
    return FollowUpTask(
        enrolment=enrolment,
        checkpoint=checkpoint.code,
        required_grade=checkpoint.required_grade,
        due_on=due_on,
        window_opens_on=due_on - timedelta(days=checkpoint.days_before),
        window_closes_on=due_on + timedelta(days=checkpoint.days_after),
        policy_id=governing.policy_id,
    )


def _open(due: "QuerySet[FollowUpTask]", *, at: datetime) -> list[FollowUpTask]:
    opened = LIFECYCLE.move_all(
        due.select_related("enrolment__training_class"), "open", by=None, at=at
    )
    told = ((task.enrolment.person_id, task) for task in opened)
    notices.tell_each(told, "follow_up_open", at=at)
    return opened


def keep_time(*, at: datetime) -> dict[str, int]:
    """Open the tasks whose window has opened; miss those whose window closed without an attempt.

    Safe to repeat. A task that nobody tried to work on is an officer's failure and shown as such;
    one that was taken up again stays with whoever took it up.
    """
    today = local_day(at)
    waiting = FollowUpTask.objects.filter(status=SCHEDULED, window_opens_on__lte=today)
    neglected = FollowUpTask.objects.filter(
        status=OPEN, window_closes_on__lt=today, reopened_at=None, attempts=None
    )
    counts = {"opened": 0, "missed": 0}
    for keys in _batches(waiting):
        with transaction.atomic():
            counts["opened"] += len(_open(FollowUpTask.objects.filter(pk__in=keys), at=at))
    for keys in _batches(neglected):
        with transaction.atomic():
            counts["missed"] += len(_miss(keys, at=at))
    return counts


def _batches(tasks: "QuerySet[FollowUpTask]") -> Iterator[list[UUID]]:
    """Walk up the keys, so that a task which stays as it is cannot hold the walk up."""
    keys = list(tasks.order_by("pk").values_list("pk", flat=True)[:SWEEP])
    while keys:
        yield keys
        beyond = tasks.filter(pk__gt=keys[-1])
        keys = list(beyond.order_by("pk").values_list("pk", flat=True)[:SWEEP])


def _miss(keys: list[UUID], *, at: datetime) -> list[FollowUpTask]:
    # The attempts are looked at under the lock: one may have been written since the keys were read.
    locked = FollowUpTask.objects.filter(pk__in=keys).select_for_update().order_by("pk")
    held = [task.pk for task in locked]
    tried = ContactAttempt.objects.filter(task__in=held).values_list("task_id", flat=True)
    untouched = FollowUpTask.objects.filter(pk__in=set(held) - set(tried))
    return LIFECYCLE.move_all(
        untouched.select_related("enrolment__training_class"), "miss", by=None, at=at
    )


def open_if_due(task: FollowUpTask, *, at: datetime) -> FollowUpTask:
    """Lock the task, opening it if the clock has not come by yet since its window opened.

    :raises WindowNotOpen: if the window lies ahead
    """
    task.refresh_from_db(from_queryset=FollowUpTask.objects.select_for_update())
    if task.status == SCHEDULED:
        if local_day(at) < task.window_opens_on:
            raise WindowNotOpen(**window(task))
        LIFECYCLE.move(task, "open", by=None, at=at)
    return task


def speaks_for_institution(task: FollowUpTask, by: User) -> bool:
    """Tell whether the caller belongs to the institution, whatever else they are elsewhere."""
    return task.enrolment.training_class.institution_id in by.organisation_ids()


def window(task: FollowUpTask) -> dict[str, str]:
    """Write the task's window as facts."""
    return {
        "window_opens_on": str(task.window_opens_on),
        "window_closes_on": str(task.window_closes_on),
    }


@transaction.atomic
def attempt(
    task: FollowUpTask, *, channel: str, result: str, note: str = "", by: User, at: datetime
) -> ContactAttempt:
    """Log one try to reach the person; being reached or turned down moves the task.

    Not on the word of the institution that somebody declined: its bad outcomes would go silent.

    :raises WindowNotOpen: before the window opens
    :raises WrongStatus: if the task is not open
    """
    open_if_due(task, at=at)
    LIFECYCLE.lock(task, "contact")
    logged = ContactAttempt.objects.create(
        task=task, channel=channel, result=result, note=note, by=by, at=at
    )
    journal.record("followuptask.attempt", task, by=by, at=at, channel=channel, result=result)
    if result == REACHED:
        LIFECYCLE.move(task, "contact", by=by, at=at)
    elif result == DECLINED and not speaks_for_institution(task, by):
        LIFECYCLE.move(task, "refuse", by=by, at=at)
    return logged


@transaction.atomic
def mark_unreachable(task: FollowUpTask, *, by: User, at: datetime) -> FollowUpTask:
    """Give up on reaching the person: only by the contact rule of the task's protocol.

    :raises StillReachable: with what was done and what the rule asks for
    """
    LIFECYCLE.lock(task, "mark_unreachable")
    rules = _rules(task)
    tries = list(ContactAttempt.objects.filter(task=task))
    done = {
        "attempts": len(tries),
        "channels": len({each.channel for each in tries}),
        "dates": len({local_day(each.at) for each in tries}),
    }
    needed = {
        "attempts": rules.attempts_before_unreachable,
        "channels": rules.channels_before_unreachable,
        "dates": rules.dates_before_unreachable,
    }
    asked_locally = any(each.channel in LOCAL_CHANNELS for each in tries)
    window_over = local_day(at) > task.window_closes_on
    exhausted = all(done[name] >= needed[name] for name in needed)
    if not (exhausted and asked_locally and window_over):
        raise StillReachable(
            done=done,
            needed=needed,
            local_check=asked_locally,
            window_closes_on=str(task.window_closes_on),
        )
    return LIFECYCLE.move(task, "mark_unreachable", by=by, at=at)


def _rules(task: FollowUpTask) -> policies.FollowUpRules:
    if task.policy_id is None:
        return policies.FollowUpRules()
    values = Policy.objects.get(pk=task.policy_id).values
    return policies.parse(policies.FollowUpRules, values)


@transaction.atomic
def refuse(task: FollowUpTask, *, by: User, at: datetime) -> FollowUpTask:
    """Note that the person does not want to answer.

    :raises NoContactRecord: unless somebody spoke with them
    """
    LIFECYCLE.lock(task, "refuse")
    if not task.attempts.filter(result__in=[REACHED, DECLINED]).exists():
        raise NoContactRecord
    return LIFECYCLE.move(task, "refuse", by=by, at=at)


@transaction.atomic
def close(task: FollowUpTask, *, by: User, at: datetime) -> FollowUpTask:
    """Put a verified task away."""
    return LIFECYCLE.move(task, "close", by=by, at=at)


@transaction.atomic
def reopen(task: FollowUpTask, *, reason: str, by: User | None, at: datetime) -> FollowUpTask:
    """Take it up again: new evidence, an appeal, a message from somebody thought lost."""
    return LIFECYCLE.move(
        task,
        "reopen",
        by=by,
        at=at,
        closed_reason=reason,
        reopened_at=at,
        exclusion_code="",
        exclusion_document=None,
        exclusion_proposed_by=None,
        exclusion_approved_by=None,
    )
