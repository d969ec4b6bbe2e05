"""How a row is shown: its version, the chosen fields, the expanded neighbours."""

import hashlib
from typing import Any, ClassVar, TypeVar

from django.db import models
from rest_framework import serializers

from api import rendering
from api.inputs import Moment, Strict

AnyRow = TypeVar("AnyRow", bound=models.Model)


def version_of(data: Any) -> str:
    """Hash what the caller sees: it changes exactly when that changes."""
    return hashlib.blake2b(rendering.dumps(data), digest_size=12).hexdigest()


class RowSerializer(Strict, serializers.ModelSerializer[AnyRow]):
    """The one output shape of a noun.

    ``version`` is a hash of the shown values, so no write can forget to change it. Expanded
    objects stand beside their ``…_id`` and never change its type.
    """

    expandable: ClassVar[dict[str, type["RowSerializer[Any]"]]] = {}
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }

    def to_representation(self, instance: AnyRow) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        data["version"] = version_of(data)
        if not self._is_top():
            return data
        expanded = {name: self._expand(instance, name) for name in self.context.get("expand", ())}
        if expanded:
            # The part before the dot is what If-Match compares: neighbours are not this row.
            data["version"] += f".{version_of(expanded)}"
        chosen = self.context.get("fields")
        if chosen:
            data = {name: value for name, value in data.items() if name in chosen}
        return data | expanded

    def _is_top(self) -> bool:
        parent = self.parent
        return parent is None or (
            isinstance(parent, serializers.ListSerializer) and parent.parent is None
        )

    def _expand(self, instance: AnyRow, name: str) -> Any:
        row = getattr(instance, name)
        return None if row is None else self.expandable[name](row).data
