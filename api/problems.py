"""Everything that goes wrong, in one shape: ``application/problem+json`` (RFC 9457).

The only place where the domain's refusals meet HTTP. Input is never echoed.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from api.collisions import broke_primary_key, broken_constraint
from people.identifiers import BadIdentifier
from people.refusals import IdTaken, Refusal
from people.tracing import request_id

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: _("The request is not valid."),
    401: _("Please sign in."),
    403: _("You may not do this."),
    404: _("There is nothing here."),
    405: _("This method is not offered here."),
    406: _("Answers here are JSON."),
    409: _("The rules do not allow this now."),
    410: _("This cursor no longer works. Please start over."),
    412: _("The record has changed meanwhile."),
    413: _("The request is too large."),
    415: _("This media type is not accepted here."),
    422: _("This idempotency key was used for another request."),
    428: _("Please say which version you are changing (If-Match)."),
    429: _("Too many requests. Please wait."),
    431: _("The request headers are too large."),
    500: _("Something went wrong on our side."),
    503: _("The service is busy. Please try again."),
}
CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    410: "cursor_expired",
    412: "stale_version",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "idempotency_key_reused",
    428: "if_match_required",
    429: "throttled",
    431: "headers_too_large",
    500: "server_error",
    503: "unavailable",
}
# What a door itself says under a status that usually means something else.
SENTENCES = {
    "conflict": _("This collides with another record."),
    "in_progress": _("The same request is still being worked on."),
    "malformed": _("Not valid JSON."),
    "bad_method_override": _("Only POST can be overridden, and only by PATCH."),
}
MAXIMUM_ERRORS = 100
RETRYABLE = frozenset({429, 500, 503})
# Refusals that are about who is asking, or how often, rather than about the state of things.
STATUSES = {
    "wrong_credentials": 401,
    "token_dead": 401,
    "too_many_codes": 429,
    "too_many_attempts": 429,
    "bad_policy_values": 400,
    "not_yours": 403,
    "role_not_yours_to_give": 403,
    "unreadable_sheet": 400,
    "too_many_rows": 400,
    "headers_not_found": 400,
    "duplicate_header": 400,
    "sheet_too_large": 413,
    "unreadable_image": 400,
    "bad_file_name": 400,
    "purpose_required": 400,
    "file_too_large": 413,
    "wrong_digest": 400,
    "wrong_media_type": 415,
}

# What Django raises by itself; the particular stands before the general.
DJANGOS: list[tuple[type[Exception], int]] = [
    (Http404, 404),
    (PermissionDenied, 403),
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    # A value that no form has bounded met a column or a calendar that has bounds.
    (DjangoValidationError, 400),
    (OverflowError, 400),
    (DataError, 400),
    # Locked, timed out, a deadlock's victim, or gone: it may work in a moment.
    (OperationalError, 503),
    (InterfaceError, 503),
]


FORESEEN = (
    Refusal,
    BadIdentifier,
    exceptions.APIException,
    Http404,
    PermissionDenied,
    RequestDataTooBig,
)


class Problem(exceptions.APIException):
    """A refusal of the door itself, not of the domain."""

    def __init__(
        self,
        status: int,
        code: str = "",
        *,
        errors: list[dict[str, Any]] | None = None,
        facts: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        retryable: bool = False,
    ) -> None:
        self.status_code = status
        self.code = code or CODES[status]
        self.errors, self.facts, self.headers = errors, facts, headers or {}
        self.retryable = retryable
        super().__init__(self.code)


def bad_parameter(name: str, code: str, detail: str) -> Problem:
    """Name a query parameter or header that can never be right as sent."""
    return Problem(400, errors=[{"parameter": name, "code": code, "detail": detail}])


def bad_member(name: str, code: str, detail: str) -> Problem:
    """Name a member of the body that can never be right as sent."""
    return Problem(400, errors=[{"pointer": f"#/{name}", "code": code, "detail": detail}])


def document(
    status: int,
    code: str,
    *,
    title: str = "",
    errors: list[dict[str, Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
    retryable: bool = False,
) -> dict[str, Any]:
    """Make the one shape."""
    sentence = title or str(SENTENCES.get(code) or TITLES.get(status, TITLES[400]))
    problem: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL}/problems/{code}",
        "title": sentence,
        "status": status,
        "detail": sentence,
        "code": code,
        "request_id": request_id.get(),
        "retryable": retryable or status in RETRYABLE,
    }
    if errors:
        problem["errors"] = errors[:MAXIMUM_ERRORS]
        problem["detail"] = errors[0]["detail"]
    if facts:
        problem["facts"] = facts
    return problem


def answer(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever a view raised into a problem (DRF's exception handler)."""
    status, body, headers = _translate(_recognised(exc, context))
    logged = False
    if status >= 500 or not isinstance(exc, FORESEEN):
        # A guard stood behind the code and held: worth a look even where the caller is to blame.
        level = logging.ERROR if status >= 500 else logging.WARNING
        asked = context.get("request")
        told = (status, getattr(asked, "method", ""), getattr(asked, "path", ""))
        logger.log(level, "unforeseen, answered %s: %s %s", *told, exc_info=exc)
        logged = True
    response = Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)
    response._has_been_logged = logged  # type: ignore[attr-defined]  # Django would do it again
    response.exception = True
    return response


