"""A retried request is not a second one: key, effect and answer commit in one transaction."""

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as translate
from rest_framework.request import Request
from rest_framework.response import Response

from api import rendering
from api.problems import Problem, bad_parameter
from people import locks
from people.models import StoredAnswer

KEY = re.compile(r'^"?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"?$')
KEPT_HEADERS = ("Location", "ETag", "Content-Type", "Retry-After")
KEPT_DAYS = 30


def read_key(request: Request) -> uuid.UUID:
    """Read ``Idempotency-Key``: a UUID, bare or quoted."""
    match = KEY.match(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))
    if match is None:
        raise bad_parameter(
            "Idempotency-Key", "idempotency_key_required", translate("Send a UUID in this header.")
        )
    return uuid.UUID(match[1])


def fingerprint(request: Request) -> str:
    """Hash what makes two requests the same: method, path and body (files by their bytes)."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        for name, value in sorted(request.data.lists()):  # type: ignore[union-attr]
            for part in value:
                content = part.read() if hasattr(part, "read") else str(part).encode()
                digest.update(f"{name}:{len(content)}:".encode() + content)
                if hasattr(part, "seek"):
                    part.seek(0)
    else:
        digest.update(request._request.body)
    return digest.hexdigest()


def once(
    handler: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Run the handler once per key; a later twin gets the stored answer.

    Only 2xx answers are stored: what was refused may be corrected and sent again.

    :raises Problem: 400 without a key, 409 while a twin runs, 422 for another body
    """
    key, print_ = read_key(request), fingerprint(request)
    try:
        with transaction.atomic():
            # On SQLite twins queue, and the second one finds the stored answer.
            if not locks.try_hold(f"idempotency key|{_caller(request)}|{key}"):
                raise Problem(409, "in_progress", headers={"Retry-After": "2"}, retryable=True)
            if stored := find(request, key):
                return replay(stored, print_)
            response = handler(request, *args, **kwargs)
            if 200 <= response.status_code < 300:
                answer(request, key, print_, response, at=timezone.now()).save(force_insert=True)
    except IntegrityError:
        # The twin committed first; whatever else collided is the handler's own conflict.
        if stored := find(request, key):
            return replay(stored, print_)
        raise
    return response


def _caller(request: Request) -> uuid.UUID:
    pk = request.user.pk
    assert pk is not None
    return pk


def find(request: Request, key: uuid.UUID) -> StoredAnswer | None:
    """Find what was answered to this caller under this key."""
    return StoredAnswer.objects.filter(user_id=_caller(request), key=key).first()


def answer(
    request: Request, key: uuid.UUID, print_: str, response: HttpResponse, *, at: datetime
) -> StoredAnswer:
    """Make the row that keeps an answer."""
    return StoredAnswer(
        user_id=_caller(request),
        key=key,
        fingerprint=print_,
        status=response.status_code,
        headers=_headers(response),
        body=_body(response),
        created_at=at,
    )


def _headers(response: HttpResponse) -> dict[str, str]:
    kept = {name: response[name] for name in KEPT_HEADERS if name in response}
    if isinstance(response, Response):  # it learns its type only when it is rendered
        kept.pop("Content-Type", None)
    return {**kept, "Content-Language": get_language() or ""}


def _body(response: HttpResponse) -> bytes:
    if not isinstance(response, Response):
        return response.content
    return b"" if response.data is None else rendering.dumps(response.data)


def replay(stored: StoredAnswer, print_: str) -> HttpResponse:
    """Give the stored answer again.

    :raises Problem: 422 if the key was used for another request
    """
    if stored.fingerprint != print_:
        raise Problem(422)
    response = HttpResponse(
        bytes(stored.body), status=stored.status, content_type="application/json"
    )
    if not stored.body:
        del response["Content-Type"]
    for name, value in stored.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response
