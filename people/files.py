"""Stored files: what people hand in, checked, stripped, and kept once."""

import hashlib
import re
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from people import images, journal, storage
from people.models import StoredFile, User
from people.refusals import Refusal

MAX_BYTES = 10 * 1024 * 1024
PDF = "application/pdf"
FOLDER = "files"
# No path, nothing that a terminal or a browser would act on.
PLAIN_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,120}")
_SIGNATURES = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    PDF: re.compile(rb"%PDF-[12]\.\d"),
}
_PDF_FOR = frozenset({StoredFile.Purpose.DOCUMENT, StoredFile.Purpose.EVIDENCE})


class FileTooLarge(Refusal):
    code = "file_too_large"
    title = _("The file is too large.")


class BadFileName(Refusal):
    code = "bad_file_name"
    title = _("A file name must not contain a path or control characters.")


class WrongDigest(Refusal):
    code = "wrong_digest"
    title = _("The file did not arrive as it was sent: its SHA-256 differs.")


class WrongMediaType(Refusal):
    code = "wrong_media_type"
    title = _("Files of this type are not accepted for this purpose.")


@transaction.atomic
def store(
    content: bytes, name: str, purpose: str, sha256: str, *, by: User, at: datetime
) -> StoredFile:
    """Keep a file; the same bytes from the same person for the same purpose are one file.

    ``sha256`` is that of the bytes as sent. Pictures are written anew before they are kept.

    :raises FileTooLarge: above 10 MiB
    :raises BadFileName: if the name is a path
    :raises WrongDigest: if the bytes are not those that were sent
    :raises WrongMediaType: if it is neither JPEG, PNG nor WEBP, nor a PDF where that is evidence
    :raises images.UnreadableImage: if the picture is broken or has too many pixels
    """
    digest = _check(content, name, sha256)
    same = StoredFile.objects.filter(uploaded_by=by, purpose=purpose, sha256=digest)
    if known := same.first():
        return known
    file = StoredFile(
        purpose=purpose,
        media_type=_media_type(content, purpose),
        name=name,
        sha256=digest,
        uploaded_by=by,
        created_at=at,
    )
    try:
        with transaction.atomic():
            _write(file, content)
            file.save(force_insert=True)
    except IntegrityError:
        # A twin committed meanwhile; ours is off the disk again with the savepoint.
        return same.get()
    journal.record("file.store", file, by=by, at=at, purpose=purpose, media_type=file.media_type)
    return file


def _check(content: bytes, name: str, sha256: str) -> str:
    if len(content) > MAX_BYTES:
        raise FileTooLarge(bytes_allowed=MAX_BYTES)
    if not PLAIN_NAME.fullmatch(name) or not name.strip(". "):
        raise BadFileName
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256.lower():
        raise WrongDigest(sha256=digest)
    return digest


def _media_type(content: bytes, purpose: str) -> str:
    for media_type, signature in _SIGNATURES.items():
        if signature.match(content) and (media_type != PDF or purpose in _PDF_FOR):
            return media_type
    raise WrongMediaType(accepted=[t for t in _SIGNATURES if t != PDF or purpose in _PDF_FOR])


def _write(file: StoredFile, content: bytes) -> None:
    variants: list[dict[str, Any]] = []
    if file.media_type != PDF:
        picture = images.clean(content, file.media_type)
        content, file.width, file.height = picture.content, picture.width, picture.height
        variants = [
            {
                "name": variant.name,
                "path": storage.put(variant.content, FOLDER),
                "width": variant.width,
                "height": variant.height,
                "size": len(variant.content),
            }
            for variant in picture.variants
        ]
    file.path = storage.put(content, FOLDER)
    file.size, file.variants = len(content), variants
