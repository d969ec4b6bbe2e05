"""Files are kept once, stripped, and only if they are what they say."""

import hashlib
import io
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from PIL import Image, ImageFile

from people import files, images
from people.models import JournalEntry, StoredFile, User
from people.refusals import Refusal
from tests import factories

GPS_LATITUDE, GPS_IFD, ORIENTATION = 2, 0x8825, 0x0112
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"


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


def on_disk(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (1200, 900), mode: str = "RGB", **options: Any
) -> bytes:
    written = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(written, kind, **options)
    return written.getvalue()


def photograph_with_position() -> bytes:
    """Lying on its side, with the place where it was taken and a comment."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS_IFD)[GPS_LATITUDE] = (27.0, 49.0, 48.0)
    return picture(exif=exif, comment=b"taken by Zhang Yangli")


def flood(width: int, height: int) -> bytes:
    """A PNG whose few bytes promise far more pixels than anyone has memory for."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 1_000_000))
        + chunk(b"IEND", b"")
    )


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        packed.writestr("payload.js", "alert(1)")
    return written.getvalue()


HOSTILE = {
    "pixel flood": flood(30_000, 30_000),
    "a little over twenty megapixels, and nothing wrong": picture("PNG", (5_000, 4_001), "1"),
    "long thin flood": flood(1, 2_000_000_000),
    "svg with a script": SVG,
    "html in front of a picture": b"<script>alert(1)</script>" + picture(),
    "gif": picture("GIF"),
    "gif that is a script": b"GIF89a/*" + b"\x00" * 20 + b"*/=alert(1)",
    "bitmap": picture("BMP"),
    "truncated jpeg": picture()[:-2000],
    "jpeg with nothing behind its header": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "truncated png": picture("PNG")[:-200],
    "png name on other bytes": b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
    "webp name on other bytes": b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"\xff" * 40,
    "archive": archive(),
    "pdf further in": b"\x00\x00" + PDF,
    "pdf in name only": b"%PDF-<script>alert(1)</script>",
    "no bytes": b"",
}


def store(
    content: bytes, by: User, purpose: str = "evidence", name: str = "a.jpg", sha256: str = ""
) -> StoredFile:
    digest = sha256 or hashlib.sha256(content).hexdigest()
    return files.store(content, name, purpose, digest, by=by, at=timezone.now())


def bytes_of(path: str) -> bytes:
    with default_storage.open(path) as stored:
        return stored.read()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_at_once_and_leaves_nothing(
    name: str, trainee: User, folder: Path
) -> None:
    begun = time.perf_counter()

    with pytest.raises(Refusal) as refused:
        store(HOSTILE[name], trainee)

    assert refused.value.code in {"unreadable_image", "wrong_media_type"}
    assert time.perf_counter() - begun < 2
    assert not StoredFile.objects.exists()
    assert on_disk(folder) == []


@pytest.mark.parametrize("name", ["../../x", "..", "a/b.jpg", "a\\b.jpg", "a\x00.jpg", "", "\n"])
def test_path_in_the_name_is_refused(name: str, trainee: User, folder: Path) -> None:
    with pytest.raises(files.BadFileName):
        store(picture(), trainee, name=name)

    assert on_disk(folder) == []


def test_more_than_ten_mebibytes_are_refused(trainee: User) -> None:
    with pytest.raises(files.FileTooLarge):
        store(b"%PDF-1.7" + b"\x00" * (10 * 1024 * 1024), trainee)


def test_file_that_arrived_damaged_is_refused(trainee: User, folder: Path) -> None:
    with pytest.raises(files.WrongDigest):
        store(picture(), trainee, sha256="0" * 64)

    assert on_disk(folder) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_picture_gets_its_smaller_copies(kind: str, trainee: User, folder: Path) -> None:
    file = store(picture(kind, (1200, 900)), trainee, "attendance_photo")

    assert (file.media_type, file.width, file.height) == (f"image/{kind.lower()}", 1200, 900)
    sizes = [(v["name"], v["width"], v["height"]) for v in file.variants]
    assert sizes == [("w160", 160, 120), ("w480", 480, 360), ("w960", 960, 720)]
    for variant in file.variants:
        shown = Image.open(io.BytesIO(bytes_of(variant["path"])))
        assert (shown.format, shown.size) == ("WEBP", (variant["width"], variant["height"]))
        assert len(bytes_of(variant["path"])) == variant["size"]
    assert len(bytes_of(file.path)) == file.size
    assert len(on_disk(folder)) == 4


