"""JSON in and out, strict and fast.

This module imports no ``rest_framework.views``: settings name it, and views import settings.
"""

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as translate
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from people.days import local_time

DEPTH = 20


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Promise):
        return str(value)
    if isinstance(value, datetime):
        return local_time(value)
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError


def dumps(data: Any) -> bytes:
    """Write JSON; decimals become strings, moments are told in local time with their offset."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps(data, default=_plain, option=options)


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dumps(data)


class OnlyOneKind(BaseContentNegotiation):
    """Answers what the door answers: an image loader's ``Accept`` must not hide a problem."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class JSONParser(BaseParser):
    """Accepts an object, no deeper than 20, without NUL, infinities or lone surrogates."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = orjson.loads(stream.read() or b"{}")
        except orjson.JSONDecodeError as error:
            raise ParseError(translate("Not valid JSON.")) from error
        _inspect(data, DEPTH)
        return data


def _inspect(value: Any, depth: int) -> None:
    if depth == 0:
        raise ParseError
    if isinstance(value, dict):
        for key, inner in value.items():
            _inspect(key, depth)
            _inspect(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _inspect(inner, depth - 1)
    elif _is_unspeakable(value):
        raise ParseError


def _is_unspeakable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    return isinstance(value, float) and not math.isfinite(value)
