"""What every operation of the document shares: headers, problems, parameters."""

from typing import Any

from api.problems import CODES, MEDIA_TYPE, TITLES

BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
# A dead token is refused (401) even where none is needed.
OPTIONAL_BEARER: list[dict[str, list[str]]] = [{}, {"bearer": []}]
REQUEST_ID = "0198c0de-7a3b-7c4d-8e5f-0a1b2c3d4e5f"
# What a text may be: NUL is refused wherever it stands, and a required one may not be blank.
TEXT = "^[^\\u0000]*$"
NOT_BLANK = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"

NAMES = {
    400: "BadRequest",
    401: "NotAuthenticated",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "DeadCursor",
    412: "StaleVersion",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "KeyReused",
    428: "VersionRequired",
    429: "Throttled",
    500: "ServerError",
    503: "Unavailable",
}
DESCRIPTIONS = {
    400: "Can never be valid as sent; `errors` names each member, parameter or header.",
    401: "There is no token, or it is expired or revoked.",
    403: "Visible, but this action is not yours.",
    404: "Absent, or out of your sight: the same bytes for both.",
    409: "The rules do not allow it now, or a twin of this request is still running.",
    410: "The cursor is dead, for instance because the filters changed. Start over without it.",
    412: "The record has changed since; `facts.current_version` is its version now.",
    413: "The body is larger than this door takes.",
    415: "The body has a media type that this door does not take.",
    422: "The idempotency key was used before for another request.",
    428: "`If-Match` is missing.",
    429: "Too many requests; wait as long as `Retry-After` says.",
    500: "A fault of ours; repeat with the same idempotency key.",
    503: "Busy; repeat after `Retry-After` seconds with the same idempotency key.",
}

# What the door itself answers 409 with, beside the named refusals of the verb.
DOOR_CODES = ("conflict", "id_taken", "in_progress")


def _text(description: str, limit: int, pattern: str) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": limit, "pattern": pattern}
    return {"description": description, "schema": schema}


HEADERS: dict[str, Any] = {
    "X-Request-Id": _text(
        "Names the request in our logs; quote it when you report a problem.", 36, "^[A-Za-z0-9-]+$"
    ),
    "RateLimit-Policy": _text(
        "How many requests (q) in how many seconds (w).", 64, '^"[a-z]+";q=[0-9]+;w=[0-9]+$'
    ),
    "RateLimit": _text(
        "How many requests remain (r) for how many seconds (t).",
        64,
        '^"[a-z]+";r=[0-9]+;t=[0-9]+$',
    ),
    "Content-Language": _text("The language of the sentences.", 20, "^[A-Za-z-]+$"),
    "Access-Control-Allow-Origin": _text(
        "Only for web origins that the operator has allowed.", 200, "^(\\*|https?://[!-~]+)$"
    ),
    "ETag": _text(
        "The version, for `If-Match` and `If-None-Match`.", 100, '^(W/)?"[\\x21\\x23-\\x7e]+"$'
    ),
    "Idempotent-Replayed": {
        "description": "Present when this is the stored answer to an earlier twin.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before repeating.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
    },
    "WWW-Authenticate": _text("The scheme: `Bearer`.", 100, "^Bearer"),
}
ALWAYS = (
    "X-Request-Id",
    "RateLimit-Policy",
    "RateLimit",
    "Content-Language",
    "Access-Control-Allow-Origin",
)


def headers(*more: str) -> dict[str, Any]:
    """Refer to the headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *more)}


PARAMETERS: dict[str, Any] = {
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "example": "en",
        **_text("`zh-Hans` (default) or `en`.", 100, "^[A-Za-z0-9,;=.* -]+$"),
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "example": REQUEST_ID,
        **_text(
            "A UUID that the client made for this attempt, bare or in quotes. A repetition with "
            "the same key has no second effect, for 30 days.",
            38,
            '^"?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"?$',
        ),
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "example": '"5f2b8c1d9e0a4b6c7d8e9f01"',
        **_text(
            "The ETag of the version that is being changed. `*` names none and is 412 like a stale "
            "one.",
            200,
            "^[\\x20-\\x7e]+$",
        ),
    },
    "MayMatch": {
        "name": "If-Match",
        "in": "header",
        "example": '"5f2b8c1d9e0a4b6c7d8e9f01"',
        **_text(
            "If sent, the ETag of the version that is being changed. `*` is 412.",
            200,
            "^[\\x20-\\x7e]+$",
        ),
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "example": '"5f2b8c1d9e0a4b6c7d8e9f01"',
        **_text("The ETag that the client has; unchanged is 304.", 200, "^[\\x20-\\x7e]+$"),
    },
}


def example(status: int, code: str = "", title: str = "") -> dict[str, Any]:
    """Make an example of a problem."""
    code = code or CODES.get(status, "conflict")
    sentence = title or str(TITLES[status])
    problem: dict[str, Any] = {
        "type": f"https://qihang.example/problems/{code}",
        "title": sentence,
        "status": status,
        "detail": sentence,
        "code": code,
        "request_id": REQUEST_ID,
        "retryable": status in {429, 500, 503},
    }
    if status == 400:
        detail = "This field is required."
        problem["errors"] = [{"pointer": "#/name", "code": "required", "detail": detail}]
        problem["detail"] = detail
    return problem


def response(status: int, description: str = "", shown: dict[str, Any] | None = None) -> Any:
    """Make the answer for one status of a problem."""
    extra = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
    if status == 409:
        extra[409] = ("Retry-After",)
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description or DESCRIPTIONS[status],
        "headers": headers(*extra.get(status, ())),
        "content": {MEDIA_TYPE: {"schema": reference, "example": shown or example(status)}},
    }


def _string(limit: int, pattern: str, description: str) -> dict[str, Any]:
    return {
        "type": "string",
        "maxLength": limit,
        "pattern": pattern,
        "description": description,
    }


CODE = "^[a-z][a-z0-9_]*$"
SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "Whatever goes wrong has this shape (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id", "retryable"],
        "properties": {
            "type": {"type": "string", "format": "uri", "maxLength": 300},
            "title": _string(500, NOT_BLANK, "A sentence for the person, in their language."),
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
            "detail": _string(1000, NOT_BLANK, "The first error's sentence, or the title."),
            "code": _string(64, CODE, "For the program: never changes with the language."),
            "request_id": _string(36, "^[A-Za-z0-9-]*$", "Names the request in our logs."),
            "retryable": {"type": "boolean", "description": "Whether repeating can help."},
            "errors": {
                "type": "array",
                "maxItems": 100,
                "items": {"$ref": "#/components/schemas/ProblemError"},
            },
            "facts": {"type": "object", "description": "The values behind a refusal."},
        },
    },
    "ProblemError": {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "pointer": _string(500, "^#", "JSON pointer into the request body."),
            "parameter": _string(100, NOT_BLANK, "A query parameter or a header."),
            "code": _string(64, CODE, "For the program."),
            "detail": _string(1000, NOT_BLANK, "A sentence for the person."),
        },
    },
}

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `access` token of `POST /api/v1/auth/tokens`; opaque, for 15 minutes.",
    }
}