def _recognised(exc: Exception, context: Mapping[str, Any]) -> Exception:
    """Name the collision of an id that the client made; nothing else does it by that column."""
    if isinstance(exc, IntegrityError) and broke_primary_key(exc):
        asked = getattr(context.get("request"), "data", None)
        given = asked.get("id") if isinstance(asked, Mapping) else None
        if given:
            return IdTaken(id=str(given))
    return exc


def _translate(exc: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    if isinstance(exc, Refusal):
        status = STATUSES.get(exc.code, 409)
        wait = exc.facts.get("retry_after")
        headers = {"Retry-After": str(wait)} if wait else {}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return status, document(status, exc.code, title=str(exc.title), facts=exc.facts), headers
    if isinstance(exc, BadIdentifier):
        errors = [{"pointer": "#", "code": exc.code, "detail": str(exc)}]
        return 400, document(400, "invalid", errors=errors), {}
    if isinstance(exc, Problem):
        status = exc.status_code
        body = document(
            status, exc.code, errors=exc.errors, facts=exc.facts, retryable=exc.retryable
        )
        return status, body, dict(exc.headers)
    if isinstance(exc, exceptions.APIException):
        return _of_rest_framework(exc)
    if isinstance(exc, IntegrityError):
        name = broken_constraint(exc)
        return 409, document(409, "conflict", facts={"constraint": name} if name else None), {}
    status = next((status for kind, status in DJANGOS if isinstance(exc, kind)), 500)
    return status, document(status, CODES[status]), {"Retry-After": "2"} if status == 503 else {}


def _of_rest_framework(
    exc: exceptions.APIException,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(exc, exceptions.ValidationError):
        return 400, document(400, "invalid", errors=list(_errors(exc.detail, "#"))), headers
    if isinstance(exc, exceptions.ParseError):
        errors = [{"pointer": "#", "code": "malformed", "detail": translate("Not valid JSON.")}]
        return 400, document(400, "malformed", errors=errors), headers
    status = exc.status_code
    return status, document(status, CODES.get(status, "invalid")), headers


def _errors(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            step = "" if name == "non_field_errors" else f"/{escaped}"
            yield from _errors(inner, pointer + step)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _errors(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        code = getattr(detail, "code", "invalid")
        yield {
            "pointer": pointer,
            "code": code,
            "detail": said(code, str(detail)),
        }


def said(code: str, detail: str) -> str:
    """Give the sentence of an error; those that repeat what was sent have one of ours instead."""
    return translate("This is not one of the choices.") if code == "invalid_choice" else detail


def plain(
    request: HttpRequest, status: int, code: str = "", *, parameter: str = ""
) -> HttpResponse:
    """Answer outside of any view: unknown paths, middleware, crashes."""
    language = get_language_from_request(request)
    code = code or CODES[status]
    # Outside of LocaleMiddleware the thread still speaks the language of an earlier request.
    with override(language):
        named = {"parameter": parameter, "code": code, "detail": str(SENTENCES.get(code, ""))}
        body = document(status, code, errors=[named] if parameter else None)
    response = HttpResponse(orjson.dumps(body), status=status, content_type=MEDIA_TYPE)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept-Language"])
    return response
