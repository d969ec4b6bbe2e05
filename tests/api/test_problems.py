"""Whatever goes wrong has one shape, and what goes wrong inside is never an accident outside."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.utils.translation import override

from api import problems
from people.models import Region, User
from people.refusals import Refusal
from tests import factories
from tests.api.doors import DOOR, Plots
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
BREAK = f"{DOOR}/{factories.COUNTY}/break"


@pytest.fixture
def someone(as_: Callable[..., ContractClient]) -> ContractClient:
    factories.region()
    return as_(factories.user())


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied("secret"), 403, "forbidden"),
        (SuspiciousOperation("secret"), 400, "invalid"),
        (ValidationError("secret"), 400, "invalid"),
        (OverflowError("secret"), 400, "invalid"),
        (DataError("secret"), 400, "invalid"),
        (IntegrityError("secret"), 409, "conflict"),
        (OperationalError("secret"), 503, "unavailable"),
        (RuntimeError("secret"), 500, "server_error"),
        (RecursionError("secret"), 500, "server_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@pytest.mark.parametrize("debug", [False, True])
def test_what_breaks_inside_is_told_without_its_secrets(
    someone: ContractClient,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    debug: bool,
    fault: Exception,
    status: int,
    code: str,
) -> None:
    settings.DEBUG = debug
    monkeypatch.setattr(Plots, "fault", fault)

    response = someone.post(BREAK)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["retryable"] is (status in {500, 503})
    assert ("Retry-After" in response) is (status == 503)
    assert "secret" not in response.content.decode()


def test_a_refusal_tells_its_code_its_facts_and_a_sentence(someone: ContractClient) -> None:
    Region.objects.filter(code=factories.COUNTY).update(name="barren")

    body = someone.post(f"{DOOR}/{factories.COUNTY}/touch").json()

    assert body["code"] == "barren"
    assert body["facts"] == {"plot": factories.COUNTY}
    assert body["title"] == body["detail"] == "Nothing grows here."
    assert body["type"].endswith("/problems/barren")
    assert body["retryable"] is False


def test_a_collision_names_the_constraint(someone: ContractClient) -> None:
    bad_code = someone.post(DOOR, {"code": "twelve digit"})
    twice = someone.post(DOOR, {"code": factories.COUNTY})

    assert bad_code.status_code == twice.status_code == 409
    assert bad_code.json()["facts"] == {"constraint": "region_code_is_twelve_digits"}
    assert twice.json()["code"] == "conflict"


def test_id_that_names_another_row_is_told_as_such(
    as_: Callable[..., ContractClient], officer: User
) -> None:
    client, chosen = as_(officer), str(uuid4())

    def register(number: int) -> Any:
        said = {"id": chosen, "name": "测试单位", "region_id": factories.COUNTY}
        return client.post(
            "/api/v1/institutions", said | {"credit_code": factories.credit_code(number)}
        )

    first, second = register(900_001), register(900_002)

    assert (first.status_code, second.status_code) == (201, 409)
    assert (second.json()["code"], second.json()["facts"]) == ("id_taken", {"id": chosen})


def test_absent_and_out_of_sight_answer_the_same_bytes(
    someone: ContractClient, as_: Callable[..., ContractClient]
) -> None:
    others = as_(factories.user(), "other-phone")
    theirs = others.get("/api/v1/auth/sessions").json()["results"][0]["id"]
    absent = "0198c0de-0000-7000-8000-000000000000"

    def ask(row: str) -> tuple[int, dict[str, Any]]:
        response = someone.delete(f"/api/v1/auth/sessions/{row}")
        return response.status_code, {**response.json(), "request_id": ""}

    assert ask(theirs) == ask(absent)
    assert ask(absent)[0] == 404


@pytest.mark.parametrize("given", ["12345678", "phone-1-request", "A" * 36])
def test_the_request_keeps_the_name_it_came_with(someone: ContractClient, given: str) -> None:
    assert someone.get(DOOR, HTTP_X_REQUEST_ID=given)["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "a b c d e f", "x" * 37, "${jndi:ldap}", "é" * 9])
def test_a_name_that_is_none_gives_way_to_ours(someone: ContractClient, given: str) -> None:
    named = someone.get(DOOR, HTTP_X_REQUEST_ID=given)["X-Request-Id"]

    assert named != given
    assert len(named) == 36


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/v1/openapi.yaml"])
def test_the_documentation_is_for_everyone(client: Any, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "a b", "x" * 300])
def test_a_foreign_host_is_refused_in_the_one_shape(settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS, settings.DEBUG = ["qihang.example"], False

    # Nothing asks for the host on the way to a door; the redirect to TLS and absolute links would.
    response = ContractClient().get("/api/v1/regions", HTTP_HOST=host)

    assert response.status_code in {200, 400}
    if response.status_code == 400:
        assert json.loads(response.content)["code"] == "invalid"


def _all(kind: type[Refusal]) -> set[type[Refusal]]:
    found = {sub for direct in kind.__subclasses__() for sub in (direct, *_all(direct))}
    # A family of refusals has no code of its own.
    return {one for one in found if hasattr(one, "code")}


def test_every_refusal_has_a_code_of_its_own_and_a_sentence() -> None:
    found: dict[str, type[Refusal]] = {}
    for kind in _all(Refusal):
        if kind.__module__.startswith("tests."):
            continue
        other = found.setdefault(kind.code, kind)

        assert other is kind, f"{kind} and {other} share the code {kind.code}"
        with override("en"):
            assert str(kind.title).endswith("."), kind
        assert kind.code not in problems.CODES.values(), kind


def test_every_status_that_a_refusal_was_given_is_of_a_refusal_that_exists() -> None:
    codes = {kind.code for kind in _all(Refusal)}

    assert set(problems.STATUSES) <= codes
