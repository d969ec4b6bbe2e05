"""The OpenAPI document: what the code says, completed once for every operation."""

import inspect
import re
from typing import Any

import inflection
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import ListSerializer, ReadOnlyField

from api import schema_parts as parts
from api.access import ANYONE, SIGNED_IN
from api.outputs import RowSerializer
from api.problems import STATUSES
from api.resource import SHAPED
from api.schema_finish import finish
from api.schema_names import noun_of, operation_id, shape_of
from api.schema_values import types
from people.refusals import Refusal

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class Operation(AutoSchema):
    """Reads names, sentences, parameters, refusals and headers off the resource."""

    @property
    def action(self) -> str:
        return str(self.view.action)  # type: ignore[attr-defined]

    @property
    def is_public(self) -> bool:
        return getattr(self.view, "may", {}).get(self.action) is ANYONE

    def get_operation_id(self) -> str:
        return operation_id(self.path, self.method, self.action)

    def _docstring(self) -> tuple[str, str]:
        method = inspect.unwrap(getattr(type(self.view), self.action))
        text = ""
        if not (method.__module__ or "").startswith("rest_framework"):
            text = inspect.getdoc(method) or ""
        first, _, rest = text.partition("\n\n")
        rest = re.sub(r"(?ms)^:raises.*", "", rest)
        return " ".join(first.split()), rest.strip()

    def get_summary(self) -> str:
        noun = noun_of(self.view)
        stock = {
            "list": f"List {inflection.pluralize(noun)}.",
            "retrieve": f"Show one {noun}.",
            "create": f"Create a {noun}.",
            "partial_update": f"Change a {noun}.",
            "update": f"Replace a {noun}.",
            "destroy": f"Remove a {noun}.",
        }
        return self._docstring()[0] or stock.get(self.action, self.action)

    def get_description(self) -> str:  # type: ignore[override]
        rest = self._docstring()[1] or inspect.getdoc(type(self.view)) or ""
        return f"{rest}\n\n{self._audience()}".strip()

    def _audience(self) -> str:
        if self.is_public:
            return "For anyone, also without signing in."
        roles = getattr(self.view, "may", {}).get(self.action, ())
        if roles is SIGNED_IN:
            return "For everyone who is signed in."
        return f"For: {', '.join(sorted(f'`{role}`' for role in roles))}."

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "") or "misc"]

    def get_auth(self) -> list[Any]:
        return parts.OPTIONAL_BEARER if self.is_public else parts.BEARER

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_serializer_name(
        self,
        serializer: Any,
        direction: Any,
        bypass_extensions: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removesuffix("Request") if name.endswith("FormRequest") else name

    def get_serializer_identity(self, serializer: Any, direction: Any) -> Any:
        return shape_of(serializer)

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if "__doc__" not in vars(type(serializer)) or not type(serializer).__doc__:
            schema.pop("description", None)  # what the base class says is for its subclasses
        return schema

    def _map_serializer_field(
        self,
        field: Any,
        direction: Any,
        bypass_extensions: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(field, ListSerializer) and "array" in types(schema or {}):
            bounds = {"minItems": field.min_length, "maxItems": field.max_length}  # type: ignore[attr-defined]
            schema.update({key: value for key, value in bounds.items() if value is not None})
        model = getattr(getattr(field.parent, "Meta", None), "model", None)
        if isinstance(field, ReadOnlyField) and model and "string" in types(schema or {}):
            # The bare key of a neighbour is as long as the neighbour's own.
            column = model._meta.get_field(field.source)
            limit = getattr(getattr(column, "target_field", column), "max_length", None)
            schema.update({"maxLength": limit} if limit and "format" not in schema else {})
        return schema

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "response" and isinstance(serializer, RowSerializer):
            schema["properties"]["version"] = {
                "type": "string",
                "maxLength": 60,
                "pattern": "^[0-9a-f]+(\\.[0-9a-f]+)?$",
                "readOnly": True,
                "description": "Changes exactly when the record does; the value of its `ETag`.",
            }
            schema["required"] = sorted(schema["properties"])
            for name, neighbour in serializer.expandable.items():
                component = self.resolve_serializer(neighbour, "response")
                schema["properties"][name] = {
                    "anyOf": [component.ref, {"type": "null"}],
                    "description": f"Only with `expand={name}`; null if you may not see it.",
                }
        return schema

    # -- the operation --------------------------------------------------------------------------

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if not operation:
            return operation
        operation["parameters"] = [*self._headers(), *self._named(operation)]
        refusals = self._refusals()
        if refusals:
            operation["x-refusal-codes"] = sorted({refusal.code for refusal in refusals})
        given = operation["responses"]
        # ``404: None`` in ``responses`` says that this door answers it too, in the one shape.
        named = {
            int(status) for status in given if status >= "400" and "content" not in given[status]
        }
        given = {status: answer for status, answer in given.items() if int(status) not in named}
        for status, answer in given.items():
            self._complete(status, answer)
        if self.method == "GET" and not self._is_file(given):
            given["304"] = {
                "description": "Unchanged since the ETag in `If-None-Match`.",
                "headers": parts.headers("ETag"),
            }
        for status in named.union(self._statuses(has_body="requestBody" in operation)):
            if str(status) not in given:
                given[str(status)] = self._problem(status, refusals)
        operation["responses"] = dict(sorted(given.items()))
        return operation

    def _headers(self) -> list[Any]:
        names = ["AcceptLanguage"]
        if self._is_idempotent():
            names.append("IdempotencyKey")
        if self._is_matched():
            names.append("IfMatch")
        elif self._may_match():
            names.append("MayMatch")
        if self.method == "GET":
            names.append("IfNoneMatch")
        return [{"$ref": f"#/components/parameters/{name}"} for name in names]

    def _named(self, operation: Any) -> list[Any]:
        found = {(one["name"], one["in"]): one for one in operation.get("parameters", ())}
        for one in found.values():
            if one["in"] == "query":
                one.setdefault("description", f"Only rows with this {self._words(one['name'])}.")
        extra = getattr(self.view, "parameters", {}).get(self.action, ())
        for name in extra:
            if (name, "query") not in found:
                # A mapping gives the parameter's own schema.
                found[name, "query"] = self._query(name, dict(extra[name]))
        if self.action in SHAPED and issubclass(self._serializer(), RowSerializer):
            found |= self._trimming(self._serializer())
        return list(found.values())

    def _query(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        description = schema.pop("description", f"The {self._words(name)}.")
        return {"name": name, "in": "query", "description": description, "schema": schema}

    def _words(self, name: str) -> str:
        return name.replace("_", " ")

    def _serializer(self) -> type[Any]:
        return getattr(self.view, "serializer_class", None) or object

    def _trimming(self, serializer: type[RowSerializer[Any]]) -> dict[Any, Any]:
        found = {}
        offered = {
            "fields": ("Only these members, and `version`.", [*serializer().fields, "version"]),
            "expand": ("Related records to put beside their ids.", [*serializer.expandable]),
        }
        for name, (description, values) in offered.items():
            if values:
                found[name, "query"] = {
                    "name": name,
                    "in": "query",
                    "description": description,
                    "style": "form",
                    "explode": False,
                    "schema": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": len(values),
                        "uniqueItems": True,
                        "items": {"type": "string", "enum": values},
                    },
                }
        return found

    def _is_idempotent(self) -> bool:
        return (
            self.method == "POST" and getattr(self.view, "idempotent", False) and not self.is_public
        )

    def _is_matched(self) -> bool:
        return bool(self.view.needs_version(self.method))  # type: ignore[attr-defined]

    def _may_match(self) -> bool:
        return self.action in getattr(self.view, "may_match", ())

    def _refusals(self) -> list[type[Refusal]]:
        return list(getattr(self.view, "refuses", {}).get(self.action, ()))

    # -- answers --------------------------------------------------------------------------------

    def _is_file(self, given: Any) -> bool:
        kinds = {kind for answer in given.values() for kind in answer.get("content", ())}
        return bool(kinds) and not any("json" in kind for kind in kinds)

    def _complete(self, status: str, answer: Any) -> None:
        noun = noun_of(self.view)
        sentences = {
            "201": f"The new {noun}.",
            "202": "Accepted; the work goes on.",
            "204": "Done; there is no body.",
        }
        usual = f"A page of {inflection.pluralize(noun)}." if self.action == "list" else ""
        if answer.get("description") in {None, "", "No response body"}:
            answer["description"] = sentences.get(status, usual or f"The {noun} as it is now.")
        more = []
        if self.method == "GET" or issubclass(self._serializer(), RowSerializer):
            more += ["ETag"] if answer.get("content") else []
        if self._is_idempotent():
            more.append("Idempotent-Replayed")
        answer["headers"] = {**parts.headers(*more), **answer.get("headers", {})}

    def _statuses(self, *, has_body: bool) -> list[int]:
        asks = {
            403: not self.is_public,
            404: "{" in self.path,
            409: self.method in WRITES,
            410: self.action == "list",
            412: self._is_matched() or self._may_match(),
            413: has_body,
            415: has_body,
            422: self._is_idempotent(),
            428: self._is_matched(),
        }
        named = {STATUSES.get(refusal.code, 409) for refusal in self._refusals()}
        found = {400, 401, 429, 500, 503} | named | {status for status, on in asks.items() if on}
        return sorted(found)

    def _problem(self, status: int, refusals: list[type[Refusal]]) -> Any:
        here = [one for one in refusals if STATUSES.get(one.code, 409) == status]
        if not here:
            return {"$ref": f"#/components/responses/{parts.NAMES[status]}"}
        listed = "\n".join(f"* `{one.code}` – {one.title}" for one in here)
        shown = parts.example(status, here[0].code, str(here[0].title))
        shown.pop("errors", None)
        return parts.response(status, f"{parts.DESCRIPTIONS[status]}\n\n{listed}", shown)


class Document(SchemaGenerator):
    """Always English, whoever generates it, and the same on every engine."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:  # noqa: FBT001, FBT002
        with translation.override("en"):
            return super().get_schema(request, public)  # type: ignore[no-untyped-call]


def complete(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001
    """Finish the document (post-processing hook)."""
    return finish(result)
