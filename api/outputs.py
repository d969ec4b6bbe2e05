"""How a row is shown: its version, the chosen fields, the expanded neighbours."""

import hashlib
from typing import Any, ClassVar, TypeVar

from django.db import models
from rest_framework import serializers

from api import rendering
from api.inputs import Moment, Strict

# Where the view puts the neighbours that this caller may see.
EXPANDED = "expanded_"
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
    # Members that depend on the question (a distance), not on the row.
    unversioned: ClassVar[frozenset[str]] = frozenset()
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }

    def to_representation(self, instance: AnyRow) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        data["version"] = version_of(
            {name: value for name, value in data.items() if name not in self.unversioned}
            if self.unversioned
            else data
        )
        if not self._is_top():
            return data
        expanded = {name: self._expand(instance, name) for name in self.context.get("expand", ())}
        if expanded:
            # The part before the dot is what If-Match compares: neighbours are not this row.
            data["version"] += f".{version_of(expanded)}"
        chosen = self.context.get("fields")
        if chosen:
            # The version stays: without it nobody could change what they see.
            data = {name: value for name, value in data.items() if name in {*chosen, "version"}}
        return data | expanded

    def _is_top(self) -> bool:
        parent: Any = self.parent
        return parent is None or (
            isinstance(parent, serializers.ListSerializer) and parent.parent is None
        )

    def _expand(self, instance: AnyRow, name: str) -> Any:
        row = getattr(instance, EXPANDED + name, None)
        return None if row is None else self.expandable[name](row).data
