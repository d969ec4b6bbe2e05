"""Personal data at rest: an encrypted text field, and a keyed index to find exact values.

AES-256-GCM with a key id in the value, so that keys can be rotated; the column's name is the
associated data, so a value moved to another column does not decrypt. The blind index is
HMAC-SHA-256 under its own key: identity numbers have low entropy, a bare hash could be reversed.
"""

import base64
import hashlib
import hmac
import ipaddress
import os
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models


@cache
def _cipher(key_id: str) -> AESGCM:
    return AESGCM(base64.b64decode(settings.FIELD_KEYS[key_id]))


def encrypt(plain: str, *, label: str) -> str:
    """Encrypt a text for the column that the label names."""
    key_id = next(iter(settings.FIELD_KEYS))
    nonce = os.urandom(12)
    sealed = _cipher(key_id).encrypt(nonce, plain.encode(), label.encode())
    return f"{key_id}.{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, label: str) -> str:
    """Decrypt what ``encrypt`` stored.

    :raises cryptography.exceptions.InvalidTag: if it was altered or moved to another column
    """
    key_id, _, sealed = stored.partition(".")
    raw = base64.b64decode(sealed)
    return _cipher(key_id).decrypt(raw[:12], raw[12:], label.encode()).decode()


def blind_index(value: str, *, label: str) -> str:
    """Hash a normalised value so that it can be found by equality and by nothing else."""
    return hmac.new(settings.INDEX_KEY, f"{label}|{value}".encode(), hashlib.sha256).hexdigest()


def phone_index(phone: str) -> str:
    """Hash a phone number for finding it; the same hash for accounts and for persons."""
    return blind_index(phone, label="phone")


def address_index(address: str) -> str:
    """Hash a client's address; whoever has one of IPv6 has the other 2^64 beside it too."""
    try:
        network = ipaddress.IPv6Network(f"{address}/64", strict=False)
    except ValueError:
        return blind_index(address, label="address")
    return blind_index(str(network), label="address")


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database only ever sees encrypted; it cannot be filtered or ordered by."""

    @property
    def label(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value, label=self.label) if value else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value, label=self.label) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
