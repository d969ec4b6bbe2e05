"""Six classes want one room, or one teacher, at the same hour: one of them gets it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from people.refusals import Refusal
from tests import factories
from tests.factories import moment
from training import bookings, sessions
from training.models import ClassSession, TrainingClass

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 6


def book_together(wishes: list[tuple[TrainingClass, dict[str, Any]]]) -> list[Any]:
    """Let every class book the same hour at one moment; collect sessions and refusals."""
    barrier = Barrier(len(wishes))

    def book(wish: tuple[TrainingClass, dict[str, Any]]) -> Any:
        training_class, given = wish
        on = training_class.starts_on
        try:
            barrier.wait()
            return sessions.schedule(
                training_class,
                [(moment(on, "08:30"), moment(on, "11:30"))],
                **given,
                by=training_class.created_by,
                at=timezone.now(),
            )
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(book, wishes))


def test_of_racing_bookings_of_a_room_exactly_one_wins():
    institution = factories.institution()
    rivals = [factories.training_class(institution=institution) for _ in range(RIVALS)]
    room = factories.venue(institution)

    results = book_together(
        [(rival, {"venue": type(room).objects.get(pk=room.pk)}) for rival in rivals]
    )

    lost = [result for result in results if isinstance(result, bookings.BookingConflict)]
    assert len(lost) == RIVALS - 1, results
    assert ClassSession.objects.count() == 1


def test_of_racing_bookings_of_a_teacher_at_six_institutions_exactly_one_wins():
    teacher = factories.user()
    rivals = [factories.training_class() for _ in range(RIVALS)]

    results = book_together(
        [(rival, {"trainer": factories.trainer(rival.institution, teacher)}) for rival in rivals]
    )

    lost = [result for result in results if isinstance(result, bookings.BookingConflict)]
    assert len(lost) == RIVALS - 1, results
    assert ClassSession.objects.count() == 1
