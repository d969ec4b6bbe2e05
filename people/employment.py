"""Employment spells: reported by people, confirmed by evidence, ended by a date."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import EmploymentSpell, Organisation, Person, User
from people.refusals import IdTaken, Refusal, WrongStatus

REPORTED, CONFIRMED, VOID = (
    EmploymentSpell.Status.REPORTED,
    EmploymentSpell.Status.CONFIRMED,
    EmploymentSpell.Status.VOID,
)
LIFECYCLE = Lifecycle(confirm=([REPORTED, CONFIRMED], CONFIRMED))


class SpellDatesWrong(Refusal):
    code = "spell_dates_wrong"
    title = _("A job begins today or earlier, and ends after it begins.")


class SpellEnded(Refusal):
    code = "spell_ended"
    title = _("This job has ended already.")


class SpellExists(Refusal):
    code = "spell_exists"
    title = _("This job was reported before.")


@dataclass(frozen=True)
class Job:
    """What somebody says of a job; the wage is in yuan a month."""

    form: str
    employer_name: str
    starts_on: date
    ends_on: date | None = None
    employer_credit_code: str = ""
    job_title: str = ""
    monthly_wage: Decimal | None = None


@transaction.atomic
def report(
    person: Person,
    job: Job,
    *,
    by: User,
    at: datetime,
    id: UUID | None = None,  # noqa: A002
) -> EmploymentSpell:
    """Put a job on the person's record, unconfirmed; the employer is matched by its credit code.

    The same again under the same id is the row that is there, because a reply can be lost.

    :raises SpellDatesWrong: if it begins in the future, or ends in the future or before it begins
    :raises IdTaken: if another spell has the id
    :raises SpellExists: if the same job is on the record, naming it
    """
    _check_dates(job.starts_on, job.ends_on, today=local_day(at))
    # The person, not the spells: the same job reported twice at once must queue here.
    Person.objects.select_for_update().get(pk=person.pk)
    if id and (stored := EmploymentSpell.objects.filter(pk=id).first()):
        if stored.reported_by_id != by.pk or not _says_the_same(stored, person, job):
            raise IdTaken(id=str(id))
        return stored
    if same := _find_same(person, job):
        raise SpellExists(spell_id=str(same.pk))
    given = {"id": id} if id else {}
    spell = EmploymentSpell.objects.create(
        **given,
        person=person,
        employer=_employer(job),
        employer_name=job.employer_name,
        form=job.form,
        job_title=job.job_title,
        starts_on=job.starts_on,
        ends_on=job.ends_on,
        monthly_wage=job.monthly_wage,
        reported_by=by,
        created_at=at,
    )
    journal.record("employmentspell.report", spell, by=by, at=at)
    return spell


@transaction.atomic
def find_or_report(person: Person, job: Job, *, by: User, at: datetime) -> EmploymentSpell:
    """Link to the same job on the person's record, ending it if it ended, or report a new one.

    :raises SpellDatesWrong: if it begins in the future, or ends in the future or before it begins
    """
    Person.objects.select_for_update().get(pk=person.pk)
    same = _find_same(person, job)
    if same is None:
        return report(person, job, by=by, at=at)
    if job.ends_on and same.ends_on is None:
        end(same, ends_on=job.ends_on, by=by, at=at)
    return same


def _says_the_same(stored: EmploymentSpell, person: Person, job: Job) -> bool:
    return stored.person_id == person.pk and job == Job(
        form=stored.form,
        employer_name=stored.employer_name,
        starts_on=stored.starts_on,
        ends_on=stored.ends_on,
        # The code itself is not kept, only whom it named.
        employer_credit_code=job.employer_credit_code if stored.employer == _employer(job) else "-",
        job_title=stored.job_title,
        monthly_wage=stored.monthly_wage,
    )


def _find_same(person: Person, job: Job) -> EmploymentSpell | None:
    at_employer = Q(employer_name=job.employer_name)
    if employer := _employer(job):
        at_employer |= Q(employer=employer)
    running_or_same = Q(ends_on=None) | Q(starts_on=job.starts_on, ends_on=job.ends_on)
    return (
        EmploymentSpell.objects.filter(at_employer, running_or_same, person=person, form=job.form)
        .exclude(status=VOID)
        .order_by("-starts_on", "-id")
        .first()
    )


def _employer(job: Job) -> Organisation | None:
    if not job.employer_credit_code:
        return None
    return Organisation.objects.filter(credit_code=job.employer_credit_code).first()


def _check_dates(starts_on: date, ends_on: date | None, *, today: date) -> None:
    if starts_on > today or (ends_on and not starts_on <= ends_on <= today):
        raise SpellDatesWrong(
            starts_on=str(starts_on), ends_on=str(ends_on) if ends_on else None, today=str(today)
        )


@transaction.atomic
def end(spell: EmploymentSpell, *, ends_on: date, by: User, at: datetime) -> EmploymentSpell:
    """Note the last day of the job.

    :raises WrongStatus: if the spell is void
    :raises SpellEnded: if it has an end, naming it
    :raises SpellDatesWrong: if the end lies in the future or before the beginning
    """
    spell.refresh_from_db(from_queryset=EmploymentSpell.objects.select_for_update())
    if spell.status == VOID:
        raise WrongStatus(status=spell.status)
    if spell.ends_on:
        raise SpellEnded(ends_on=str(spell.ends_on))
    _check_dates(spell.starts_on, ends_on, today=local_day(at))
    spell.ends_on = ends_on
    spell.save(update_fields=["ends_on"])
    journal.record("employmentspell.end", spell, by=by, at=at, ends_on=str(ends_on))
    return spell


@transaction.atomic
def confirm(spell: EmploymentSpell, *, by: User, at: datetime) -> EmploymentSpell:
    """Confirm it on verified evidence; more evidence may confirm it again."""
    return LIFECYCLE.move(spell, "confirm", by=by, at=at)
