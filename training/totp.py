"""The rotating check-in code: RFC 6238 TOTP with SHA-1 and six digits, as any library shows it."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime

DIGITS = 6
SECRET_BYTES = 20  # as long as the hash, which RFC 4226 §4 asks for


def new_secret() -> str:
    """Draw the secret of one session, in base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(moment: datetime, step_seconds: int) -> int:
    """Tell the number of the time step that a moment falls in."""
    return int(moment.timestamp()) // step_seconds


def start_of(step: int, step_seconds: int) -> datetime:
    """Tell when a time step begins."""
    return datetime.fromtimestamp(step * step_seconds, UTC)


def code_of(secret: str, step: int, digits: int = DIGITS) -> str:
    """Compute the code of a time step (RFC 4226 §5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def shows(secret: str, step: int, code: str) -> bool:
    """Tell whether the code is the one of the time step."""
    return hmac.compare_digest(code_of(secret, step), code)
