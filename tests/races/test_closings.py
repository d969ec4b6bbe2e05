"""A class is closed once, however many try, and no result slips in beside it."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from people.refusals import WrongStatus
from tests import factories
from training import closings, exams
from training.models import Certificate, Exam, FollowUpTask, TrainingClass


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_of_eight_closes_the_class():
    over = factories.over_class(5)
    exam = factories.exam(over)
    enrolments = list(over.enrolments.all())
    for enrolment in enrolments:
        factories.result(exam, enrolment)
    marks = [exams.Mark(enrolment.pk, Decimal(10)) for enrolment in enrolments]

    def act(number: int) -> str:
        mine = TrainingClass.objects.get(pk=over.pk)
        try:
            if number % 2:
                closings.close(mine, by=over.created_by, at=timezone.now())
                return "closed"
            at = timezone.now()
            exams.record_results(Exam.objects.get(), marks, by=over.created_by, at=at)
        except WrongStatus:
            return "refused"
        finally:
            connection.close()
        return "failed everybody"

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(act, range(16)))

    assert done.count("closed") == 1
    # Whichever came first: nobody has a certificate beside a failed result.
    completed = over.enrolments.filter(status="completed")
    assert Certificate.objects.count() == completed.count()
    assert FollowUpTask.objects.count() == 6 * completed.count()
    assert not completed.exclude(exam_results__outcome="passed").exists()
