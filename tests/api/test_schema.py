"""openapi.yaml says what the code says, completely."""

import json
import re
from collections.abc import Iterator
from datetime import date
from io import StringIO
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from jsonschema import Draft202012Validator
from rest_framework import serializers

from api.inputs import Form
from api.schema import Document, Operation
from api.schema_names import operation_id, shape_of
from tests.contract import document

WRITES = {"post", "put", "patch", "delete"}
# The document does not describe itself.
UNDOCUMENTED = {"/api/v1/openapi.yaml"}


@pytest.fixture(scope="module")
def schema() -> Any:
    return document(settings.ROOT_URLCONF)


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def every(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield place, value
        for name, inner in value.items():
            if name not in {"example", "examples", "default"}:
                yield from every(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from every(inner, f"{place}/{index}")


def test_the_document_that_is_checked_in_is_what_the_code_makes(tmp_path: Any) -> None:
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True, stderr=StringIO())

    written = (settings.BASE_DIR / "openapi.yaml").read_bytes()
    assert made.read_bytes() == written, "openapi.yaml is out of date: run make schema."


def test_every_route_is_in_the_document_and_the_other_way_round(schema: Any) -> None:
    routes = {
        ("/" + re.sub(r"<(?:\w+:)?\w+>", "{}", str(pattern.pattern)), method)
        for pattern in get_resolver().url_patterns
        for each in getattr(pattern, "url_patterns", [pattern])
        for pattern in [each]
        if str(pattern.pattern).startswith("api/v1/")
        for method in getattr(pattern.callback, "actions", None) or {"get": ""}
        if method != "head"
    }
    documented = {
        (re.sub(r"\{\w+\}", "{}", path), method) for path, method, _ in operations(schema)
    }

    assert documented | {(path, "get") for path in UNDOCUMENTED} == routes


def test_every_operation_is_named_and_told_about(schema: Any) -> None:
    tags = {tag["name"]: tag["description"] for tag in schema["tags"]}
    names = [operation["operationId"] for _, _, operation in operations(schema)]

    assert len(names) == len(set(names))
    for path, method, operation in operations(schema):
        name = operation["operationId"]
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert operation["summary"].endswith("."), name
        assert len(operation["summary"]) <= 120, name
        assert operation["description"], name
        assert all(tags[tag] for tag in operation["tags"]), name
        assert {"400", "401", "429", "500", "503"} <= set(operation["responses"]), name
        assert "default" not in operation["responses"], name
        if method in WRITES:
            assert "409" in operation["responses"], name
        if "{" in path:
            assert "404" in operation["responses"], name


def test_every_body_has_an_example_that_is_valid(schema: Any) -> None:
    for path, method, operation in operations(schema):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for kind, media in body.get("content", {}).items():
                if "json" not in kind:
                    continue
                shown = [media["example"]] if "example" in media else []
                shown += [each["value"] for each in media.get("examples", {}).values()]
                assert shown, f"{method} {path} {kind}"
                whole = {**media["schema"], "components": schema["components"]}
                for example in shown:
                    Draft202012Validator(whole).validate(example)


def test_every_example_of_a_body_is_one_that_its_form_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forms: dict[str, Any] = {}
    make = Operation.get_operation

    def remember(self: Any, *args: Any, **kwargs: Any) -> Any:
        operation = make(self, *args, **kwargs)
        if operation:
            forms[operation["operationId"]] = self.get_request_serializer()
        return operation

    monkeypatch.setattr(Operation, "get_operation", remember)
    with GENERATOR_STATS.silence():
        made = Document().get_schema(public=True)

    tried = 0
    for _path, _method, operation in operations(made):
        form = forms[operation["operationId"]]
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if not media:
            continue
        named = media.get("examples") or {"": {"value": media.get("example")}}
        for shown in named.values():
            asked = (form if isinstance(form, type) else type(form))(
                data=shown["value"], context={"today": date(2026, 3, 2)}
            )
            assert asked.is_valid(), f"{operation['operationId']}: {asked.errors}"
            tried += 1
    assert tried > 40


def test_every_parameter_says_what_it_is(schema: Any) -> None:
    for path, method, operation in operations(schema):
        for parameter in operation["parameters"]:
            if "$ref" not in parameter:
                told = {"type", "$ref", "oneOf", "anyOf"} & set(parameter["schema"])
                assert told, f"{method} {path} {parameter['name']}"


def test_two_shapes_of_one_name_are_two_components() -> None:
    class MarkForm(Form):
        grade = serializers.IntegerField(min_value=1, max_value=5)

    other = type("MarkForm", (Form,), {"note": serializers.CharField(max_length=5)})
    twin = type("MarkForm", (Form,), {"note": serializers.CharField(max_length=5)})

    # The registry of the generator tells classes apart, and nothing else.
    assert isinstance(shape_of(MarkForm()), type)
    assert shape_of(MarkForm()) is not shape_of(other())
    assert shape_of(other()) is shape_of(twin())


def test_the_title_is_one_that_a_package_can_be_named_after(schema: Any) -> None:
    assert schema["info"]["title"] == "Qihang"
    assert "启航" in schema["info"]["description"]


def test_every_value_is_bounded(schema: Any) -> None:
    for place, part in every(schema):
        kinds = part.get("type")
        if isinstance(kinds, dict):  # a member that is called type
            continue
        kinds = set(kinds) if isinstance(kinds, list) else {kinds}
        if {"enum", "const"} & set(part):
            continue
        if "string" in kinds:
            assert "maxLength" in part, place
            assert {"format", "pattern"} & set(part), place
        if "integer" in kinds:
            assert {"minimum", "maximum", "format"} <= set(part), place
        if "array" in kinds:
            assert "maxItems" in part, place


def test_nothing_is_left_of_older_dialects_or_of_the_generator(schema: Any) -> None:
    for place, part in every(schema):
        if place.endswith("/properties"):
            continue
        assert "nullable" not in part, place
        assert "x-spec-enum-id" not in part, place
        assert part.get("pattern") not in {"^.*$", ".*", ""}, place


def test_what_is_asked_of_a_client_is_closed(schema: Any) -> None:
    for path, method, operation in operations(schema):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            reference = media["schema"].get("$ref")
            if reference:
                asked = schema["components"]["schemas"][reference.rsplit("/", 1)[1]]
                assert asked.get("additionalProperties") is False, f"{method} {path}"


def test_every_problem_has_the_one_shape(schema: Any) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, method, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                answer = schema["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
            if int(status) >= 400:
                content = answer["content"]
                assert list(content) == ["application/problem+json"], f"{method} {path} {status}"
                assert content["application/problem+json"]["schema"] == problem


def test_the_document_needs_no_database_and_no_language(schema: Any) -> None:
    """The test has no database: what asked for one would fail."""
    assert "签到" not in json.dumps(schema["paths"], ensure_ascii=False)


def test_the_document_is_yaml_that_any_reader_takes() -> None:
    read = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())

    assert read["openapi"] == "3.1.1"


@pytest.mark.parametrize(
    ("path", "method", "action", "name"),
    [
        ("/api/v1/classes", "GET", "list", "list_classes"),
        ("/api/v1/classes", "POST", "create", "create_class"),
        ("/api/v1/classes/{id}", "GET", "retrieve", "get_class"),
        ("/api/v1/classes/{id}", "PATCH", "partial_update", "update_class"),
        ("/api/v1/classes/{id}/publish", "POST", "publish", "publish_class"),
        ("/api/v1/classes/{id}/return", "POST", "send_back", "return_class"),
        ("/api/v1/classes/{class_id}/enrolments", "POST", "create", "create_class_enrolment"),
        ("/api/v1/classes/{class_id}/enrolments", "GET", "list", "list_class_enrolments"),
        ("/api/v1/sessions/{id}/check-in-key", "GET", "show", "get_session_check_in_key"),
        ("/api/v1/sessions/{id}/roster", "PUT", "update", "replace_session_roster"),
        ("/api/v1/auth/tokens/refresh", "POST", "refresh", "refresh_auth_token"),
        ("/api/v1/attendance/batch", "POST", "batch", "batch_attendance"),
    ],
)
def test_an_operation_is_named_by_verb_and_path(
    path: str, method: str, action: str, name: str
) -> None:
    assert operation_id(path, method, action) == name
