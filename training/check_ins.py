"""Checking in: a punch is judged, and kept whatever the verdict, with the record it leads to."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, models

from people import journal
from people.models import User
from people.refusals import IdTaken
from people.statements import Upsert, insert_together
from training import check_in_facts
from training.check_in_facts import Facts, Punch
from training.check_in_verdicts import OTHER_REFUSALS, judge
from training.check_in_verdicts import REFUSALS as REFUSALS
from training.check_in_verdicts import Judged as Judged
from training.models import AttendanceEvent

TRIES = 3


class Unseen(Exception):
    """The caller cannot see the session."""


class Answered(Exception):
    """The caller's key has its answer already."""


class Crowded(Exception):
    """Others kept writing between reading and writing; the punch can be sent again."""


Beside = Callable[[Judged], list[models.Model]]


def check_in(
    session_id: UUID,
    punch: Punch,
    *,
    device_id: str,
    key: UUID,
    by: User,
    at: datetime,
    beside: Beside = lambda judged: [],
) -> Judged:
    """Judge a punch and keep it, accepted or refused, in one statement after one that reads.

    ``device_id`` is the device that is signed in; ``beside`` makes rows that are to commit with
    the punch. Nothing is locked: whoever finds that another was faster reads again. What a code is
    worth is told only once its number in the line of guesses is stored, so that of many codes sent
    at once by one account no more count than one after the other would.

    :raises Unseen: if the caller cannot see the session
    :raises Answered: if the caller's key has an answer
    :raises IdTaken: if the id belongs to another punch
    :raises Crowded: if others were faster every time
    """
    for _attempt in range(TRIES):
        facts = check_in_facts.read(session_id, punch, by=by, key=key)
        if facts is None:
            raise Unseen
        if facts.is_answered:
            raise Answered
        if facts.is_known:
            judged = _twin(facts, punch, by=by)
            rows = []
        else:
            judged = judge(facts, punch, device_id=device_id, by=by, at=at)
            rows = _rows(facts, judged, by=by, at=at) if _is_kept(facts, judged) else []
        try:
            insert_together([*rows, *beside(judged)])
        except IntegrityError as error:
            collision = error
        else:
            return judged
    raise Crowded from collision


def _twin(facts: Facts, punch: Punch, *, by: User) -> Judged:
    event = AttendanceEvent.objects.get(pk=punch.id)
    if (event.session_id, event.by_id) != (facts.session.pk, by.pk):
        raise IdTaken(id=str(punch.id))
    return Judged(event, facts.record)


def _is_kept(facts: Facts, judged: Judged) -> bool:
    """Keep what was accepted and every wrong code; of other refusals, as many as are evidence."""
    event = judged.event
    is_looked_at = not event.reason or event.guess is not None
    return is_looked_at or facts.tally.otherwise_refused < OTHER_REFUSALS


def _rows(facts: Facts, judged: Judged, *, by: User, at: datetime) -> list[models.Model | Upsert]:
    event, record = judged.event, judged.record
    verb = "attendance.refuse" if event.reason else "attendance.check_in"
    told = {"kind": event.kind, "reason": event.reason, "flags": event.flags}
    entry = journal.entry(verb, event, by=by, at=at, session_id=str(event.session_id), **told)
    rows: list[models.Model | Upsert] = [event, entry]
    if record is not None and record is not facts.record:
        seen = facts.record.updated_at if facts.record else None
        rows.append(Upsert(record, ("enrolment", "session"), "updated_at", seen))
    return rows
