"""The last pass over the document: shared parts, bounds, enumerations, tags and examples."""

from typing import Any

from drf_spectacular.drainage import warn

from api import schema_front as front
from api import schema_parts as parts
from api.resource import MAXIMUM_VALUE
from api.schema_enums import name_enums
from api.schema_values import CHOICES, Examples, bound, types

METHODS = ("get", "put", "post", "patch", "delete")


def finish(result: dict[str, Any]) -> dict[str, Any]:
    """Complete what the single operations could not know."""
    components = result["components"]
    schemas = components.setdefault("schemas", {})
    for path, methods in result["paths"].items():
        # The generator walks a set, whose order is another in every process.
        result["paths"][path] = {name: methods[name] for name in METHODS if name in methods}
    operations = [one for path in result["paths"].values() for one in path.values()]
    result["info"]["description"] = front.DESCRIPTION
    result["tags"] = _tags(operations)
    _bound_all(schemas, operations)
    name_enums(schemas)
    schemas.update(parts.SCHEMAS)
    used = {ref for one in operations for ref in _references(one["responses"], "responses")}
    responses = {name: parts.response(status) for status, name in parts.NAMES.items()}
    components["responses"] = {name: one for name, one in responses.items() if name in used}
    asked = {ref for one in operations for ref in _references(one["parameters"], "parameters")}
    components["parameters"] = {
        name: one for name, one in parts.PARAMETERS.items() if name in asked
    }
    components["headers"] = parts.HEADERS
    components["securitySchemes"] = parts.SECURITY
    components["schemas"] = dict(sorted(schemas.items()))
    examples = Examples(schemas)
    for one in operations:
        bodies = [one.get("requestBody", {}), *one["responses"].values()]
        for kind, media in ((k, m) for body in bodies for k, m in body.get("content", {}).items()):
            if "json" in kind and not {"example", "examples"} & set(media):
                media["example"] = examples.of(media["schema"])
    return result


def _tags(operations: list[Any]) -> list[dict[str, str]]:
    used = dict.fromkeys(tag for one in operations for tag in one["tags"])
    for tag in used:
        if tag not in front.TAGS:
            warn(f"the tag {tag} has no description in schema_front.TAGS")
    return [{"name": tag, "description": front.TAGS.get(tag, tag)} for tag in sorted(used)]


def _bound_all(schemas: Any, operations: list[Any]) -> None:
    asked: set[str] = set()
    waiting = [one["requestBody"] for one in operations if "requestBody" in one]
    while waiting:
        for name in _references(waiting.pop(), "schemas") - asked:
            asked.add(name)
            waiting.append(schemas[name])
    for name, schema in schemas.items():
        bound(schema, name, asked=name in asked)
    for one in operations:
        for parameter in one["parameters"]:
            _bound_parameter(parameter, one["operationId"])
        for body in (one.get("requestBody", {}), *one["responses"].values()):
            for media in body.get("content", {}).values():
                bound(media.get("schema"), one["operationId"], asked=False)


def _bound_parameter(parameter: dict[str, Any], where: str) -> None:
    if "$ref" in parameter:
        return
    schema = parameter["schema"]
    if not {"type", "$ref", *CHOICES} & set(schema):
        warn(f"the parameter {parameter['name']} of {where} has no type")
    for inner in (schema, schema.get("items", {})):
        inner.pop("x-spec-enum-id", None)
        if "string" in types(inner) and not {"enum", "format"} & set(inner):
            inner.setdefault("maxLength", MAXIMUM_VALUE)
    bound(schema, where, asked=False)


def _references(value: Any, kind: str) -> set[str]:
    prefix = f"#/components/{kind}/"
    if isinstance(value, dict):
        target = value.get("$ref", "")
        found = {target.removeprefix(prefix)} if str(target).startswith(prefix) else set()
        return found.union(*(_references(inner, kind) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(inner, kind) for inner in value))
    return set()
