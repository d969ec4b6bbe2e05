"""A roster goes out masked, or full with a reason on record, and comes back unchanged."""

import io
import re
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people import sheets
from people.models import JournalEntry, PersonCategory
from tests import factories
from tests.training.rosters import imported, person, reasons, workbook
from training import rosters
from training.models import TrainingClass

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def enrolling(db: None) -> TrainingClass:
    return factories.training_class("enrolling")


def export(training_class: TrainingClass, *, full: bool = True, purpose: str = "报财政") -> bytes:
    return rosters.export(
        training_class,
        full=full,
        purpose=purpose,
        by=training_class.created_by,
        at=timezone.now(),
    )


def rows_of(content: bytes) -> list[sheets.Row]:
    return list(sheets.read_table(content, columns=rosters.COLUMNS, required=rosters.REQUIRED))


def test_full_roster_comes_back_unchanged(enrolling: TrainingClass) -> None:
    people = [
        person(姓名="张样例", 人员类别="退役军人、40、50人员", 文化程度="技校"),
        person(姓名="测试二", 联系电话="", 人员类别="", 文化程度="", 就业创业证号=""),
        person(姓名="Zhang Yangli"),
    ]
    imported(enrolling, workbook(people))

    job = imported(enrolling, export(enrolling))

    assert (job.status, job.unchanged_count, job.created_count) == ("done", 3, 0)
    assert job.bad_rows == []


def test_full_roster_shows_what_was_handed_in(enrolling: TrainingClass) -> None:
    sent = person(姓名="张样例", 人员类别="残疾人", 文化程度="高中")
    imported(enrolling, workbook([sent]))

    row = rows_of(export(enrolling))[0]

    assert row.number == 3
    assert row["id_number"] == sent["身份证号"]
    assert row["phone"] == sent["联系电话"]
    assert (row["education"], row["categories"], row["sex"]) == ("高中", "残疾人", "女")
    assert row["employment_card_number"] == sent["就业创业证号"]


def test_every_category_and_education_is_written_as_it_is_read() -> None:
    categories = {value for value, _ in PersonCategory.Category.choices}
    assert {str(slug) for slug in rosters.CATEGORIES} == categories
    for labels in (rosters.CATEGORIES, rosters.EDUCATION):
        texts = [text for each in labels.values() for text in each]
        assert len(texts) == len(set(texts))


def test_masked_roster_shows_no_number_and_changes_nothing_when_it_comes_back(
    enrolling: TrainingClass,
) -> None:
    sent = [person(姓名="张样例"), person(姓名="测试二")]
    imported(enrolling, workbook(sent))

    content = export(enrolling, full=False, purpose="")
    job = imported(enrolling, content)

    text = " ".join(" ".join(row.cells.values()) for row in rows_of(content))
    for row in sent:
        for column in ("身份证号", "联系电话", "就业创业证号"):
            assert row[column] not in text
    assert (job.status, job.unchanged_count, job.created_count) == ("done", 2, 0)
    assert job.bad_rows == []


def test_masked_roster_of_another_class_is_refused_by_the_cell(enrolling: TrainingClass) -> None:
    imported(enrolling, workbook([person(姓名="张样例"), person(姓名="测试二")]))
    content = export(enrolling, full=False, purpose="")
    other = factories.training_class("enrolling", institution=enrolling.institution)

    job = imported(other, content)

    refused = [reason for reason in reasons(job) if reason[1] == "身份证号"]
    assert refused == [(3, "身份证号", "masked"), (4, "身份证号", "masked")]
    assert job.created_count == 0


def test_full_roster_needs_a_purpose_and_is_on_record(enrolling: TrainingClass) -> None:
    imported(enrolling, workbook([person(), person()]))
    with pytest.raises(rosters.PurposeRequired):
        export(enrolling, purpose="")

    export(enrolling)
    export(enrolling, full=False, purpose="")

    entries = JournalEntry.objects.filter(verb="roster.export").order_by("id")
    assert [entry.facts for entry in entries] == [
        {"full": True, "purpose": "报财政", "count": 2},
        {"full": False, "purpose": "", "count": 2},
    ]
    assert {entry.by_id for entry in entries} == {enrolling.created_by_id}
    assert {entry.object_id for entry in entries} == {str(enrolling.pk)}


def test_no_cell_is_ever_a_formula(enrolling: TrainingClass) -> None:
    TrainingClass.objects.filter(pk=enrolling.pk).update(name="=HYPERLINK(1)")
    enrolling.refresh_from_db()
    imported(enrolling, workbook([person(姓名="=1+1"), person(姓名="@SUM", 就业创业证号="+1")]))

    content = export(enrolling)

    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search("<f[ >]", sheet)
    assert "<hyperlink" not in sheet.lower()


@pytest.mark.parametrize(
    ("status", "listed"),
    [
        ("admitted", True),
        ("completed", True),
        ("failed", True),
        ("no_show", True),
        ("applied", False),
        ("waitlisted", False),
        ("offered", False),
        ("rejected", False),
        ("withdrawn", False),
        ("dropped", False),
    ],
)
@pytest.mark.django_db
def test_roster_holds_those_who_are_on_it(status: str, listed: bool) -> None:
    running = factories.training_class("in_progress")
    factories.enrolment(running, status=status)

    assert len(rows_of(export(running))) == listed


@pytest.mark.parametrize("full", [False, True])
def test_statements_do_not_grow_with_the_roster(full: bool, enrolling: TrainingClass) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            export(enrolling, full=full)
        return len(seen)

    factories.enrolment(enrolling)
    few = statements()
    for _ in range(10):
        factories.enrolment(enrolling)

    assert statements() == few
