"""The timekeeper: what time alone brings about."""

import os
import signal
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests import factories
from training.management.commands import keep_time

pytestmark = pytest.mark.django_db


def test_a_round_lets_offers_lapse():
    training_class = factories.training_class("enrolling", seats=1)
    over = factories.enrolment(
        training_class, status="offered", offer_expires_at=timezone.now() - timedelta(seconds=1)
    )
    waiting = factories.enrolment(training_class, status="waitlisted")

    call_command("keep_time", once=True)

    over.refresh_from_db()
    waiting.refresh_from_db()
    assert (over.status, waiting.status) == ("lapsed", "offered")


def test_a_duty_that_fails_is_logged_and_the_others_are_done(monkeypatch, caplog):
    done = []

    def broken(*, at):
        raise RuntimeError("样例")

    monkeypatch.setattr(
        keep_time, "DUTIES", {"broken": broken, "sound": lambda *, at: done.append(at)}
    )

    keep_time.make_round()
    keep_time.make_round()

    assert len(done) == 2
    assert "broken: this round failed" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_goes_round_until_it_is_told_to_end(monkeypatch, number):
    rounds = []
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def duty(*, at):
        rounds.append(at)
        if len(rounds) == 3:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(keep_time, "DUTIES", {"count": duty})
    monkeypatch.setattr(keep_time, "close_old_connections", lambda: None)
    try:
        call_command("keep_time", every=0.01)
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)

    assert len(rounds) == 3
