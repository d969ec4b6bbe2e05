"""Roster imports: a spreadsheet becomes enrolments, in the background, wholly or not at all."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from django.db import transaction
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_tasks import TaskContext, task

from people import files, journal, sheets, storage
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import User
from people.persons import id_number_index
from people.refusals import Refusal, WrongStatus
from training import roster_admissions, roster_rows, seats
from training.models import RosterImport, TrainingClass
from training.roster_rows import Entry, Fault
from training.rosters import COLUMNS, REQUIRED

logger = logging.getLogger(__name__)

Status = RosterImport.Status
LIFECYCLE = Lifecycle(
    start=([Status.QUEUED], Status.RUNNING),
    finish=([Status.RUNNING], Status.DONE),
    refuse=([Status.RUNNING], Status.REFUSED),
    break_off=([Status.QUEUED, Status.RUNNING], Status.CRASHED),
)
FOLDER = "rosters"
READ_AT_ONCE = 200
# More of them in one sheet are not slips: somebody asks who is on the register.
MISMATCHES_ALLOWED = 20
# Nothing that is still alive takes so long.
GIVEN_UP_AFTER = timedelta(hours=1)


class BadRows(Refusal):
    code = "bad_rows"
    title = _("Some rows are bad, and nothing was to be imported then.")


class NoRows(Refusal):
    code = "no_rows"
    title = _("The spreadsheet has headers, and nobody below them.")


class TooManyMismatches(Refusal):
    code = "too_many_mismatches"
    title = _("Too many ID numbers are registered under other names.")


# Why a whole sheet can be refused, for the sentence beside the stored code.
REFUSALS: dict[str, str | Promise] = {
    refusal.code: refusal.title
    for refusal in (
        BadRows,
        NoRows,
        TooManyMismatches,
        WrongStatus,
        sheets.UnreadableSheet,
        sheets.SheetTooLarge,
        sheets.TooManyRows,
        sheets.HeadersNotFound,
        sheets.DuplicateHeader,
    )
}


@transaction.atomic
def request(
    training_class: TrainingClass,
    content: bytes,
    name: str,
    *,
    dry_run: bool,
    on_bad_rows: str,
    by: User,
    at: datetime,
) -> RosterImport:
    """Take a sheet in and queue the work on it; sheet, job and task commit together.

    :raises FileTooLarge: above 10 MiB
    :raises WrongStatus: if the class takes nobody any more
    """
    training_class = seats.lock_class(training_class.pk)
    roster_admissions.require_open(training_class)
    if len(content) > files.MAX_BYTES:
        raise files.FileTooLarge(bytes_allowed=files.MAX_BYTES)
    job = RosterImport.objects.create(
        training_class=training_class,
        dry_run=dry_run,
        on_bad_rows=on_bad_rows,
        file_name=name,
        path=storage.put(content, FOLDER),
        created_by=by,
        created_at=at,
    )
    journal.record("rosterimport.request", job, by=by, at=at, dry_run=dry_run)
    run_roster_import.enqueue(str(job.pk))
    return job


@task(takes_context=True)
def run_roster_import(context: TaskContext, import_id: str) -> None:
    """Work a queued import off (background task)."""
    job = RosterImport.objects.select_related("training_class", "created_by").get(pk=import_id)
    run(job, at=cast("datetime", context.task_result.started_at))


def run(job: RosterImport, *, at: datetime) -> RosterImport:
    """Read the sheet, then bring its people in; whatever happens, the sheet is not kept.

    Progress commits while reading; the outcome is one transaction with everything it brings.

    :raises WrongStatus: if the job is not waiting to be run
    """
    with transaction.atomic():
        LIFECYCLE.move(job, "start", by=job.created_by, at=at)
    try:
        _decide(job, _read(job, at=at), at=at)
    except Refusal as refusal:
        _refuse(job, refusal, at=at)
    except Exception:
        break_off(job, at=at)
        raise
    job.refresh_from_db()
    return job


@dataclass(slots=True)
class Reading:
    """What the rows of a sheet say."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # Rows of the class's own masked roster, come back as they went out.
    returned: int = 0


def _read(job: RosterImport, *, at: datetime) -> Reading:
    rows = list(
        sheets.read_table(
            storage.read(job.path),
            columns=COLUMNS,
            required=REQUIRED,
            numbers=roster_rows.NUMBERS,
        )
    )
    if not rows:
        raise NoRows
    _progress(job, rows_total=len(rows))
    reading = Reading()
    masked = _masked_roster(job)
    seen: set[str] = set()
    remaining = iter(rows)
    while chunk := list(islice(remaining, READ_AT_ONCE)):
        new = [row for row in chunk if not _is_on(masked, row)]
        reading.returned += len(chunk) - len(new)
        for found in _read_chunk(new, seen, at=at):
            if isinstance(found, Entry):
                reading.entries.append(found)
            else:
                reading.faults.extend(found)
        _progress(job, rows_read=job.rows_read + len(chunk))
    return reading


