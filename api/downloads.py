"""Bytes on their way out: signed links to stored files, and answers that are not JSON."""

import time
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner, b62_encode
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed

from api import problems
from api.authentication import BearerToken
from people import journal
from people.models import StoredFile, User

LINK_SECONDS = 300
# Links made in the same window are the same, so that an unchanged answer keeps its ETag, and a
# link repeated by a 304 still works for at least the other half.
WINDOW_SECONDS = 150
INLINE = frozenset({"image/jpeg", "image/png", "image/webp"})
# What shows somebody's person; a roster is on record with its import.
ON_RECORD = frozenset(
    {StoredFile.Purpose.EVIDENCE, StoredFile.Purpose.DOCUMENT, StoredFile.Purpose.ATTENDANCE_PHOTO}
)
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Signer(TimestampSigner):
    def timestamp(self) -> str:
        now = int(time.time())
        return b62_encode(now - now % WINDOW_SECONDS)


_signer = _Signer(salt="stored-file")


def link(file: StoredFile, variant: str = "", *, to: User) -> str:
    """Make an address under which this one person can read the file for at most five minutes.

    Whoever calls has made sure that the person can see the object that the file belongs to.
    """
    token = _signer.sign_object([str(file.pk), variant, str(to.pk)], compress=False)
    return f"{settings.PUBLIC_URL}/files/{token}"


@require_safe
def stored_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Stream what a signed link names; a link that is old, altered or another's leads nowhere."""
    try:
        file_id, variant, user_id = _signer.unsign_object(token, max_age=LINK_SECONDS)
    except (BadSignature, ValueError):
        return problems.plain(request, 404)
    file = StoredFile.objects.filter(pk=file_id).first()
    reader = _reader(request, UUID(user_id))
    if file is None or reader is None:
        return problems.plain(request, 404)
    paths = {"": (file.path, file.media_type)}
    paths |= {each["name"]: (each["path"], "image/webp") for each in file.variants}
    path, media_type = paths[variant]
    try:
        content = default_storage.open(path)
    except FileNotFoundError:
        return problems.plain(request, 404)
    if request.method == "GET" and file.purpose in ON_RECORD:
        journal.record("file.open", file, by=reader, at=timezone.now(), variant=variant)
    response = FileResponse(
        content,
        as_attachment=media_type not in INLINE,
        filename=file.name if not variant else f"{variant}.webp",
        content_type=media_type,
    )
    response["Cache-Control"] = f"private, max-age={WINDOW_SECONDS}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _reader(request: HttpRequest, user_id: UUID) -> User | None:
    """An image loader sends no token; one that is sent has to be the same person's."""
    try:
        found = BearerToken().authenticate(request)  # type: ignore[arg-type]  # reads META only
    except AuthenticationFailed:
        return None
    if found is not None and found[0].pk != user_id:
        return None
    return User.objects.filter(pk=user_id, is_active=True).first()


def attachment(content: bytes, media_type: str, filename: str) -> HttpResponse:
    """Answer bytes made for this caller: saved, never shown in place, never kept on the way."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
