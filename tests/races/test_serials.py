"""Serials stay without a gap or a twin, however many classes close at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from tests.training.test_certificates import completed, numbers
from training import certificates
from training.models import SerialCounter

AT = datetime(2026, 12, 31, 17, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_thousand_serials_are_contiguous_under_eight_racing_threads(officer):
    classes = [completed(25) for _ in range(48)]

    def issue(number: int) -> None:
        try:
            with transaction.atomic():
                certificates.issue(classes[number], by=officer, at=AT)
                # Every sixth one fails after it took its numbers.
                transaction.set_rollback(number % 6 == 5)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(issue, range(48)))

    assert numbers() == list(range(1, 1001))
    assert SerialCounter.objects.get().last == 1000