def _masked_roster(job: RosterImport) -> set[tuple[str, str]]:
    on_it = job.training_class.enrolments.live()
    shown = on_it.values_list("person__name", "person__id_number_masked")
    return {roster_rows.masked_identity(name, number) for name, number in shown}


def _is_on(masked: set[tuple[str, str]], row: sheets.Row) -> bool:
    return roster_rows.masked_identity(row["name"], row["id_number"]) in masked


def _read_chunk(
    chunk: list[sheets.Row], seen: set[str], *, at: datetime
) -> Iterator[Entry | list[Fault]]:
    for row in chunk:
        found = roster_rows.read(row, on=local_day(at))
        if isinstance(found, Entry):
            index = id_number_index(found.id_number)
            if index in seen:
                column = row.headers["id_number"][: roster_rows.MAX_HEADER]
                found = [Fault(row.number, column, "duplicate_in_sheet")]
            seen.add(index)
        yield found


def _progress(job: RosterImport, **numbers: int) -> None:
    for name, value in numbers.items():
        setattr(job, name, value)
    # Not by the instance: a job that was given up meanwhile must keep its status.
    RosterImport.objects.filter(pk=job.pk).update(**numbers)


def _decide(job: RosterImport, reading: Reading, *, at: datetime) -> None:
    for last in (False, False, True):
        try:
            return _settle(job, reading, at=at)
        except roster_admissions.OvertakenError:
            if last:
                raise
    return None


@transaction.atomic
def _settle(job: RosterImport, reading: Reading, *, at: datetime) -> None:
    """Plan, write and close the job in one transaction."""
    plan = roster_admissions.plan(job.training_class_id, reading.entries, at=at)
    unchanged = plan.unchanged + reading.returned
    by = job.created_by
    storage.discard([job.path])
    if plan.mismatches:
        # Dry runs too: whoever guesses wrote nothing either way.
        journal.record(
            "rosterimport.mismatch",
            job,
            by=by,
            at=at,
            count=plan.mismatches,
            unknown=plan.mismatches_of_strangers,
            dry_run=job.dry_run,
        )
    if plan.mismatches_of_strangers > MISMATCHES_ALLOWED:
        _close_refused(job, TooManyMismatches(allowed=MISMATCHES_ALLOWED), at=at)
        return
    bad = sorted([*reading.faults, *plan.faults], key=lambda fault: fault.row)
    report: dict[str, Any] = {
        "bad_rows": [fault.dump() for fault in bad],
        "bad_count": len({fault.row for fault in bad}),
        "remarks": [remark.dump() for remark in plan.remarks],
        "good_count": len(plan.newcomers) + unchanged,
        "unchanged_count": unchanged,
        "finished_at": Now(),
    }
    if bad and job.on_bad_rows == RosterImport.OnBadRows.NOTHING:
        report |= {"refusal_code": BadRows.code, "refusal_facts": {"rows": report["bad_count"]}}
        LIFECYCLE.move(job, "refuse", by=by, at=at, **report)
        return
    if not job.dry_run:
        roster_admissions.carry_out(plan, by=by, at=at)
    report["created_count"] = len(plan.newcomers)
    LIFECYCLE.move(job, "finish", by=by, at=at, **report)


@transaction.atomic
def _refuse(job: RosterImport, refusal: Refusal, *, at: datetime) -> None:
    storage.discard([job.path])
    _close_refused(job, refusal, at=at)


def _close_refused(job: RosterImport, refusal: Refusal, *, at: datetime) -> None:
    LIFECYCLE.move(
        job,
        "refuse",
        by=job.created_by,
        at=at,
        refusal_code=refusal.code,
        refusal_facts=refusal.facts,
        finished_at=Now(),
    )


@transaction.atomic
def break_off(job: RosterImport, *, at: datetime) -> RosterImport:
    """Note that the work on a job ended without an outcome; nothing of it is written.

    :raises WrongStatus: if it has an outcome
    """
    storage.discard([job.path])
    return LIFECYCLE.move(job, "break_off", by=None, at=at, finished_at=Now())


@transaction.atomic
def give_up_stale(*, at: datetime) -> int:
    """Break off what a dead worker left behind for an hour; how many there were."""
    stale = RosterImport.objects.filter(
        status__in=[Status.QUEUED, Status.RUNNING], created_at__lt=at - GIVEN_UP_AFTER
    )
    jobs = list(stale.select_for_update().order_by("id")[:100])
    for job in jobs:
        break_off(job, at=at)
    return len(jobs)
