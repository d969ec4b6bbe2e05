"""Whatever may come over the wire gets a decent answer: never a crash, never an echo."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from api import rendering
from people.days import local_time
from tests import factories
from tests.api.doors import DOOR
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
PLOT = {"code": "000000000001", "name": "first"}
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "retryable"}


@pytest.fixture
def someone(as_: Callable[..., ContractClient]) -> ContractClient:
    factories.region()
    return as_(factories.user())


def send(client: ContractClient, body: str | bytes, kind: str = "application/json") -> Any:
    return client.generic(
        "POST",
        DOOR,
        body,
        content_type=kind,
        HTTP_IDEMPOTENCY_KEY="0198c0de-0000-7000-8000-000000000001",
    )


def assert_refused(response: Any, status: int) -> None:
    body = response.json()
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert set(body) >= MEMBERS
    assert body["status"] == status
    assert body["request_id"] == response["X-Request-Id"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"code": }',
        "nonsense",
        '{"code": NaN}',
        '{"code": Infinity}',
        '{"count": 1e400}',
        '{"count": -1e400}',
        '{"count": 1' + "0" * 400 + "}",
        '{"count": 1' + "0" * 5000 + "}",
        r'{"code": "\ud800"}',
        r'{"\udfff": 1}',
        r'{"code": "\u0000"}',
        r'{"\u0000": 1}',
        b'{"code": "\xff\xfe"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "\ufeff{}",
        "null",
        "[]",
        "7",
        '"text"',
        '[{"code": "000000000001"}]',
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_body_that_is_no_object_in_json_is_refused(
    someone: ContractClient, body: str | bytes
) -> None:
    assert_refused(send(someone, body), 400)


@pytest.mark.parametrize(("depth", "code"), [(19, "unknown_member"), (20, "malformed")])
def test_a_body_may_be_twenty_deep(someone: ContractClient, depth: int, code: str) -> None:
    response = send(someone, '{"code": "000000000001", "x": ' + "[" * depth + "]" * depth + "}")

    assert_refused(response, 400)
    assert response.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("sneaky", 1, "unknown_member"),
        ("a/b~c", 1, "unknown_member"),
        ("seen_at", "2026-03-02T08:30:00", "naive"),
        ("seen_at", "2026-02-30T08:30:00Z", "invalid"),
        ("seen_at", "9999-12-31T23:59:59-12:00", "overflow"),
        ("seen_at", "0001-01-01T00:00:00+14:00", "overflow"),
        ("seen_at", 7, "invalid"),
        ("seen_at", None, "null"),
        ("count", "many", "invalid"),
        ("count", 1.5, "invalid"),
        ("count", 10**18, "max_value"),
        ("count", -1, "min_value"),
        ("count", "9" * 2000, "max_string_length"),
        ("count", [], "invalid"),
        ("code", {}, "invalid"),
        ("code", True, "invalid"),
        ("code", "", "blank"),
        ("code", "   ", "blank"),
        ("code", "1" * 13, "max_length"),
        ("level", "galaxy<script>", "invalid_choice"),
    ],
)
def test_a_member_that_is_wrong_is_named(
    someone: ContractClient, member: str, value: Any, code: str
) -> None:
    response = someone.post(DOOR, {**PLOT, member: value})

    pointer = "#/" + member.replace("~", "~0").replace("/", "~1")
    assert_refused(response, 400)
    assert response.json()["errors"] == [
        {"pointer": pointer, "code": code, "detail": response.json()["errors"][0]["detail"]}
    ]
    assert "script" not in response.content.decode()


def test_at_most_a_hundred_errors_are_told(someone: ContractClient) -> None:
    response = someone.post(DOOR, {f"member{number}": 1 for number in range(500)})

    assert len(response.json()["errors"]) == 100


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=utf-8", 201),
        ("nonsense", 415),
        ("application/json; charset=", 201),
    ],
)
def test_bodies_are_json(someone: ContractClient, kind: str, status: int) -> None:
    assert send(someone, json.dumps(PLOT), kind).status_code == status


def test_a_verb_that_needs_no_body_takes_none(someone: ContractClient) -> None:
    path = f"{DOOR}/{factories.COUNTY}/touch"

    with_member = someone.post(path, {"sneaky": 1})
    empty = someone.post(path)

    assert_refused(with_member, 400)
    assert with_member.json()["errors"][0]["pointer"] == "#/sneaky"
    assert empty.status_code == 200


def test_a_body_over_a_mebibyte_is_refused(someone: ContractClient) -> None:
    assert_refused(send(someone, json.dumps({"name": "x" * 2**21})), 413)


@pytest.mark.parametrize("length", ["²", "-1", "1e3", "9" * 5000, "x"])
def test_a_length_that_is_no_number_is_refused(someone: ContractClient, length: str) -> None:
    response = someone.get(DOOR, CONTENT_LENGTH=length)

    assert_refused(response, 413)


def test_a_hundred_kilobytes_of_headers_are_refused(someone: ContractClient) -> None:
    assert_refused(someone.get(DOOR, HTTP_X_LONG="x" * 100_000), 431)


def test_a_very_long_query_is_refused(someone: ContractClient) -> None:
    assert_refused(someone.get(f"{DOOR}?name={'x' * 9000}"), 431)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sneaky=1", "unknown_parameter"),
        ("name__contains=x", "unknown_parameter"),
        ("%00=1", "unknown_parameter"),
        ("level=", "empty_parameter"),
        ("level=village&level=", "empty_parameter"),
        ("level", "empty_parameter"),
        ("name=%00", "empty_parameter"),
        ("level=village&level=county", "repeated_parameter"),
        ("limit=1&limit=2", "repeated_parameter"),
        (f"name={'x' * 201}", "too_long"),
        ("level=galaxy<script>", "invalid_choice"),
        ("count=yes", "invalid"),
        ("fields=password", "unknown_field"),
        ("fields=name,,code", "unknown_field"),
        ("fields=name,name", "repeated"),
        ("expand=parent,parent", "repeated"),
        ("expand=children", "unknown_field"),
        ("expand=parent__parent", "unknown_field"),
    ],
)
def test_a_query_that_is_wrong_is_refused(someone: ContractClient, query: str, code: str) -> None:
    response = someone.get(f"{DOOR}?{query}")

    assert_refused(response, 400)
    assert response.json()["errors"][0]["code"] == code
    assert "script" not in response.content.decode()


def test_bytes_that_are_no_text_find_nothing(someone: ContractClient) -> None:
    response = someone.get(f"{DOOR}?name=%ff%ed%a0%80")

    assert response.json()["results"] == []


@pytest.mark.parametrize(
    "path",
    [
        f"{DOOR}/%00",
        f"{DOOR}/1%00",
        f"{DOOR}/%ff",
        f"{DOOR}/{'1' * 3000}",
        f"{DOOR}/000000000009",
        "/api/v1/nowhere",
        "/api/v1/",
        "/api/",
        "/api/v2/plots",
        f"{DOOR}/",
        "/api/v1/files/not-a-uuid",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_path_to_nothing_is_told_in_the_one_shape(
    someone: ContractClient, settings: Any, path: str, debug: bool
) -> None:
    settings.DEBUG = debug

    assert_refused(someone.get(path), 404)


def test_only_post_means_patch_and_nothing_else(someone: ContractClient) -> None:
    path = f"{DOOR}/{factories.COUNTY}"

    refused = someone.get(path, HTTP_X_HTTP_METHOD_OVERRIDE="PATCH")
    assert_refused(refused, 400)
    assert refused.json()["errors"][0]["parameter"] == "X-HTTP-Method-Override"
    for method in ("DELETE", "PUT", "GET", "", "nonsense"):
        assert_refused(someone.post(path, HTTP_X_HTTP_METHOD_OVERRIDE=method), 400)


@pytest.mark.parametrize("method", ["post", "put", "trace"])
def test_a_method_that_is_not_offered_is_told_which_are(
    someone: ContractClient, method: str
) -> None:
    response = getattr(someone, method)(f"{DOOR}/{factories.COUNTY}")

    assert_refused(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}


def test_options_tell_the_methods(someone: ContractClient) -> None:
    response = someone.options(DOOR)

    assert response.status_code == 204
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert response.content == b""


def test_head_is_get_without_its_body(someone: ContractClient) -> None:
    path = f"{DOOR}/{factories.COUNTY}"

    head, get = someone.head(path), someone.get(path)

    assert head.status_code == 200
    assert head.content == b""
    assert head["ETag"] == get["ETag"]


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml", "nonsense", "*/*"])
def test_accept_hides_nothing(someone: ContractClient, accept: str) -> None:
    assert someone.get(DOOR, HTTP_ACCEPT=accept)["Content-Type"] == "application/json"
    assert_refused(someone.get(f"{DOOR}/nothing", HTTP_ACCEPT=accept), 404)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "Basic eDp5", "x", "Bearer é"])
def test_a_token_that_is_none_is_refused(client: Any, header: str) -> None:
    response = ContractClient().get(DOOR, HTTP_AUTHORIZATION=header)

    assert_refused(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_no_answer_sets_a_cookie_or_redirects(someone: ContractClient) -> None:
    for path in (DOOR, f"{DOOR}/", "/api/v1/nowhere", f"{DOOR}/{factories.COUNTY}"):
        response = someone.get(path)

        assert not response.cookies
        assert not 300 <= response.status_code < 400


def test_every_moment_is_told_in_local_time():
    moment = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)

    assert rendering.dumps({"at": moment}) == b'{"at":"2026-03-02T09:30:00+08:00"}'


def test_a_moment_among_facts_is_kept_in_local_time() -> None:
    assert local_time(datetime(2026, 3, 2, 1, 30, tzinfo=UTC)) == "2026-03-02T09:30:00+08:00"
