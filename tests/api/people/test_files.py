"""Handing in files, and opening them again: by nobody else, and not for long."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from people.models import JournalEntry, StoredFile, User
from tests.people.test_files import HOSTILE, PDF, on_disk, photograph_with_position, picture

URL = "/api/v1/files"
SESSIONS = "/api/v1/upload-sessions"


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


def body(content: bytes, purpose: str = "evidence", **given: Any) -> dict[str, Any]:
    return {
        "file": SimpleUploadedFile(given.pop("name", "照片.jpg"), content),
        "purpose": purpose,
        "sha256": hashlib.sha256(content).hexdigest(),
    } | given


def hand_in(client: Any, content: bytes, purpose: str = "evidence", **given: Any) -> Any:
    return client.post(URL, body(content, purpose, **given), format="multipart")


def local(url: str) -> str:
    return urlsplit(url).path


def fetch(url: str, client: Any = None, **headers: str) -> Any:
    """Open a link as an image loader does, and read it to the end."""
    response = (client or Client()).get(local(url), **headers)
    if response.streaming:
        response.body = b"".join(response.streaming_content)
    return response


def test_picture_is_answered_with_its_copies(as_: Callable[..., Any], trainee: User) -> None:
    sent = photograph_with_position()

    response = hand_in(as_(trainee), sent, "attendance_photo")

    assert response.status_code == 201
    answer = response.json()
    assert (answer["purpose"], answer["media_type"]) == ("attendance_photo", "image/jpeg")
    assert (answer["width"], answer["height"]) == (900, 1200)
    assert answer["sha256"] == hashlib.sha256(sent).hexdigest()
    assert [v["name"] for v in answer["variants"]] == ["w160", "w480", "w960"]
    assert len(fetch(answer["url"]).body) == answer["size"]
    for variant in answer["variants"]:
        opened = fetch(variant["url"])
        assert opened["Content-Type"] == "image/webp"
        assert len(opened.body) == variant["size"]
    assert "path" not in response.content.decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_and_leaves_nothing(
    name: str, as_: Callable[..., Any], trainee: User, folder: Path
) -> None:
    response = hand_in(as_(trainee), HOSTILE[name])

    assert response.status_code in {400, 413, 415}
    assert response["Content-Type"] == "application/problem+json"
    assert not StoredFile.objects.exists()
    assert on_disk(folder) == []


def test_path_in_a_multipart_name_is_cut_off(as_: Callable[..., Any], trainee: User) -> None:
    content = picture()
    digest = hashlib.sha256(content).hexdigest()
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevidence',
        f'--x\r\nContent-Disposition: form-data; name="sha256"\r\n\r\n{digest}'.encode(),
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + content,
    ]
    raw = b"\r\n".join([*parts, b"--x--\r\n"])

    response = as_(trainee).generic(
        "POST",
        URL,
        raw,
        content_type="multipart/form-data; boundary=x",
        HTTP_IDEMPOTENCY_KEY=str(uuid4()),
    )

    assert response.status_code == 201
    assert response.json()["name"] == "x"
    assert ".." not in StoredFile.objects.get().path


@pytest.mark.parametrize(
    ("member", "value", "status"),
    [
        ("sha256", "0" * 64, 400),
        ("sha256", "xyz", 400),
        ("purpose", "roster", 400),
        ("purpose", "wallpaper", 400),
        ("surprise", "1", 400),
    ],
)
def test_wrong_member_is_refused(
    member: str, value: str, status: int, as_: Callable[..., Any], trainee: User
) -> None:
    response = hand_in(as_(trainee), picture(), **{member: value})

    assert response.status_code == status


def test_missing_file_is_named(as_: Callable[..., Any], trainee: User) -> None:
    response = as_(trainee).post(
        URL, {"purpose": "evidence", "sha256": "0" * 64}, format="multipart"
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/file"


def test_only_multipart_is_read_here(as_: Callable[..., Any], trainee: User) -> None:
    assert as_(trainee).post(URL, {"purpose": "evidence"}, format="json").status_code == 415


def test_too_large_a_file_is_413(as_: Callable[..., Any], trainee: User) -> None:
    response = hand_in(as_(trainee), b"%PDF-1.7" + b"\x00" * 10 * 1024 * 1024)

    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")


def test_far_too_large_a_body_is_not_even_read(as_: Callable[..., Any], trainee: User) -> None:
    response = hand_in(as_(trainee), b"%PDF-1.7" + b"\x00" * 13 * 1024 * 1024)

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_hundreds_of_parts_are_refused(as_: Callable[..., Any], trainee: User) -> None:
    many = {f"file{n}": SimpleUploadedFile("a", b"a") for n in range(150)}

    assert as_(trainee).post(URL, many, format="multipart").status_code == 400


def test_nobody_signed_in_is_401(as_: Callable[..., Any]) -> None:
    assert hand_in(as_(None), picture()).status_code == 401


def test_same_file_is_acknowledged_not_doubled(as_: Callable[..., Any], trainee: User) -> None:
    first, again = (hand_in(as_(trainee), PDF) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert StoredFile.objects.count() == 1


def test_retry_with_the_same_key_is_replayed(
    as_: Callable[..., Any], trainee: User, key: Callable[[], str]
) -> None:
    client, same = as_(trainee), key()

    for _ in range(2):
        response = client.post(URL, body(PDF), format="multipart", HTTP_IDEMPOTENCY_KEY=same)
    other = client.post(URL, body(picture()), format="multipart", HTTP_IDEMPOTENCY_KEY=same)

    assert response["Idempotent-Replayed"] == "true"
    assert other.status_code == 422


def test_stranger_cannot_find_the_file(
    as_: Callable[..., Any], trainee: User, officer: User
) -> None:
    made = hand_in(as_(trainee), PDF).json()

    foreign = as_(officer).get(f"{URL}/{made['id']}")
    absent = as_(officer).get(f"{URL}/{uuid4()}")

    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert without_request(foreign) == without_request(absent)
    assert as_(trainee).get(f"{URL}/{made['id']}").status_code == 200


def without_request(response: Any) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "request_id"}


def test_link_dies_within_five_minutes(as_: Callable[..., Any], trainee: User) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        url = local(hand_in(as_(trainee), PDF).json()["url"])
    with time_machine.travel(now + timedelta(seconds=140), tick=False):
        fresh = fetch(url)
    with time_machine.travel(now + timedelta(seconds=301), tick=False):
        old = fetch(url)

    assert fresh.status_code == 200
    assert old.status_code == 404


def test_answer_stays_the_same_while_its_links_do(as_: Callable[..., Any], trainee: User) -> None:
    # The beginning of a window of links.
    with time_machine.travel(1_900_000_050, tick=False) as clock:
        client = as_(trainee)
        made = hand_in(client, PDF).json()
        tag = client.get(f"{URL}/{made['id']}")["ETag"]
        clock.shift(149)
        same = client.get(f"{URL}/{made['id']}", HTTP_IF_NONE_MATCH=tag)
        clock.shift(1)
        other = client.get(f"{URL}/{made['id']}", HTTP_IF_NONE_MATCH=tag)

    assert same.status_code == 304
    assert other.status_code == 200


def test_link_is_for_the_one_who_asked(
    as_: Callable[..., Any], trainee: User, officer: User
) -> None:
    url = local(hand_in(as_(trainee), PDF).json()["url"])

    assert fetch(url, as_(trainee)).status_code == 200
    assert fetch(url, as_(officer)).status_code == 404
    assert fetch(url, HTTP_AUTHORIZATION="Bearer dead").status_code == 404
    User.objects.filter(pk=trainee.pk).update(is_active=False)
    assert fetch(url).status_code == 404


@pytest.mark.parametrize(
    "spoil", [lambda u: u[:-1], lambda u: u[:10] + "A" + u[11:], lambda u: "/files/x"]
)
def test_altered_link_leads_nowhere(
    spoil: Callable[[str], str], as_: Callable[..., Any], trainee: User
) -> None:
    url = local(hand_in(as_(trainee), PDF).json()["url"])

    response = fetch(spoil(url))

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_opened_file_can_do_no_harm(as_: Callable[..., Any], trainee: User) -> None:
    pdf = fetch(hand_in(as_(trainee), PDF, name="a.pdf").json()["url"])
    image = fetch(hand_in(as_(trainee), picture()).json()["url"])

    assert pdf["Content-Disposition"].startswith("attachment")
    assert image["Content-Disposition"].startswith("inline")
    for response in (pdf, image):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "private" in response["Cache-Control"]
        assert "sandbox" in response["Content-Security-Policy"]


def test_bytes_that_are_gone_are_404(as_: Callable[..., Any], trainee: User, folder: Path) -> None:
    url = local(hand_in(as_(trainee), PDF).json()["url"])
    Path(folder, StoredFile.objects.get().path).unlink()

    assert fetch(url).status_code == 404


# -- in parts -----------------------------------------------------------------------------------

CONTENT = b"%PDF-1.7\n" + bytes(range(256)) * 1100


def begin(client: Any, **given: Any) -> Any:
    asked = {
        "name": "证明.pdf",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "purpose": "document",
    }
    return client.post(SESSIONS, asked | given)


def put(client: Any, session: str, number: int, content: bytes) -> Any:
    url = f"{SESSIONS}/{session}/parts/{number}"
    return client.generic("PUT", url, content, content_type="application/octet-stream")


def test_file_arrives_in_parts(as_: Callable[..., Any], trainee: User) -> None:
    client = as_(trainee)
    begun = begin(client)
    session = begun.json()
    assert begun.status_code == 201
    assert (session["part_size"], session["received_parts"]) == (262144, [])

    first = put(client, session["id"], 1, CONTENT[262144:])
    too_early = client.post(f"{SESSIONS}/{session['id']}/complete")
    put(client, session["id"], 0, CONTENT[:262144])
    again = put(client, session["id"], 0, CONTENT[:262144])
    done = client.post(f"{SESSIONS}/{session['id']}/complete")

    assert first.json()["received_parts"] == [1]
    assert (too_early.status_code, too_early.json()["facts"]) == (409, {"missing": [0]})
    assert (again.status_code, again.json()["received_parts"]) == (200, [0, 1])
    assert done.status_code == 201
    assert fetch(done.json()["url"]).body == CONTENT
    shown = client.get(f"{SESSIONS}/{session['id']}").json()
    assert shown["file_id"] == done.json()["id"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", "../../x"),
        ("name", "a\\b"),
        ("size", 0),
        ("size", 10 * 1024 * 1024 + 1),
        ("sha256", "short"),
        ("purpose", "roster"),
    ],
)
def test_wrong_session_is_refused(
    member: str, value: Any, as_: Callable[..., Any], trainee: User
) -> None:
    response = begin(as_(trainee), **{member: value})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"#/{member}"


def test_stranger_finds_no_session_and_sends_no_part(
    as_: Callable[..., Any], trainee: User, officer: User
) -> None:
    session = begin(as_(trainee)).json()["id"]

    assert as_(officer).get(f"{SESSIONS}/{session}").status_code == 404
    assert put(as_(officer), session, 0, CONTENT[:262144]).status_code == 404
    assert as_(officer).post(f"{SESSIONS}/{session}/complete").status_code == 404


def test_part_too_long_or_of_another_type_is_refused(
    as_: Callable[..., Any], trainee: User
) -> None:
    client = as_(trainee)
    session = begin(client).json()["id"]

    long = put(client, session, 0, CONTENT[: 262144 + 1])
    json = client.put(f"{SESSIONS}/{session}/parts/0", {}, format="json")
    empty = put(client, session, 0, b"")

    assert (long.status_code, long.json()["code"]) == (409, "wrong_part")
    assert json.status_code == 415
    assert empty.status_code == 409


def test_pretended_picture_is_refused_at_the_end(as_: Callable[..., Any], trainee: User) -> None:
    client, content = as_(trainee), HOSTILE["pixel flood"]
    session = begin(
        client, size=len(content), sha256=hashlib.sha256(content).hexdigest(), name="a.png"
    ).json()["id"]
    put(client, session, 0, content)

    response = client.post(f"{SESSIONS}/{session}/complete")

    assert (response.status_code, response.json()["code"]) == (400, "unreadable_image")


def test_large_photograph_takes_no_more_than_a_moment(
    as_: Callable[..., Any], trainee: User
) -> None:
    response = hand_in(as_(trainee), picture(size=(5000, 4000), quality=80))

    assert response.status_code == 201
    assert response.json()["width"] == 5000


@pytest.mark.parametrize("purpose", ["evidence", "document", "attendance_photo"])
def test_opening_a_file_is_on_record(as_: Callable[..., Any], trainee: User, purpose: str) -> None:
    made = hand_in(as_(trainee), photograph_with_position(), purpose).json()

    list(Client().head(local(made["url"])).streaming_content)
    fetch(made["url"])
    fetch(made["variants"][0]["url"])
    fetch(made["url"] + "x")

    entries = JournalEntry.objects.filter(verb="file.open").order_by("id")
    assert [(one.object_id, one.by_id, one.facts) for one in entries] == [
        (made["id"], trainee.pk, {"variant": ""}),
        (made["id"], trainee.pk, {"variant": "w160"}),
    ]
