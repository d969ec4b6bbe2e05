"""Twenty phones at once: guesses are counted, and one refresh token has one successor."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from people import accounts
from people.models import SignInCode, User
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 20
HANDSET = accounts.Device("handset-1", "android", "Testphone")


def together(act: Callable[[int], Any], times: int = AT_ONCE) -> list[Any]:
    """Run the act in so many threads that start at one moment; collect answers and refusals."""
    barrier = Barrier(times)

    def run(number: int) -> Any:
        try:
            barrier.wait()
            return act(number)
        except accounts.Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_twenty_guesses_at_once_evaluate_at_most_five(monkeypatch):
    challenge = accounts.send_code("13812340001", address="192.0.2.1", at=timezone.now())
    evaluated = []
    compare = accounts.hmac.compare_digest

    def counting(stored, guessed):
        evaluated.append(guessed)
        return compare(stored, guessed)

    monkeypatch.setattr(accounts.hmac, "compare_digest", counting)

    answers = together(
        lambda number: accounts.sign_in_by_code(
            challenge.pk, f"{number:06}", HANDSET, at=timezone.now()
        )
    )

    assert len(answers) == AT_ONCE
    assert len(evaluated) == 5
    assert SignInCode.objects.get().tries == 5


def test_twenty_right_codes_at_once_open_one_session(monkeypatch):
    challenge = accounts.send_code("13900012345", address="192.0.2.1", at=timezone.now())
    # The five that are counted all hold the right code before any of them uses it up.
    right = Barrier(5)
    monkeypatch.setattr(accounts.hmac, "compare_digest", lambda *_: right.wait(20) is not None)

    answers = together(
        lambda _number: accounts.sign_in_by_code(challenge.pk, "000000", HANDSET, at=timezone.now())
    )

    assert sum(isinstance(answer, accounts.Tokens) for answer in answers) == 1
    assert User.objects.count() == 1


def test_twenty_requests_at_once_send_one_code():
    answers = together(
        lambda _number: accounts.send_code("13812340001", address="192.0.2.1", at=timezone.now())
    )

    assert sum(isinstance(answer, SignInCode) for answer in answers) == 1
    assert SignInCode.objects.count() == 1


def test_thirty_phones_at_once_get_twenty_codes_for_one_address():
    def ask(number):
        phone = f"1380000{number:04}"
        return accounts.send_code(phone, address="192.0.2.1", at=timezone.now())

    answers = together(ask, 30)

    assert sum(isinstance(answer, SignInCode) for answer in answers) == 20


def test_twenty_wrong_passwords_at_once_are_looked_at_ten_times(monkeypatch):
    factories.user("13812340001", password="right horse")
    looked_at = []

    def counting(_given, stored):
        looked_at.append(not stored.startswith("!"))
        return False

    monkeypatch.setattr(accounts, "check_password", counting)

    together(
        lambda _number: accounts.sign_in_by_password(
            "13812340001", "wrong", HANDSET, address="192.0.2.1", at=timezone.now()
        )
    )

    assert sum(looked_at) == 10


def test_twenty_refreshes_at_once_give_one_successor():
    user = factories.user()
    first = accounts._open(user, HANDSET, at=timezone.now())

    answers = together(lambda _number: accounts.refresh(first.refresh, at=timezone.now()))

    assert len({(answer.access, answer.refresh) for answer in answers}) == 1
    # One rotation, nineteen repetitions of it.
    assert len({answer.session.refreshed_at for answer in answers}) == 1
