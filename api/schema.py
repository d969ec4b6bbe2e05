"""The OpenAPI document: what the code says, completed once for every operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from api.problems import TITLES
from people.refusals import Refusal

HEADER = OpenApiParameter.HEADER
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 38, "pattern": '^"?[0-9a-fA-F-]{36}"?$'},
    HEADER,
    required=True,
    description="A UUID made by the client; a retry with the same key has no second effect.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "maxLength": 100, "pattern": "^[\\x21-\\x7e]+$"},
    HEADER,
    required=True,
    description="The ETag of the version that is being changed.",
)


class Operation(AutoSchema):
    """Reads summaries, refusals and headers off the resource."""

    def get_operation_id(self) -> str:
        noun = getattr(self.view, "noun", "") or type(self.view).__name__
        return (
            f"{self.view.__class__.__name__}_{self.view.action}"
            if not noun
            else (f"{type(self.view).__name__}_{self.view.action}")
        )

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "") or "misc"]

    def get_override_parameters(self) -> list[Any]:
        found = []
        if self.method == "POST" and getattr(self.view, "idempotent", False):
            found.append(IDEMPOTENCY_KEY)
        if self.method in {"PATCH", "DELETE"}:
            found.append(IF_MATCH)
        return found

    def refusals(self) -> list[type[Refusal]]:
        """List the named refusals that this operation can answer."""
        return list(getattr(self.view, "refuses", {}).get(self.view.action, ()))


def complete(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001
    """Finish the document (post-processing hook)."""
    assert TITLES
    return result
