"""What a browser finds here: the front door, the documentation, the meaning of a code."""

import re
from typing import Any

import pytest
from django.test import Client

from api import pages, problems
from people.refusals import Refusal

OWN = re.compile(r"""(?:src|href)="(?!/|data:)""")


def test_the_front_door_leads_to_the_documentation(client: Client) -> None:
    response = client.get("/", HTTP_ACCEPT_LANGUAGE="en")

    page = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r'href="(/api/[^"]+)"', page) == [
        "/api/docs",
        "/api/redoc",
        "/api/v1/openapi.yaml",
    ]
    assert "The API of Qihang" in page
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "public" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/api/docs", "/api/redoc", "/problems/throttled"])
def test_pages_fetch_nothing_from_elsewhere_and_run_nothing_inline(
    client: Client, path: str
) -> None:
    response = client.get(path)

    page, policy = response.content.decode(), response["Content-Security-Policy"]
    assert response.status_code == 200
    assert "://" not in page
    assert not OWN.search(page)
    assert not re.search(r"<script(?! src=)|<style| style=| on[a-z]+=", page)
    assert "default-src 'self'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_only_the_two_documents_may_write_styles(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]

    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "worker-src 'self' blob:" in policy


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_what_the_documents_refer_to_is_here(client: Client, path: str) -> None:
    page = client.get(path).content.decode()

    for address in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        found: Any = client.get(address.replace("&amp;", "&"))

        content = b"".join(found.streaming_content) if found.streaming else found.content
        assert found.status_code == 200, address
        assert content, address


def test_redoc_has_lost_its_foreign_logo(client: Client) -> None:
    script = client.get("/api/redoc.js").content

    assert b"Redoc" in script
    assert b"cdn.redoc" not in script


def test_swagger_asks_no_validator_elsewhere(client: Client) -> None:
    script = client.get("/api/docs?script=").content.decode()

    assert '"validatorUrl": null' in script


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("throttled", "Too many requests"),
        ("class_full", "seat"),
        ("in_progress", "still being worked on"),
        ("bad_method_override", "PATCH"),
    ],
)
def test_a_code_is_explained(client: Client, code: str, said: str) -> None:
    response = client.get(f"/problems/{code}", HTTP_ACCEPT_LANGUAGE="en")

    assert response.status_code == 200
    assert said in response.content.decode()
    assert code in response.content.decode()
    assert response["Cache-Control"] == "public, max-age=3600"
    assert "Accept-Language" in response["Vary"]


def test_a_code_is_explained_in_the_language_of_the_reader(client: Client) -> None:
    page = client.get("/problems/throttled", HTTP_ACCEPT_LANGUAGE="zh-Hans").content.decode()

    assert str(pages.meanings()["throttled"][1]) != ""
    assert "Too many requests" not in page


def test_a_code_that_does_not_exist_leads_nowhere(client: Client) -> None:
    response = client.get("/problems/nonsense")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert client.post("/problems/throttled").status_code == 405


def test_every_code_of_ours_is_explained() -> None:
    refusals = {kind.code for kind in Refusal.__subclasses__() if hasattr(kind, "code")}

    assert refusals | set(problems.CODES.values()) | set(problems.SENTENCES) <= set(
        pages.meanings()
    )
