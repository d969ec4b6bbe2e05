"""One component per enumeration, named after the class that lists its values."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Choices

OURS = {"people", "training", "incubator"}
# A set of values, and the classes that list it: name, owning model or "", class.
Known = dict[frozenset[Any], list[tuple[str, str, type[Choices]]]]


def name_enums(schemas: dict[str, Any]) -> None:
    """Move each enumeration of the domain out of the schemas that use it.

    Named after its class (``TrainingClassStatus``), so that neither a new model nor another order
    of the paths renames it. A choice that is no class of the domain stays where it is.
    """
    known: Known = {}
    for name, owner, kind in sorted(_classes(), key=lambda found: found[0]):
        known.setdefault(frozenset(kind.values), []).append((name, owner, kind))
    for component, schema in list(schemas.items()):
        for inner in list(_enumerations(schema)):
            _refer(inner, component, known, schemas)


def _classes() -> Iterator[tuple[str, str, type[Choices]]]:
    for model in apps.get_models():
        for kind in vars(model).values():
            if model._meta.app_label in OURS and isinstance(kind, type) and _is_nested(kind, model):
                yield f"{model.__name__}{kind.__name__}", model.__name__, kind
    for kind in _subclasses(Choices):
        if kind.__module__.split(".")[0] in OURS and "." not in kind.__qualname__:
            yield kind.__name__, "", kind


def _is_nested(kind: type, model: type) -> bool:
    return issubclass(kind, Choices) and kind.__qualname__.startswith(f"{model.__name__}.")


def _subclasses(kind: type[Any]) -> list[type[Any]]:
    return [one for sub in kind.__subclasses__() for one in (sub, *_subclasses(sub))]


def _enumerations(schema: Any) -> Iterator[dict[str, Any]]:
    """Find the schemas inside that list their values."""
    inner = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict | list):
        for one in inner:
            yield from _enumerations(one)
    if isinstance(schema, dict) and isinstance(schema.get("enum"), list):
        yield schema


def _refer(schema: dict[str, Any], component: str, known: Known, schemas: dict[str, Any]) -> None:
    schema.pop("x-spec-enum-id", None)
    values = schema["enum"]
    candidates = known.get(frozenset(value for value in values if value not in ("", None)), [])
    if not candidates:
        return
    own = [one for one in candidates if one[1] and component.startswith(one[1])]
    name, _owner, kind = (own or candidates)[0]
    of = "integer" if isinstance(kind.values[0], int) else "string"
    listed = "\n".join(f"* `{value}` - {label}" for value, label in kind.choices)
    schemas.setdefault(name, {"type": of, "enum": list(kind.values), "description": listed})
    others: list[dict[str, Any]] = [{"type": "string", "enum": [""]}] if "" in values else []
    if None in values or "null" in schema.get("type", ()):
        others.append({"type": "null"})
    if str(schema.get("description", "")).startswith("*"):
        del schema["description"]
    for key in ("enum", "type", "maxLength", "pattern", "format", "minLength"):
        schema.pop(key, None)
    reference: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
    schema.update({"oneOf": [reference, *others]} if others else reference)
