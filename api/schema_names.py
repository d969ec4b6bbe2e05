"""What operations and components are called."""

import re
from functools import cache
from typing import Any

import inflection

STOCK = {
    "list": "list",
    "retrieve": "get",
    "create": "create",
    "update": "replace",
    "partial_update": "update",
    "destroy": "delete",
}


def operation_id(path: str, method: str, action: str) -> str:
    """Name an operation by its verb and its path: ``create_class_enrolment``, ``publish_class``."""
    steps = re.sub(r"^/?api/v1/", "", path).split("/")
    words = [re.sub(r"\W", "_", step) for step in steps if not step.startswith(("{", "<"))]
    last, verb = words[-1], STOCK.get(action, "get" if method == "GET" else action)
    is_verb = action not in STOCK and method != "GET"
    if is_verb and len(words) > 1 and (last == action or steps[-2].startswith(("{", "<"))):
        verb = words.pop()
    keeps_number = action == "list" or (action not in STOCK and method == "GET")
    singular = [inflection.singularize(word) for word in words]
    return "_".join([verb, *singular[:-1], words[-1] if keeps_number else singular[-1]])


def noun_of(view: Any) -> str:
    """Name what a door is about, in the singular."""
    noun = getattr(view, "noun", "") or inflection.underscore(type(view).__name__)
    return inflection.singularize(noun.replace("_", " "))


def shape_of(serializer: Any) -> Any:
    """Tell two serializers of one name apart: by their fields and what these were told.

    Two small forms of one name and one shape are one component, wherever they are written.
    """
    plain = (str, int, float, list, tuple, type(None))
    return _one_class(
        type(serializer).__name__,
        *(
            (name, type(field).__name__, repr({k: v for k, v in told if isinstance(v, plain)}))
            for name, field in getattr(serializer, "fields", {}).items()
            for told in [sorted(field._kwargs.items())]
        ),
    )


@cache
def _one_class(name: str, *shape: Any) -> type:
    # The registry compares classes: of any two tuples it would say that they are the same.
    return type(name, (), {})
