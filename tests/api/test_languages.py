"""Sentences follow the reader; codes and values never do."""

from typing import Any

import pytest

from tests.contract import ContractClient

pytestmark = pytest.mark.django_db
NOWHERE = "/api/v1/nowhere"
WRONG = "/api/v1/regions?limit=0"


def ask(path: str, language: str | None) -> Any:
    extra = {} if language is None else {"HTTP_ACCEPT_LANGUAGE": language}
    return ContractClient().get(path, **extra)


@pytest.mark.parametrize("path", [NOWHERE, WRONG, "/api/v1/regions"])
@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (None, "zh-hans"),
        ("zh-Hans", "zh-hans"),
        ("zh-CN,zh;q=0.9", "zh-hans"),
        ("en", "en"),
        ("en-GB,en;q=0.8", "en"),
        ("en;q=0.1, zh-Hans;q=0.9", "zh-hans"),
        ("fr", "zh-hans"),
        ("nonsense;;;", "zh-hans"),
    ],
)
def test_the_language_is_the_readers(path: str, asked: str | None, answered: str) -> None:
    response = ask(path, asked)

    assert response["Content-Language"].lower() == answered
    assert "Accept-Language" in response["Vary"]


@pytest.mark.parametrize("path", [NOWHERE, WRONG])
def test_codes_are_the_same_in_every_language(path: str) -> None:
    chinese, english = ask(path, "zh-Hans").json(), ask(path, "en").json()

    assert chinese["code"] == english["code"]
    assert chinese["type"] == english["type"]
    assert [error["code"] for error in chinese.get("errors", [])] == [
        error["code"] for error in english.get("errors", [])
    ]


def test_english_is_english() -> None:
    assert ask(NOWHERE, "en").json()["title"] == "There is nothing here."


def test_one_request_does_not_speak_the_language_of_the_one_before() -> None:
    ask("/api/v1/regions", "en")

    response = ContractClient().get("/api/v1/regions", HTTP_X_LONG="x" * 100_000)

    assert response.status_code == 431
    assert response["Content-Language"] == "zh-hans"
    assert "headers" not in response.json()["title"]


def test_a_body_of_null_is_refused_in_chinese(client) -> None:
    response = client.generic(
        "POST", "/api/v1/auth/codes", b"null", content_type="application/json"
    )

    assert response.status_code == 400
    assert not response.json()["detail"].isascii()
