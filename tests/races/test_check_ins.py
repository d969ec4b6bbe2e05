"""Twenty phones at once: one effect, and one answer for all who asked the same."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from people import accounts
from people.models import JournalEntry, StoredAnswer, User
from tests import factories
from tests.contract import ContractClient, document
from training import totp
from training.models import AttendanceEvent, AttendanceRecord, ClassSession

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
TWINS = 20


@pytest.fixture
def session() -> ClassSession:
    running = factories.training_class("in_progress")
    return factories.session(running, timezone.now() - timedelta(minutes=5))


def token(user: User) -> str:
    device = accounts.Device("phone-1", "test", "test")
    return accounts._open(user, device, at=timezone.now()).access


def body(session: ClassSession, **given: Any) -> dict[str, Any]:
    step = totp.step_at(timezone.now(), 30)
    return {
        "kind": "in",
        "code": totp.code_of(session.secret, step),
        "captured_at": timezone.now().isoformat(),
        "device_id": "phone-1",
    } | given


def at_once(ask: Callable[[int], Any], times: int = TWINS) -> list[Any]:
    """Let as many threads ask in the same moment."""
    document(
        settings.ROOT_URLCONF
    )  # which every client holds its answers against; it is not made by threads
    gate = Barrier(times)

    def run(number: int) -> Any:
        try:
            gate.wait(timeout=30)
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def path(session: ClassSession) -> str:
    return f"/api/v1/sessions/{session.pk}/check-ins"


def test_twins_under_one_key_have_one_effect_and_one_answer(
    session: ClassSession, trainee: User
) -> None:
    factories.enrolment(session.training_class, trainee.person)
    access, sent, key = token(trainee), body(session), str(uuid.uuid4())

    answers = at_once(
        lambda _: ContractClient(token=access).post(path(session), sent, HTTP_IDEMPOTENCY_KEY=key)
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert AttendanceEvent.objects.count() == AttendanceRecord.objects.count() == 1
    assert StoredAnswer.objects.count() == 1
    assert JournalEntry.objects.filter(verb="attendance.check_in").count() == 1


def test_punches_of_one_person_under_many_keys_count_once(
    session: ClassSession, trainee: User
) -> None:
    factories.enrolment(session.training_class, trainee.person)
    access, sent = token(trainee), body(session)

    answers = at_once(lambda _: ContractClient(token=access).post(path(session), sent))

    codes = Counter(answer.json().get("code", "accepted") for answer in answers)
    assert codes == {"accepted": 1, "already_checked_in": TWINS - 1}
    # From ten on, refusals are kept only by those who did not see the others yet.
    assert 10 <= AttendanceEvent.objects.filter(verdict="refused").count() <= TWINS - 1
    assert AttendanceRecord.objects.count() == 1


def test_guesses_sent_at_once_count_one_after_the_other(
    session: ClassSession, trainee: User
) -> None:
    factories.enrolment(session.training_class, trainee.person)
    access = token(trainee)
    step = totp.step_at(timezone.now(), 30)
    near = {totp.code_of(session.secret, step + n) for n in range(-5, 20)}
    codes = [f"{n:06}" for n in range(200) if f"{n:06}" not in near]

    answers = [
        answer
        for _ in range(5)
        for answer in at_once(
            lambda _: ContractClient(token=access).post(
                path(session), body(session, code=codes.pop())
            )
        )
    ]

    told = [answer for answer in answers if answer.json()["code"] in {"wrong_code", "code_expired"}]
    assert len([one for one in told if "locked" not in one.json()["facts"]]) == 10
    assert {answer.json()["code"] for answer in answers} <= {
        "wrong_code",
        "code_expired",
        "in_progress",
    }
    assert AttendanceEvent.objects.filter(guess__isnull=False).count() == 10
    last = ContractClient(token=access).post(path(session), body(session))
    assert last.json()["facts"]["locked"] is True


def test_whole_class_checks_in_at_once(session: ClassSession) -> None:
    people = [factories.user(person=factories.person()) for _ in range(TWINS)]
    for one in people:
        factories.enrolment(session.training_class, one.person)
    access, sent = [token(one) for one in people], body(session)

    answers = at_once(lambda n: ContractClient(token=access[n]).post(path(session), sent))

    assert {answer.status_code for answer in answers} == {201}
    assert AttendanceRecord.objects.filter(status="present").count() == TWINS


def test_coming_and_leaving_at_once_lose_neither(session: ClassSession, trainee: User) -> None:
    """Both read the record before either writes it; the slower one has to read again."""
    factories.enrolment(session.training_class, trainee.person)
    access, kinds = token(trainee), ("in", "out")

    answers = at_once(
        lambda n: ContractClient(token=access).post(path(session), body(session, kind=kinds[n])),
        times=2,
    )

    assert {answer.status_code for answer in answers} == {201}
    record = AttendanceRecord.objects.get()
    assert record.in_at is not None
    assert record.out_at is not None
