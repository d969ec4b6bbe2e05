"""A retried request is not a second one."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from people.models import Region, StoredAnswer, User
from tests import factories
from tests.api.doors import DOOR
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
PLOT = {"code": "000000000001", "name": "first"}


@pytest.fixture
def caller(db: None) -> User:
    return factories.user()


@pytest.fixture
def someone(as_: Callable[..., ContractClient], caller: User) -> ContractClient:
    return as_(caller)


def test_a_post_without_a_key_is_refused(someone: ContractClient) -> None:
    response = someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY="")

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert not Region.objects.filter(code=PLOT["code"]).exists()


@pytest.mark.parametrize(
    "given", ["x", "123", "{}", "0198c0de", "'0198c0de-0000-7000-8000-000000000001'"]
)
def test_a_key_that_is_no_uuid_is_refused(someone: ContractClient, given: str) -> None:
    assert someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=given).status_code == 400


def test_a_repetition_gets_the_same_bytes_and_has_no_effect(
    someone: ContractClient, key: Callable[[], str]
) -> None:
    same = key()
    first = someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)
    Region.objects.filter(code=PLOT["code"]).update(name="changed meanwhile")

    second = someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=f'"{same}"')

    assert (second.status_code, second.content) == (201, first.content)
    assert second["ETag"] == first["ETag"]
    assert second["Content-Type"] == first["Content-Type"]
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Region.objects.get(code=PLOT["code"]).name == "changed meanwhile"


def test_a_key_is_not_for_another_request(someone: ContractClient, key: Callable[[], str]) -> None:
    same = key()
    someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)

    other_body = someone.post(DOOR, {**PLOT, "name": "second"}, HTTP_IDEMPOTENCY_KEY=same)
    other_path = someone.post(f"{DOOR}/{PLOT['code']}/touch", PLOT, HTTP_IDEMPOTENCY_KEY=same)

    assert other_body.status_code == other_path.status_code == 422
    assert other_body.json()["code"] == "idempotency_key_reused"


def test_a_key_belongs_to_its_caller(
    someone: ContractClient, as_: Callable[..., ContractClient], key: Callable[[], str]
) -> None:
    same = key()
    someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)

    response = as_(factories.user()).post(
        DOOR, {**PLOT, "code": "000000000002"}, HTTP_IDEMPOTENCY_KEY=same
    )

    assert response.status_code == 201


def test_what_was_refused_may_be_corrected_under_the_same_key(
    someone: ContractClient, key: Callable[[], str]
) -> None:
    same = key()
    refused = someone.post(DOOR, {"name": "no code"}, HTTP_IDEMPOTENCY_KEY=same)

    corrected = someone.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)

    assert refused.status_code == 400
    assert corrected.status_code == 201
    assert StoredAnswer.objects.count() == 1


def test_a_refusal_of_the_rules_is_not_kept(
    someone: ContractClient, key: Callable[[], str]
) -> None:
    same, path = key(), f"{DOOR}/{PLOT['code']}/touch"
    someone.post(DOOR, {**PLOT, "name": "barren"})

    refused = someone.post(path, HTTP_IDEMPOTENCY_KEY=same)
    Region.objects.update(name="fertile")
    allowed = someone.post(path, HTTP_IDEMPOTENCY_KEY=same)

    assert (refused.status_code, refused.json()["code"]) == (409, "barren")
    assert allowed.status_code == 200


def test_a_failure_between_effect_and_answer_leaves_neither(
    someone: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(StoredAnswer, "save", fail)

    response = someone.post(DOOR, PLOT)

    assert response.status_code == 500
    assert not Region.objects.filter(code=PLOT["code"]).exists()
    assert not StoredAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_twins_at_once_have_one_effect(
    as_: Callable[..., ContractClient], key: Callable[[], str]
) -> None:
    client, same = as_(factories.user()), key()
    token = client._credentials

    def post(_: int) -> tuple[int, bytes]:
        twin = ContractClient()
        twin.credentials(**token)
        try:
            response = twin.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)
            return response.status_code, response.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))

    assert {status for status, _ in answers} <= {201, 409}
    assert len({content for status, content in answers if status == 201}) == 1
    assert Region.objects.filter(code=PLOT["code"]).count() == 1
    assert StoredAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_before_it_answers_leaves_nothing(
    as_: Callable[..., ContractClient], key: Callable[[], str]
) -> None:
    client, same = as_(factories.user()), key()
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()  # two processes on one socket would read each other's answers
    child = os.fork()
    if child == 0:
        StoredAnswer.save = lambda *_, **__: os._exit(7)  # type: ignore[method-assign]
        client.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)
        os._exit(1)

    _, status = os.waitpid(child, 0)
    again = client.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)

    assert os.waitstatus_to_exitcode(status) == 7
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets the twin wait instead")
@pytest.mark.django_db(transaction=True)
def test_a_twin_of_a_running_request_is_told_to_come_again(
    as_: Callable[..., ContractClient], key: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, same = as_(factories.user()), key()
    answers = []
    save = StoredAnswer.save

    def send_twin(stored: StoredAnswer, *args: Any, **kwargs: Any) -> None:
        def post() -> Any:
            twin = ContractClient()
            twin.credentials(**client._credentials)
            try:
                return twin.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            answers.append(pool.submit(post).result())
        save(stored, *args, **kwargs)

    monkeypatch.setattr(StoredAnswer, "save", send_twin)

    first = client.post(DOOR, PLOT, HTTP_IDEMPOTENCY_KEY=same)

    assert first.status_code == 201
    assert answers[0].status_code == 409
    assert answers[0].json()["code"] == "in_progress"
    assert answers[0].json()["retryable"] is True
    assert answers[0]["Retry-After"] == "2"


def test_the_answer_is_kept_with_its_day(someone: ContractClient) -> None:
    someone.post(DOOR, PLOT)

    assert timezone.now() - StoredAnswer.objects.get().created_at < timedelta(minutes=1)
