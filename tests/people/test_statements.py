"""Writing together: all rows or none, and never over a change that was not seen."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from people import journal
from people.models import JournalEntry, Region, StoredAnswer, User
from people.statements import Given, Prepared, Upsert, insert_together
from tests import factories
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer() -> User:
    return factories.user()


def answer(writer: User, **given: Any) -> StoredAnswer:
    values = {
        "user": writer,
        "key": uuid.uuid4(),
        "fingerprint": "0" * 64,
        "status": 201,
        "headers": {"ETag": '"一"'},
        "body": b"{}",
        "created_at": timezone.now(),
    }
    return StoredAnswer(**(values | given))


def entry(writer: User) -> JournalEntry:
    return journal.entry("test.write", writer, by=writer, at=timezone.now(), said="百分号 % %s")


def test_rows_arrive_as_the_orm_would_write_them(writer: User) -> None:
    kept, noted = answer(writer), entry(writer)

    insert_together([kept, noted])

    found = StoredAnswer.objects.get(pk=kept.pk)
    assert (found.headers, bytes(found.body)) == (kept.headers, kept.body)
    assert found.created_at == kept.created_at
    assert JournalEntry.objects.get(pk=noted.pk).facts == {"said": "百分号 % %s"}


def test_postgresql_takes_one_statement_and_sqlite_one_per_row(writer: User) -> None:
    with statements() as found:
        insert_together([answer(writer), entry(writer), entry(writer)])

    assert len(found) == {"postgresql": 1, "sqlite": 3}[connection.vendor]


def test_one_collision_stops_all(writer: User) -> None:
    taken = answer(writer)
    insert_together([taken])

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_together([entry(writer), answer(writer, key=taken.key)])

    assert StoredAnswer.objects.count() == 1
    assert not JournalEntry.objects.filter(verb="test.write").exists()


def test_nothing_to_write_is_nothing() -> None:
    with statements() as found:
        insert_together([])

    assert found == []


def upsert(row: StoredAnswer, seen: Any) -> Upsert:
    return Upsert(row, ("user", "key"), "created_at", seen)


def test_upsert_replaces_what_was_seen_and_keeps_its_identity(writer: User) -> None:
    old = answer(writer)
    insert_together([old])
    new = answer(writer, key=old.key, status=200, created_at=old.created_at + timedelta(1))

    insert_together([upsert(new, old.created_at), entry(writer)])

    found = StoredAnswer.objects.get()
    assert (found.pk, found.status, found.created_at) == (old.pk, 200, new.created_at)


@pytest.mark.parametrize("seen", ["something older", "nothing"])
def test_upsert_refuses_what_was_not_seen(writer: User, seen: str) -> None:
    old = answer(writer)
    insert_together([old])
    new = answer(writer, key=old.key, status=200)
    moment = None if seen == "nothing" else old.created_at - timedelta(microseconds=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_together([entry(writer), upsert(new, moment)])

    assert StoredAnswer.objects.get().status == 201
    assert not JournalEntry.objects.filter(verb="test.write").exists()


def test_prepared_query_answers_as_the_orm_and_is_built_once() -> None:
    county = factories.region()
    built = []

    def build() -> Any:
        built.append(1)
        code = Given("code", models.CharField())
        return Region.objects.filter(code=code).values_list("code", "parent_id", "valid_from")

    prepared = Prepared(build)

    for region in (county, county.parent):
        found = prepared.rows(code=region.pk)
        assert found == [[region.pk, region.parent_id, region.valid_from]]
    assert prepared.rows(code="000000000000") == []
    assert len(built) == 1
