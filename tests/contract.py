"""A client that holds every answer of every test against the document that the code makes."""

import gzip
import json
import re
import uuid
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.drainage import GENERATOR_STATS
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient

from api.schema import Document
from api.schema_parts import DOOR_CODES

# Answered before any door is reached, or because there is none.
BEFORE_ANY_DOOR = {400, 404, 405, 413, 431}
OVERSIZED = {413, 431}
PROBLEM = {"$ref": "#/components/schemas/Problem"}


@cache
def document(urlconf: str) -> dict[str, Any]:
    """Generate the document, once for each table of paths."""
    with GENERATOR_STATS.silence():
        made = Document(urlconf=urlconf).get_schema(public=True)
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


@cache
def routes(urlconf: str) -> list[tuple[re.Pattern[str], str]]:
    paths = sorted(document(urlconf)["paths"], key=lambda path: ("{" in path, path))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def validator(urlconf: str, schema: str) -> Draft202012Validator:
    whole = {**json.loads(schema), "components": document(urlconf)["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def operation_of(urlconf: str, method: str, path: str) -> dict[str, Any] | None:
    """Find what the document says about a request; ``None`` if there is no such door."""
    found = next((name for regex, name in routes(urlconf) if regex.fullmatch(path)), "")
    return document(urlconf)["paths"].get(found, {}).get(method.lower())  # type: ignore[no-any-return]


def resolved(urlconf: str, part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    return document(urlconf)["components"]["responses"][part["$ref"].rsplit("/", 1)[1]]


def plain(response: Any) -> bytes:
    zipped = response.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(response.content) if zipped else bytes(response.content)


def check(method: str, path: str, query: str, response: Any) -> None:
    """Hold an answer against the document.

    :raises AssertionError: naming the operation and what it does not promise
    """
    urlconf, status = settings.ROOT_URLCONF, response.status_code
    operation = operation_of(urlconf, "GET" if method == "HEAD" else method, path)
    if operation is None and method == "OPTIONS" and status == 204:
        return
    name = operation["operationId"] if operation else "no operation"
    where = f"{name} ({method} {path}) answers {status}"
    promised = (operation or {}).get("responses", {}).get(str(status))
    if promised is None:
        undocumented = OVERSIZED if operation else BEFORE_ANY_DOOR
        assert status in undocumented, f"{where}, which the document does not know"
        promised = {"content": {"application/problem+json": {"schema": PROBLEM}}}
    content = resolved(urlconf, promised).get("content", {})
    if not content:
        assert not response.content, f"{where} with a body, where the document has none"
    elif method != "HEAD" and not getattr(response, "streaming", False):
        check_body(where, content, operation or {}, query, response)


def check_body(where: str, content: Any, operation: Any, query: str, response: Any) -> None:
    kind = response.headers.get("Content-Type", "").split(";")[0]
    assert kind in content, f"{where} as {kind!r}, not as one of {sorted(content)}"
    if "json" not in kind:
        return
    body = json.loads(plain(response))
    checker = validator(settings.ROOT_URLCONF, json.dumps(content[kind]["schema"], sort_keys=True))
    for error in checker.iter_errors(body):
        if not ("fields=" in query and error.validator == "required"):
            place = "/".join(map(str, error.absolute_path)) or "the body"
            raise AssertionError(f"{where}, but {place}: {error.message[:300]}")
    if response.status_code == 409:
        codes = {*operation.get("x-refusal-codes", ()), *DOOR_CODES}
        assert body["code"] in codes, f"{where} {body['code']!r}; add it to `refuses`: {codes}"


def check_asked(method: str, path: str, data: bytes) -> None:
    """Hold a body that was taken against the document: what it forbids, no form may need.

    :raises AssertionError: naming the operation and what it does not allow
    """
    operation = operation_of(settings.ROOT_URLCONF, method, path) or {}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        checker = validator(settings.ROOT_URLCONF, json.dumps(content["schema"], sort_keys=True))
        for error in checker.iter_errors(json.loads(data or b"{}")):
            place = "/".join(map(str, error.absolute_path)) or "the body"
            name = operation["operationId"]
            raise AssertionError(f"{name} takes a body, but {place}: {error.message[:300]}")


class ContractClient(APIClient):
    """Sends a fresh idempotency key with every POST unless the test gives one."""

    def __init__(self, token: str | None = None, **defaults: Any) -> None:
        super().__init__(**defaults)
        if token:
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def post(self, path: str, data: Any = None, *args: Any, **extra: Any) -> Any:
        extra.setdefault("HTTP_IDEMPOTENCY_KEY", str(uuid.uuid4()))
        return super().post(path, data if data is not None else {}, *args, **extra)

    def generic(self, method: str, path: str, *args: Any, **extra: Any) -> Any:
        response = super().generic(method, path, *args, **extra)
        sent = [*args, b"", ""][:2] if args else (extra.get("data", b""), extra.get("content_type"))
        if response.status_code < 300 and "application/json" in str(sent[1]):
            override = extra.get("HTTP_X_HTTP_METHOD_OVERRIDE", method)
            check_asked(override, path.partition("?")[0], sent[0])
        return response

    def request(self, **kwargs: Any) -> Any:
        response = super().request(**kwargs)
        path = kwargs.get("PATH_INFO", "")
        if path.startswith("/api/v1/") and path != "/api/v1/openapi.yaml":
            override = {**self._credentials, **kwargs}.get("HTTP_X_HTTP_METHOD_OVERRIDE", "")
            method = override.upper() or kwargs["REQUEST_METHOD"]
            check(method, path, kwargs.get("QUERY_STRING", ""), response)
        return response