def test_small_picture_is_never_enlarged(trainee: User) -> None:
    file = store(picture(size=(300, 200)), trainee)

    assert [v["width"] for v in file.variants] == [160, 300, 300]


def test_place_and_comment_are_gone_and_the_picture_stands_upright(trainee: User) -> None:
    sent = photograph_with_position()
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(GPS_IFD)

    file = store(sent, trainee)

    assert (file.width, file.height) == (900, 1200)
    for path in [file.path, *(v["path"] for v in file.variants)]:
        kept = Image.open(io.BytesIO(bytes_of(path)))
        assert dict(kept.getexif()) == {}
        assert not {"exif", "comment", "xmp", "icc_profile"} & set(kept.info)
        assert b"Yangli" not in bytes_of(path)


def test_what_rides_behind_a_picture_does_not_survive(trainee: User) -> None:
    file = store(picture() + archive() + SVG, trainee)

    kept = bytes_of(file.path)
    assert b"payload.js" not in kept
    assert b"<script>" not in kept


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1"])
def test_unusual_pictures_are_kept_too(mode: str, trainee: User) -> None:
    assert store(picture("PNG", mode=mode), trainee).width == 1200


def test_flood_is_stopped_before_it_is_decoded(
    trainee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    with pytest.raises(images.UnreadableImage) as refused:
        # Few enough for the decoder's own alarm to stay silent.
        store(flood(8_000, 8_000), trainee)

    assert refused.value.facts["pixels_allowed"] == 20_000_000


def test_transparency_is_kept(trainee: User) -> None:
    file = store(picture("PNG", mode="RGBA"), trainee)

    assert Image.open(io.BytesIO(bytes_of(file.path))).mode == "RGBA"


@pytest.mark.parametrize(
    ("purpose", "accepted"), [("document", True), ("evidence", True), ("attendance_photo", False)]
)
def test_pdf_is_for_documents_and_evidence(
    purpose: str, accepted: bool, trainee: User, folder: Path
) -> None:
    if accepted:
        file = store(PDF, trainee, purpose)
        assert (file.media_type, file.width, file.variants) == ("application/pdf", None, [])
        assert bytes_of(file.path) == PDF
    else:
        with pytest.raises(files.WrongMediaType):
            store(PDF, trainee, purpose)
        assert on_disk(folder) == []


def test_same_bytes_for_the_same_purpose_are_one_file(
    trainee: User, officer: User, folder: Path
) -> None:
    first = store(PDF, trainee)
    again = store(PDF, trainee, name="other.pdf")
    elsewhere = store(PDF, trainee, "document")
    of_another = store(PDF, officer)

    assert again.pk == first.pk
    assert len({first.pk, elsewhere.pk, of_another.pk}) == 3
    assert len(on_disk(folder)) == 3
    assert JournalEntry.objects.filter(verb="file.store").count() == 3


def test_name_of_the_path_is_random(trainee: User) -> None:
    file = store(PDF, trainee, name="身份证.pdf")

    assert file.name == "身份证.pdf"
    assert file.path.startswith("files/")
    assert len(file.path) == len("files/") + 33


def test_failed_transaction_leaves_nothing_on_disk(trainee: User, folder: Path) -> None:
    with transaction.atomic():
        store(picture(), trainee)
        assert len(on_disk(folder)) == 4
        transaction.set_rollback(True)

    assert on_disk(folder) == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_committed_transaction_keeps_everything(folder: Path) -> None:
    store(picture(), factories.user())

    connection.close()
    assert len(on_disk(folder)) == 4


def test_decoder_that_fails_in_any_way_is_a_refusal(
    trainee: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise MemoryError

    sent = picture()
    monkeypatch.setattr(Image.Image, "resize", explode)
    with pytest.raises(images.UnreadableImage):
        store(sent, trainee)

    assert on_disk(folder) == []


def test_disk_that_fails_half_way_leaves_no_half_file(
    trainee: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, calls = files.storage.put, []

    def full_at_the_third(content: bytes, where: str) -> str:
        calls.append(where)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return put(content, where)

    monkeypatch.setattr(files.storage, "put", full_at_the_third)
    with pytest.raises(OSError, match="No space"), transaction.atomic():
        store(picture(), trainee)

    assert on_disk(folder) == []
