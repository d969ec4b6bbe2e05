"""Keyset pages: stable while rows come and go, and as fast on the last page as on the first."""

import hashlib
import re
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as translate
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import Problem, bad_parameter

DEFAULT_LIMIT = 20
MAXIMUM_LIMIT = 100
# Without the time: an unchanged page keeps its bytes, and so its ETag.
SIGNER = signing.Signer(salt="cursor")
PARAMETERS = ("limit", "cursor", "count")
LIMIT = re.compile(r"100|[1-9][0-9]?")


class Keyset(BasePagination):
    """Orders by the view's ``ordering``, all in one direction, ending in the id.

    A cursor holds the last row's key and a hash of the filters; with other filters it is dead.
    """

    def paginate_queryset(  # type: ignore[override]  # a page of rows, never of a list
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self.request = request
        ordering: tuple[str, ...] = view.ordering
        self.descending = ordering[0].startswith("-")
        self.columns = [name.lstrip("-") for name in ordering]
        limit = read_limit(request)
        self.total = queryset.count() if read_flag(request, "count") else None
        given = request.query_params.get("cursor")
        key, backwards = self._open(given) if given is not None else (None, False)
        rows = self._slice(queryset, key, limit, backwards=backwards)
        more = len(rows) > limit
        rows = rows[:limit]
        if backwards:
            rows.reverse()
        self.next = self._link(rows[-1], "n") if rows and (more or backwards) else None
        before = (more if backwards else key is not None) and rows
        self.previous = self._link(rows[0], "p") if before else None
        return rows

    def _slice(
        self, queryset: QuerySet[Any], key: list[Any] | None, limit: int, *, backwards: bool
    ) -> list[Any]:
        descending = self.descending != backwards
        if key is not None:
            try:
                queryset = queryset.filter(self._after(key, "lt" if descending else "gt"))
            except (ValidationError, ValueError, TypeError) as error:
                raise Problem(410) from error
        sign = "-" if descending else ""
        return list(queryset.order_by(*(sign + name for name in self.columns))[: limit + 1])

    def _after(self, key: list[Any], than: str) -> Q:
        beyond, equal = Q(), Q()
        for name, value in zip(self.columns, key, strict=True):
            beyond |= equal & Q(**{f"{name}__{than}": value})
            equal &= Q(**{name: value})
        # Says the same about the first column alone, so that an index range can serve it.
        return Q(**{f"{self.columns[0]}__{than}e": key[0]}) & beyond

    def _link(self, row: Any, direction: str) -> str:
        key = []
        for column in self.columns:
            value = row
            for part in column.split("__"):
                value = value[part] if isinstance(value, dict) else getattr(value, part)
            key.append(value.isoformat() if hasattr(value, "isoformat") else str(value))
        cursor = SIGNER.sign_object([direction, self._filters(), key], compress=True)
        parameters = self.request.query_params.copy()
        parameters["cursor"] = cursor
        return f"{self.request.path}?{parameters.urlencode()}"

    def _open(self, cursor: str) -> tuple[list[Any], bool]:
        try:
            direction, filters, key = SIGNER.unsign_object(cursor)
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise Problem(410) from error
        if filters != self._filters() or len(key) != len(self.columns):
            raise Problem(410)
        return key, direction == "p"

    def _filters(self) -> str:
        rest = sorted(
            (name, value)
            for name, values in self.request.query_params.lists()
            for value in values
            if name not in PARAMETERS
        )
        return hashlib.sha256(f"{self.request.path}{rest}".encode()).hexdigest()[:12]

    def get_paginated_response(self, data: Any) -> Response:
        page = {"results": data, "next": self.next, "previous": self.previous}
        if self.total is not None:
            page["count"] = self.total
        return Response(page)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        path = {"type": ["string", "null"], "maxLength": 4096, "pattern": r"^/api/v1/[!-~]+$"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": {**schema, "maxItems": MAXIMUM_LIMIT},
                "next": {**path, "description": "Path of the next page, or null."},
                "previous": {**path, "description": "Path of the page before, or null."},
                "count": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "maximum": 2147483647,
                    "description": "All rows; only with `count=true`.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": MAXIMUM_LIMIT,
            "default": DEFAULT_LIMIT,
        }
        cursor = {"type": "string", "maxLength": 4096, "pattern": "^[A-Za-z0-9:._-]+$"}
        offered = {
            "limit": ("How many rows at most.", limit),
            "cursor": ("As it stands in `next` or `previous`.", cursor),
            "count": ("Whether to count all rows.", {"type": "boolean", "default": False}),
        }
        return [
            {"name": name, "in": "query", "description": description, "schema": schema}
            for name, (description, schema) in offered.items()
        ]


def read_limit(request: Request) -> int:
    """Read ``limit``; outside 1–100 is refused, because the document says so."""
    given = request.query_params.get("limit")
    if given is None:
        return DEFAULT_LIMIT
    if not LIMIT.fullmatch(given):
        raise bad_parameter("limit", "invalid", translate("A whole number from 1 to 100."))
    return int(given)


def read_flag(request: Request, name: str) -> bool:
    """Read a flag: ``true`` or ``false``."""
    given = request.query_params.get(name, "false")
    if given not in {"true", "false"}:
        raise bad_parameter(name, "invalid", translate("Either true or false."))
    return given == "true"
