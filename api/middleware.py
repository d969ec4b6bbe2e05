"""What surrounds every request: its id, its limits, compression and the method override."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from api import problems
from people.tracing import request_id

Next = Callable[[HttpRequest], HttpResponse]

REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,36}$")
LENGTH = re.compile(r"[0-9]{1,12}")
HEADER_BYTES = 32 * 1024
BODY_BYTES = 1024 * 1024
# Files and sheets have their own limits at their own doors.
LARGE_BODIES = re.compile(r"/(files|roster-imports)$|/parts/\d+$")
LARGE_BODY_BYTES = 12 * 1024 * 1024


class RequestContext:
    """Names the request, refuses oversized ones, and turns anything that escapes into a problem."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if REQUEST_ID.match(given) else str(uuid.uuid4())
        request.request_id = name  # type: ignore[attr-defined]  # for what is logged afterwards
        token = request_id.set(name)
        try:
            response = self.refused(request) or self.get_response(request)
            if self.is_foreign(request, response):
                # Django's own pages: unknown paths and crashes in debug mode, forbidden hosts.
                logged = getattr(response, "_has_been_logged", False)
                response = problems.plain(request, response.status_code)
                response._has_been_logged = logged  # type: ignore[attr-defined]
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = name
        return response

    def is_foreign(self, request: HttpRequest, response: HttpResponse) -> bool:
        kind = response.get("Content-Type", "")
        return (
            request.path.startswith("/api/")
            and response.status_code in problems.CODES
            and kind.startswith("text/html")
        )

    def refused(self, request: HttpRequest) -> HttpResponse | None:
        if "\x00" in request.path:
            return problems.plain(request, 404)
        size = sum(len(k) + len(str(v)) for k, v in request.META.items() if k.startswith("HTTP_"))
        if size > HEADER_BYTES or len(request.META.get("QUERY_STRING", "")) > HEADER_BYTES // 4:
            return problems.plain(request, 431, "headers_too_large")
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = LARGE_BODY_BYTES if LARGE_BODIES.search(request.path) else BODY_BYTES
        if not LENGTH.fullmatch(length) or int(length) > limit:
            return problems.plain(request, 413, "body_too_large")
        return None


class Compression(GZipMiddleware):
    """Compresses from 512 bytes; certificates, images and sheets are compressed already."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.get("Content-Type", "")
        small = isinstance(response, HttpResponse) and len(response.content) < 512
        if small or not kind.startswith(("application/json", "application/problem", "text/")):
            return response
        return super().process_response(request, response)


class MethodOverride:
    """Lets ``POST`` with ``X-HTTP-Method-Override: PATCH`` mean PATCH, for mini-programs.

    The method is changed before routing, so rights, limits and ``If-Match`` are those of PATCH.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        override = request.META.get("HTTP_X_HTTP_METHOD_OVERRIDE")
        if override is not None and request.path.startswith("/api/"):
            if request.method != "POST" or override.upper() != "PATCH":
                return problems.plain(
                    request, 400, "bad_method_override", parameter="X-HTTP-Method-Override"
                )
            request.method = "PATCH"
        return self.get_response(request)
