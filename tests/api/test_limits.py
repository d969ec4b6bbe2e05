"""How often one may ask is told on every answer, before it hurts."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.contract import ContractClient

pytestmark = pytest.mark.django_db
REGIONS = "/api/v1/regions"


@pytest.fixture(autouse=True)
def _few(settings: Any) -> None:
    settings.REQUESTS_A_MINUTE = {"user": 5, "anonymous": 3}


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.limits.time.time", lambda: 1_800_000_010)


def test_what_is_left_counts_down() -> None:
    client = ContractClient()

    told = [client.get(REGIONS)["RateLimit"] for _ in range(3)]

    assert told == [f'"anonymous";r={left};t=50' for left in (2, 1, 0)]
    assert client.get(REGIONS)["RateLimit-Policy"] == '"anonymous";q=3;w=60'


def test_too_many_are_refused_and_told_how_long_to_wait() -> None:
    client = ContractClient()
    for _ in range(3):
        client.get(REGIONS)

    response = client.get(REGIONS)

    assert response.status_code == 429
    assert response.json()["retryable"] is True
    assert 50 <= int(response["Retry-After"]) <= 51
    assert response["RateLimit"] == '"anonymous";r=0;t=50'


def test_an_account_has_its_own_limit(as_: Callable[..., ContractClient]) -> None:
    one, other = as_(factories.user()), as_(factories.user())
    for _ in range(5):
        one.get(REGIONS)

    assert one.get(REGIONS).status_code == 429
    assert other.get(REGIONS).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/auth/sessions", "/api/v1/regions?x=1"])
def test_the_refused_are_counted_too(path: str) -> None:
    client = ContractClient()

    statuses = [client.get(path).status_code for _ in range(4)]

    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]


def test_the_forwarded_address_counts_only_behind_our_own_proxies(settings: Any) -> None:
    client = ContractClient()

    def ask(address: str) -> str:
        return str(client.get(REGIONS, HTTP_X_FORWARDED_FOR=address)["RateLimit"])

    spoofed = [ask("203.0.113.1"), ask("203.0.113.2")]
    settings.TRUSTED_PROXIES = 1
    behind = [ask("203.0.113.1"), ask("203.0.113.7, 203.0.113.2")]

    assert [re.findall(r"r=(\d)", told) for told in spoofed] == [["2"], ["1"]]
    assert [re.findall(r"r=(\d)", told) for told in behind] == [["2"], ["2"]]


def test_guessing_tokens_is_slowed_down(as_: Callable[..., ContractClient]) -> None:
    someone = as_(factories.user())

    statuses = [
        ContractClient(token=f"guess-{number}").get(REGIONS).status_code for number in range(5)
    ]

    assert statuses == [401, 401, 401, 429, 429]
    assert someone.get(REGIONS).status_code == 200
