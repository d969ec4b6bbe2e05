"""Opaque tokens: drawn or derived, hashed for storing, and recognised as ours."""

import base64
import hashlib
import hmac
from uuid import UUID

from django.conf import settings

SEAL_BYTES = 16


def token_hash(token: str) -> str:
    """Hash a token of 256 random bits for storing and finding it."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(label: str, value: bytes) -> bytes:
    """Derive 256 bits that nobody else can."""
    return hmac.new(settings.INDEX_KEY, label.encode() + b"|" + value, hashlib.sha256).digest()


def text(raw: bytes) -> str:
    """Write bytes as the text of a token."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def make_refresh(session_id: UUID, secret: bytes) -> str:
    """Make a refresh token of a family."""
    # It names its family under our seal, so that a token of any generation is recognised as ours
    # long after its hash is gone, and a made-up one costs no query.
    named = session_id.bytes + secret
    return text(named + keyed("family", named)[:SEAL_BYTES])


def family(token: str) -> UUID | None:
    """Read whose family a refresh token belongs to; ``None`` if we never issued it."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    named, seal = raw[:-SEAL_BYTES], raw[-SEAL_BYTES:]
    ours = hmac.compare_digest(seal, keyed("family", named)[:SEAL_BYTES])
    # Bits that base64 ignores would make a second spelling of the same token.
    return UUID(bytes=named[:16]) if ours and text(raw) == token else None
