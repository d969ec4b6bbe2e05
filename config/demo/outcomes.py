"""What came of it: answers of trainees, attempts of officers, and jobs."""

from datetime import datetime, timedelta
from decimal import Decimal

from config.demo.cast import Side
from people import employment
from people.days import local_day
from people.models import EmploymentSpell, User
from training import certificates, follow_ups, observations
from training.models import Certificate, ContactAttempt, FollowUpTask, OutcomeObservation

Form = EmploymentSpell.Form
FORMS = (Form.UNIT_CONTRACT, Form.FLEXIBLE, Form.SELF_EMPLOYED, Form.PLATFORM_WORK)
Situation = OutcomeObservation.Situation


def load(side: Side, at: datetime) -> None:
    """Let the past happen: windows opened, two of three answered, some calls went unanswered."""
    tasks = (
        FollowUpTask.objects.filter(
            enrolment__training_class__institution=side.institution,
            window_opens_on__lte=local_day(at),
        )
        .exclude(enrolment__person__user=side.trainee)
        .select_related("enrolment__training_class", "enrolment__person__user")
        .order_by("due_on", "enrolment_id")
    )
    for number, task in enumerate(tasks):
        # On the due day if that has passed, else today.
        day_behind = max((local_day(at) - task.due_on).days, 0)
        then = at - timedelta(days=day_behind)
        if number % 3 == 0:
            follow_ups.attempt(
                task,
                channel=ContactAttempt.Channel.PHONE,
                result=ContactAttempt.Result.NO_ANSWER,
                note="",
                by=side.officer,
                at=then,
            )
        else:
            answer(task, number, then)
    follow_ups.keep_time(at=at)
    _withdraw_certificates(side, at)


def _withdraw_certificates(side: Side, at: datetime) -> None:
    """Revoke one certificate and replace another, so that the public page has all to show."""
    oldest = Certificate.objects.filter(
        enrolment__training_class__institution=side.institution
    ).order_by("issued_on", "serial")
    revoked, replaced = oldest[:2]
    certificates.revoke(revoked, reason="培训记录不实", by=side.officer, at=at)
    certificates.replace(replaced, reason="姓名更正", by=side.officer, at=at)


def answer(task: FollowUpTask, number: int, at: datetime) -> None:
    """Let the trainee answer from the phone."""
    user: User = task.enrolment.person.user
    works = number % 4 != 1
    job = employment.Job(
        employer_name="样例汽车零部件有限公司",
        form=FORMS[number % len(FORMS)],
        starts_on=task.due_on - timedelta(days=5),
        monthly_wage=Decimal(3600 + 100 * (number % 15)),
    )
    observations.answer(
        task,
        observations.Finding(
            situation=Situation.EMPLOYED if works else Situation.SEEKING,
            job=job if works else None,
            satisfaction=4,
            help_wanted=not works,
        ),
        by=user,
        at=at,
    )
