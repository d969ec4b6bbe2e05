"""Upload sessions: a file that arrives in parts, over a network that keeps breaking."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import files, journal, storage
from people.days import local_time
from people.models import StoredFile, UploadSession, User
from people.refusals import Refusal

PART_SIZE = 256 * 1024
LIFETIME = timedelta(hours=24)
OPEN_AT_ONCE = 20
FOLDER = "uploads"


class TooManyUploads(Refusal):
    code = "too_many_uploads"
    title = _("Too many uploads are open. Finish one, or wait a day.")


class UploadClosed(Refusal):
    code = "upload_closed"
    title = _("This upload is complete or has expired.")


class WrongPart(Refusal):
    code = "wrong_part"
    title = _("There is no such part, or it has another size.")


class PartsMissing(Refusal):
    code = "parts_missing"
    title = _("Some parts have not arrived yet.")


@transaction.atomic
def begin(
    name: str, size: int, sha256: str, purpose: str, *, by: User, at: datetime
) -> UploadSession:
    """Open a session of a day for a file of so many bytes.

    :raises TooManyUploads: if the caller has 20 unfinished ones
    """
    unfinished = UploadSession.objects.filter(uploaded_by=by, file=None, expires_at__gt=at)
    if unfinished.count() >= OPEN_AT_ONCE:
        raise TooManyUploads(open_at_once=OPEN_AT_ONCE)
    session = UploadSession.objects.create(
        purpose=purpose,
        name=name,
        size=size,
        sha256=sha256.lower(),
        part_size=PART_SIZE,
        uploaded_by=by,
        created_at=at,
        expires_at=at + LIFETIME,
    )
    journal.record("upload.begin", session, by=by, at=at, size=size, purpose=purpose)
    return session


@transaction.atomic
def receive(
    session: UploadSession, number: int, content: bytes, *, by: User, at: datetime
) -> UploadSession:
    """Keep a part, counted from 0; sent again, it replaces itself.

    :raises UploadClosed: if the file is complete or the session's day is over
    :raises WrongPart: if the file has no such part, or the part another size
    """
    session = _lock(session)
    if session.file_id or session.expires_at <= at:
        raise UploadClosed(expires_at=local_time(session.expires_at))
    wanted = min(session.part_size, session.size - number * session.part_size)
    if len(content) != wanted:
        raise WrongPart(parts=session.parts_count, bytes_wanted=max(wanted, 0))
    paths = {part["number"]: part["path"] for part in session.parts}
    if number in paths:
        storage.discard([paths[number]])
    paths[number] = storage.put(content, FOLDER)
    session.parts = [{"number": n, "path": paths[n]} for n in sorted(paths)]
    session.save(update_fields=["parts"])
    return session


@transaction.atomic
def complete(session: UploadSession, *, by: User, at: datetime) -> StoredFile:
    """Put the parts together and keep the file; once complete, the same file is answered again.

    :raises PartsMissing: naming the parts that are still to be sent
    :raises UploadClosed: if the session's day is over
    :raises Refusal: everything that ``files.store`` refuses
    """
    session = _lock(session)
    if session.file:
        return session.file
    if session.expires_at <= at:
        raise UploadClosed(expires_at=local_time(session.expires_at))
    missing = sorted(set(range(session.parts_count)) - set(session.received_parts))
    if missing:
        raise PartsMissing(missing=missing)
    paths = [part["path"] for part in session.parts]
    content = b"".join(storage.read(path) for path in paths)
    file = files.store(content, session.name, session.purpose, session.sha256, by=by, at=at)
    session.file, session.parts = file, []
    session.save(update_fields=["file", "parts"])
    storage.discard(paths)
    return file


@transaction.atomic
def discard_expired(*, at: datetime) -> int:
    """Forget sessions whose day is over, with their parts; how many there were."""
    expired = list(UploadSession.objects.select_for_update().filter(expires_at__lte=at)[:1000])
    storage.discard(part["path"] for session in expired for part in session.parts)
    UploadSession.objects.filter(pk__in=[session.pk for session in expired]).delete()
    return len(expired)


def _lock(session: UploadSession) -> UploadSession:
    session.refresh_from_db(from_queryset=UploadSession.objects.select_for_update())
    return session
