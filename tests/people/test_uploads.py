"""A file in parts: any order, sent again, put together once."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from people import files, uploads
from people.models import StoredFile, UploadSession, User

# Two whole parts and a bit; a PDF is kept as it was sent.
CONTENT = b"%PDF-1.7\n" + bytes(range(256)) * 2100
PART = 256 * 1024
PARTS = [CONTENT[:PART], CONTENT[PART : 2 * PART], CONTENT[2 * PART :]]
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A disk of the test's own."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "base_url": None},
        }
    }
    return tmp_path


def on_disk(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {re.sub(r"/.*", "", str(path)) for path in found}


@pytest.fixture
def session(trainee: User) -> UploadSession:
    return uploads.begin(
        "证明.pdf", len(CONTENT), DIGEST, "evidence", by=trainee, at=timezone.now()
    )


def send(session: UploadSession, number: int, content: bytes, **given: Any) -> UploadSession:
    at = given.get("at", timezone.now())
    return uploads.receive(session, number, content, by=session.uploaded_by, at=at)


def finish(session: UploadSession, **given: Any) -> StoredFile:
    at = given.get("at", timezone.now())
    return uploads.complete(session, by=session.uploaded_by, at=at)


def test_parts_in_any_order_make_the_file(
    session: UploadSession,
    folder: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for number in (2, 0, 1):
            send(session, number, PARTS[number])
        assert session.received_parts == [0, 1, 2]
        file = finish(session)

    assert (file.name, file.sha256, file.size) == ("证明.pdf", DIGEST, len(CONTENT))
    assert Path(folder, file.path).read_bytes() == CONTENT
    assert on_disk(folder) == {"files"}
    assert session.received_parts == [0, 1, 2]


def test_part_sent_again_replaces_itself(session: UploadSession) -> None:
    send(session, 0, b"\x00" * PART)
    for number in (0, 0, 1, 2):
        send(session, number, PARTS[number])

    assert session.received_parts == [0, 1, 2]
    assert finish(session).sha256 == DIGEST


def test_missing_parts_are_named(session: UploadSession) -> None:
    send(session, 1, PARTS[1])

    with pytest.raises(uploads.PartsMissing) as refused:
        finish(session)
    assert refused.value.facts == {"missing": [0, 2]}


@pytest.mark.parametrize(
    ("number", "content"),
    [(0, PARTS[0][:-1]), (0, PARTS[0] + b"x"), (2, PARTS[0]), (3, b"x"), (0, b""), (10**9, b"x")],
    ids=["short", "long", "long last one", "no such part", "empty", "far away"],
)
def test_part_of_another_size_is_refused(
    session: UploadSession, number: int, content: bytes, folder: Path
) -> None:
    with pytest.raises(uploads.WrongPart):
        send(session, number, content)

    assert on_disk(folder) == set()


def test_damaged_whole_is_refused_and_can_be_mended(session: UploadSession) -> None:
    for number, content in enumerate([PARTS[0], PARTS[1], PARTS[2][:-1] + b"\x00"]):
        send(session, number, content)
    with pytest.raises(files.WrongDigest):
        finish(session)

    send(session, 2, PARTS[2])

    assert finish(session).sha256 == DIGEST


def test_completing_again_answers_the_same_file(session: UploadSession) -> None:
    for number, content in enumerate(PARTS):
        send(session, number, content)

    assert finish(session).pk == finish(session).pk
    with pytest.raises(uploads.UploadClosed):
        send(session, 0, PARTS[0])


def test_session_lasts_a_day_and_is_forgotten_with_its_parts(
    session: UploadSession,
    folder: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send(session, 0, PARTS[0])
    tomorrow = session.created_at + timedelta(hours=24)
    with pytest.raises(uploads.UploadClosed):
        send(session, 1, PARTS[1], at=tomorrow)
    with pytest.raises(uploads.UploadClosed):
        finish(session, at=tomorrow)

    with django_capture_on_commit_callbacks(execute=True):
        assert uploads.discard_expired(at=tomorrow - timedelta(seconds=1)) == 0
        assert uploads.discard_expired(at=tomorrow) == 1

    assert not UploadSession.objects.exists()
    assert on_disk(folder) == set()


def test_twenty_unfinished_uploads_are_enough(trainee: User, officer: User) -> None:
    at = timezone.now()
    for _ in range(20):
        uploads.begin("a.pdf", 9, DIGEST, "evidence", by=trainee, at=at)

    with pytest.raises(uploads.TooManyUploads):
        uploads.begin("a.pdf", 9, DIGEST, "evidence", by=trainee, at=at)
    uploads.begin("a.pdf", 9, DIGEST, "evidence", by=officer, at=at)
    uploads.begin("a.pdf", 9, DIGEST, "evidence", by=trainee, at=at + timedelta(hours=24))
