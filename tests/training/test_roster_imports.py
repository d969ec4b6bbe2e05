"""A sheet becomes enrolments wholly or not at all, and says why not, cell by cell."""

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people import identifiers, persons
from people.models import Acquaintance, JournalEntry, Notice, Person, PersonCategory
from people.refusals import WrongStatus
from tests import factories
from tests.training.rosters import HEADERS, csv, imported, person, reasons, workbook
from training import roster_admissions, roster_imports
from training.models import Enrolment, RosterImport, TrainingClass

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def enrolling(db: None) -> TrainingClass:
    return factories.training_class("enrolling", seats=30)


def everything() -> dict[str, int]:
    """Count what an import may write."""
    models = [Person, PersonCategory, Acquaintance, Enrolment, Notice]
    return {model.__name__: model.objects.count() for model in models}


# -- what comes in ------------------------------------------------------------------------------


def test_people_are_registered_and_admitted(enrolling: TrainingClass) -> None:
    village = factories.region("430202001000")
    rows = [
        person(姓名="张样例", 人员类别="退役军人、残疾人", 文化程度="大专", 户籍地=village.name),
        person(姓名="测试二", 性别="男", 身份证号=factories.id_number(sex="male"), 联系电话=""),
    ]

    job = imported(enrolling, workbook(rows, title="测试班学员花名册", total=True))

    assert (job.status, job.created_count, job.unchanged_count) == ("done", 2, 0)
    assert (job.rows_read, job.rows_total, job.bad_rows) == (2, 2, [])
    first = Person.objects.get(name="张样例")
    assert (first.id_number, first.phone) == (rows[0]["身份证号"], rows[0]["联系电话"])
    assert (first.education, first.region_id) == ("junior_college", village.pk)
    assert first.employment_card_number == "4302020015000001"
    second = Person.objects.get(name="测试二")
    assert (second.sex, second.phone, second.region_id) == ("male", "", enrolling.region_id)
    enrolment = Enrolment.objects.get(person=first)
    assert (enrolment.status, enrolment.categories) == ("admitted", ["disabled", "veteran"])
    assert enrolment.admitted_at is not None
    enrolling.refresh_from_db()
    assert enrolling.seats_taken == 2
    assert Acquaintance.objects.filter(organisation=enrolling.institution).count() == 2
    assert Notice.objects.filter(code="enrolment.admitted").count() == 2


def test_every_change_is_on_record(enrolling: TrainingClass) -> None:
    imported(enrolling, workbook([person()]))

    verbs = JournalEntry.objects.order_by("id").values_list("verb", "by_id")
    assert sorted(verbs) == sorted(
        (verb, enrolling.created_by_id)
        for verb in [
            "rosterimport.request",
            "rosterimport.start",
            "rosterimport.finish",
            "person.register",
            "enrolment.import",
        ]
    )


def test_columns_stand_in_any_order(enrolling: TrainingClass) -> None:
    job = imported(enrolling, workbook([person()], list(reversed(HEADERS))))

    assert (job.status, job.created_count) == ("done", 1)


def test_chinese_csv_is_read(enrolling: TrainingClass) -> None:
    job = imported(enrolling, csv([person(姓名="镕喆"), person()]))

    assert (job.status, job.created_count) == ("done", 2)
    assert Person.objects.filter(name="镕喆").exists()


def test_name_is_kept_without_the_spaces_that_align_it(enrolling: TrainingClass) -> None:
    imported(enrolling, workbook([person(姓名="张 样"), person(姓名="Zhang  Yangli")]))

    assert set(Person.objects.values_list("name", flat=True)) == {"张样", "Zhang Yangli"}


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("", []),
        ("4050人员", ["age_4050"]),
        ("40、50人员,零就业家庭", ["age_4050", "zero_household_member"]),
        ("去产能分流职工；低保人员", ["dibao", "displaced_capacity_cut"]),
        ("下岗(离岗)失业人员", None),
        ("返乡农民工 返乡农民工", ["returning_migrant"]),
        ("两后生/高校毕业生", ["graduate_unplaced_2y", "two_afters"]),
        ("外星人", None),
    ],
)
def test_categories_are_read_as_they_are_written(
    text: str, slugs: list[str] | None, enrolling: TrainingClass
) -> None:
    job = imported(enrolling, workbook([person(人员类别=text)]))

    if slugs is None:
        assert reasons(job) == [(2, "人员类别", "unknown_category")]
    else:
        assert sorted(PersonCategory.objects.values_list("category", flat=True)) == slugs


@pytest.mark.parametrize("text", ["小学", "初中", "高中", "中专", "大专", "本科", "研究生", "技校"])
def test_education_is_read_as_it_is_written(text: str, enrolling: TrainingClass) -> None:
    imported(enrolling, workbook([person(文化程度=text)]))

    assert Person.objects.get().education != "unknown"


@pytest.mark.parametrize("text", ["火星", "同名镇", "测试区划430203"])
def test_region_that_is_not_certain_is_that_of_the_class(
    text: str, enrolling: TrainingClass
) -> None:
    for code in ("430202001000", "430202002000"):
        twin = factories.region(code)
        twin.name = "同名镇"
        twin.save()
    factories.region("430203000000")

    job = imported(enrolling, workbook([person(户籍地=text)]))

    assert (job.status, job.good_count, job.bad_count) == ("done", 1, 0)
    assert Person.objects.get().region_id == enrolling.region_id
    assert job.remarks == [{"row": 2, "column": "户籍地", "code": "unknown_region"}]


def test_remark_does_not_tell_who_is_on_the_register(enrolling: TrainingClass) -> None:
    known = factories.person(name="测试一")
    rows = [person(户籍地="火星"), person(户籍地="火星", 身份证号=known.id_number)]

    job = imported(enrolling, workbook(rows), dry_run=True)

    assert [remark["row"] for remark in job.remarks] == [2, 3]


def test_place_that_is_known_is_no_remark(enrolling: TrainingClass) -> None:
    village = factories.region("430202001000")

    job = imported(enrolling, workbook([person(户籍地=village.name), person()]))

    assert job.remarks == []


# -- what is bad --------------------------------------------------------------------------------


def spoiled(number: str) -> str:
    return number[:-1] + ("0" if number[-1] != "0" else "1")


GOOD = "43020219850301002" + identifiers.check_digit("43020219850301002")
FUTURE = "43020220990301002" + identifiers.check_digit("43020220990301002")
BAD_CELLS = [
    ("姓名", "", "missing"),
    ("姓名", "长" * 61, "too_long"),
    ("身份证号", "", "missing"),
    ("身份证号", spoiled(GOOD), "wrong_check_digit"),
    ("身份证号", GOOD[:-1], "wrong_length"),
    ("身份证号", GOOD[:-2] + "AB", "wrong_characters"),
    ("身份证号", "99" + GOOD[2:], "wrong_region"),
    ("身份证号", FUTURE, "wrong_birth_date"),
    ("身份证号", "430202850301002", "old_15_digit"),
    ("身份证号", "430***********0021", "masked"),
    ("身份证号", 430202198503010021.0, "digits_lost"),
    ("身份证号", "4.30202E+17", "digits_lost"),
    ("就业创业证号", 4302020015000001.0, "digits_lost"),
    ("就业创业证号", "1" * 31, "too_long"),
    ("性别", "男", "sex_mismatch"),
    ("性别", "不详", "unknown_sex"),
    ("联系电话", "073188888", "wrong_length"),
    ("联系电话", "23800000000", "wrong_characters"),
    ("联系电话", "138****0000", "masked"),
    ("文化程度", "学富五车", "unknown_education"),
    ("人员类别", "外星人", "unknown_category"),
]


@pytest.mark.parametrize(("column", "value", "code"), BAD_CELLS)
def test_bad_cell_is_named_and_nothing_comes_in(
    column: str, value: Any, code: str, enrolling: TrainingClass
) -> None:
    bad = person(**{column: value})
    before = everything()

    job = imported(enrolling, workbook([person(), bad], title="花名册"))

    # The title is row 1, the headers row 2: as the spreadsheet numbers them.
    assert reasons(job) == [(4, column, code)]
    assert (job.status, job.refusal_code, job.refusal_facts) == ("refused", "bad_rows", {"rows": 1})
    assert job.created_count == 0
    assert everything() == before
    assert not str(value) or str(value) not in str(job.bad_rows)


def test_row_tells_every_reason(enrolling: TrainingClass) -> None:
    bad = person(姓名="", 身份证号="123", 联系电话="1", 文化程度="?", 人员类别="?")

    job = imported(enrolling, workbook([bad]))

    assert {column for _, column, _ in reasons(job)} == {
        "姓名", "身份证号", "联系电话", "文化程度", "人员类别",
    }  # fmt: skip
    assert job.bad_count == 1


def test_good_rows_come_in_without_the_bad_ones(enrolling: TrainingClass) -> None:
    rows = [person(姓名="张样例"), person(身份证号="123"), person(姓名="测试二")]

    job = imported(enrolling, workbook(rows), on_bad_rows="good_rows")

    assert (job.status, job.created_count, job.bad_count) == ("done", 2, 1)
    assert reasons(job) == [(3, "身份证号", "wrong_length")]
    assert set(Person.objects.values_list("name", flat=True)) == {"张样例", "测试二"}
    enrolling.refresh_from_db()
    assert enrolling.seats_taken == 2


def test_same_number_twice_is_a_fault_of_the_second(enrolling: TrainingClass) -> None:
    row = person()

    job = imported(enrolling, workbook([row, row | {"姓名": "测试二"}]), on_bad_rows="good_rows")

    assert reasons(job) == [(3, "身份证号", "duplicate_in_sheet")]
    assert Person.objects.get().name == "测试一"


def test_known_person_is_matched_and_never_overwritten(enrolling: TrainingClass) -> None:
    known = factories.person(name="张样例", phone="13800000001")
    row = person(
        姓名="张 样例", 身份证号=known.id_number, 联系电话="13900000099", 人员类别="残疾人"
    )

    job = imported(enrolling, workbook([row]))

    assert (job.status, job.created_count) == ("done", 1)
    same = Person.objects.get()
    assert (same.pk, same.phone, same.education) == (known.pk, "13800000001", "unknown")
    assert not PersonCategory.objects.exists()
    assert Enrolment.objects.get().person == known
    assert Acquaintance.objects.get().organisation == enrolling.institution


def test_known_number_under_another_name_is_refused(enrolling: TrainingClass) -> None:
    known = factories.person(name="张样例")

    job = imported(enrolling, workbook([person(姓名="李样例", 身份证号=known.id_number)]))

    assert reasons(job) == [(2, "姓名", "name_mismatch")]
    assert "张样例" not in str(job.bad_rows)
    assert not Acquaintance.objects.exists()


def mismatching(count: int, **given: Any) -> list[dict[str, Any]]:
    """Rows with the numbers of registered people under names of our own."""
    people = [factories.person(name="张样例", **given) for _ in range(count)]
    return [person(姓名="李样例", 身份证号=each.id_number) for each in people]


def mismatch() -> Any:
    return JournalEntry.objects.get(verb="rosterimport.mismatch").facts


@pytest.mark.parametrize("dry_run", [True, False])
def test_mismatches_are_on_record(enrolling: TrainingClass, dry_run: bool) -> None:
    rows = [*mismatching(2), *mismatching(1, known_to=enrolling.institution), person()]

    imported(enrolling, workbook(rows), dry_run=dry_run, on_bad_rows="good_rows")

    assert mismatch() == {"count": 3, "unknown": 2, "dry_run": dry_run}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("count", "stopped"), [(20, False), (21, True)])
def test_numbers_cannot_be_probed_in_one_sheet(
    enrolling: TrainingClass, dry_run: bool, count: int, stopped: bool
) -> None:
    sheet = workbook([*mismatching(count), person(), person(联系电话="1")])

    job = imported(enrolling, sheet, dry_run=dry_run, on_bad_rows="good_rows")

    if stopped:
        assert (job.status, job.refusal_code) == ("refused", "too_many_mismatches")
        assert (job.bad_rows, job.bad_count, job.good_count) == ([], 0, 0)
        assert job.finished_at is not None
        assert not Enrolment.objects.exists()
    else:
        assert (job.status, job.good_count, job.bad_count) == ("done", 1, 21)
    assert mismatch()["count"] == count


def test_slips_about_ones_own_people_stop_nothing(enrolling: TrainingClass) -> None:
    rows = mismatching(21, known_to=enrolling.institution)

    job = imported(enrolling, workbook(rows))

    assert (job.refusal_code, job.bad_count) == ("bad_rows", 21)


def test_who_is_enrolled_already_is_unchanged(enrolling: TrainingClass) -> None:
    sheet = workbook([person(), person()])
    imported(enrolling, sheet)
    before = everything()

    job = imported(enrolling, sheet)

    assert (job.status, job.created_count, job.unchanged_count) == ("done", 0, 2)
    assert everything() == before


def test_who_withdrew_can_be_put_on_the_roster_again(enrolling: TrainingClass) -> None:
    known = factories.person(name="测试一")
    factories.enrolment(enrolling, known, "withdrawn")

    job = imported(enrolling, workbook([person(身份证号=known.id_number)]))

    assert job.created_count == 1


@pytest.mark.parametrize(
    ("born_on", "code"), [(date(1950, 1, 1), "maximum_age"), (date(2015, 1, 1), "minimum_age")]
)
def test_rules_of_age_hold_for_rosters_too(
    born_on: date, code: str, enrolling: TrainingClass
) -> None:
    job = imported(enrolling, workbook([person(身份证号=factories.id_number(born_on))]))

    assert reasons(job) == [(2, "", code)]


def test_nobody_is_put_into_two_places(enrolling: TrainingClass) -> None:
    known = factories.person(name="测试一")
    other = factories.training_class("enrolling")
    factories.enrolment(other, known)
    for each in (other, enrolling):
        factories.session(each, factories.moment(enrolling.starts_on))

    job = imported(enrolling, workbook([person(身份证号=known.id_number)]))

    assert reasons(job) == [(2, "", "no_overlap")]


# -- seats --------------------------------------------------------------------------------------


def test_rows_beyond_the_seats_are_refused_in_order(enrolling: TrainingClass) -> None:
    TrainingClass.objects.filter(pk=enrolling.pk).update(seats=2)
    rows = [person(姓名=f"测试{n}") for n in "一二三四"]

    job = imported(enrolling, workbook(rows), on_bad_rows="good_rows")

    assert reasons(job) == [(4, "", "class_full"), (5, "", "class_full")]
    assert set(Person.objects.values_list("name", flat=True)) == {"测试一", "测试二"}
    enrolling.refresh_from_db()
    assert enrolling.seats_taken == 2


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("draft", False),
        ("enrolling", True),
        ("returned", True),
        ("filed", False),
        ("approved", False),
        ("in_progress", False),
        ("closed", False),
        ("cancelled", False),
    ],
)
@pytest.mark.django_db
def test_roster_is_open_before_filing_only(state: str, allowed: bool) -> None:
    training_class = factories.training_class(state)

    if allowed:
        assert imported(training_class, workbook([person()])).created_count == 1
    else:
        with pytest.raises(WrongStatus):
            imported(training_class, workbook([person()]))


def test_class_that_is_filed_while_the_job_waits_takes_nobody(
    enrolling: TrainingClass, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    job = imported(enrolling, workbook([person()]))
    TrainingClass.objects.filter(pk=enrolling.pk).update(status="filed")

    job = roster_imports.run(job, at=timezone.now())

    assert (job.status, job.refusal_code) == ("refused", "wrong_status")
    assert not Enrolment.objects.exists()


# -- the job ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7 not a sheet", "unreadable_sheet"),
        (b"{\\rtf1 not a sheet}", "unreadable_sheet"),
        (b"\x89PNG\r\n\x1a\nnot a sheet", "unreadable_sheet"),
        (csv([]), "no_rows"),
        (workbook([], title="花名册"), "no_rows"),
        (b"PK\x03\x04broken", "unreadable_sheet"),
        ("姓名,电话\n测试一,1\n".encode(), "headers_not_found"),
        ("姓名,身份证号,公民身份号码\n测试一,1,2\n".encode(), "duplicate_header"),
        (csv([person()] * 5001), "too_many_rows"),
    ],
)
def test_sheet_that_cannot_be_read_is_refused_as_a_whole(
    content: bytes, code: str, enrolling: TrainingClass
) -> None:
    job = imported(enrolling, content)

    assert (job.status, job.refusal_code) == ("refused", code)
    assert job.finished_at is not None
    assert code in roster_imports.REFUSALS


@pytest.mark.parametrize("on_bad_rows", ["nothing", "good_rows"])
@pytest.mark.parametrize("bad", [False, True])
def test_dry_run_tells_what_would_happen_and_writes_nothing(
    enrolling: TrainingClass, on_bad_rows: str, bad: bool
) -> None:
    sheet = workbook([person(), person(联系电话="1" if bad else "")])
    before = everything()

    dry = imported(enrolling, sheet, dry_run=True, on_bad_rows=on_bad_rows)
    assert everything() == before
    enrolling.refresh_from_db()
    assert enrolling.seats_taken == 0
    real = imported(enrolling, sheet, on_bad_rows=on_bad_rows)

    assert dry.good_count == 2 - bad
    for name in ("status", "created_count", "good_count", "bad_count", "bad_rows"):
        assert getattr(dry, name) == getattr(real, name)


def test_sheet_is_not_kept(
    enrolling: TrainingClass,
    folder: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    for content in (workbook([person()]), b"no sheet", workbook([person(姓名="")])):
        with django_capture_on_commit_callbacks(execute=True):
            imported(enrolling, content)

    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_crash_is_told_and_leaves_nothing_half_written(
    enrolling: TrainingClass,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    monkeypatch.setattr(roster_admissions, "CHUNK", 2)
    enrol, calls = roster_admissions._enrol, []

    def break_in_the_second_chunk(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError
        enrol(*args, **kwargs)

    monkeypatch.setattr(roster_admissions, "_enrol", break_in_the_second_chunk)
    before = everything()

    with django_capture_on_commit_callbacks(execute=True):
        job = imported(enrolling, workbook([person() for _ in range(5)]))

    assert len(calls) == 2
    assert (job.status, job.created_count) == ("crashed", 0)
    assert job.finished_at is not None
    assert everything() == before
    enrolling.refresh_from_db()
    assert enrolling.seats_taken == 0
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_who_is_registered_in_between_is_looked_at_again(
    enrolling: TrainingClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = person()
    carry_out, calls = roster_admissions.carry_out, []

    def overtaken(*args: Any, **kwargs: Any) -> None:
        if not calls:
            calls.append(1)
            raise roster_admissions.OvertakenError
        carry_out(*args, **kwargs)

    monkeypatch.setattr(roster_admissions, "carry_out", overtaken)
    job = imported(enrolling, workbook([row]))

    assert (job.status, job.created_count) == ("done", 1)


def test_plan_that_no_longer_holds_is_noticed(enrolling: TrainingClass) -> None:
    row = person()
    entry_sheet = workbook([row])
    job = imported(enrolling, entry_sheet, dry_run=True)
    entries = _entries(job, entry_sheet)
    plan = roster_admissions.plan(enrolling.pk, entries, at=timezone.now())
    factories.person(name="测试一", id_number=row["身份证号"])

    with pytest.raises(roster_admissions.OvertakenError):
        roster_admissions.carry_out(plan, by=enrolling.created_by, at=timezone.now())


def _entries(job: RosterImport, content: bytes) -> Any:
    job.path = roster_imports.storage.put(content, "rosters")
    return roster_imports._read(job, at=timezone.now()).entries


def test_finished_job_is_not_run_again(enrolling: TrainingClass) -> None:
    job = imported(enrolling, workbook([person()]))

    with pytest.raises(WrongStatus):
        roster_imports.run(job, at=timezone.now())


def test_job_of_a_dead_worker_is_given_up(enrolling: TrainingClass, settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    job = imported(enrolling, workbook([person()]))

    assert roster_imports.give_up_stale(at=job.created_at + timedelta(minutes=59)) == 0
    assert roster_imports.give_up_stale(at=job.created_at + timedelta(minutes=61)) == 1
    job.refresh_from_db()
    assert job.status == "crashed"
    with pytest.raises(WrongStatus):
        roster_imports.run(job, at=timezone.now())


def test_moves_are_those_of_the_drawing() -> None:
    drawing = """
                start    finish  refuse   break_off
    queued      running  -       -        crashed
    running     -        done    refused  crashed
    done        -        -       -        -
    refused     -        -       -        -
    crashed     -        -       -        -
    """
    head, *lines = [line.split() for line in drawing.strip().splitlines()]
    drawn = {
        (verb, source, target)
        for source, *targets in lines
        for verb, target in zip(head, targets, strict=True)
        if target != "-"
    }

    assert drawn == {
        (verb, str(source), str(target))
        for verb, (sources, target) in roster_imports.LIFECYCLE.moves.items()
        for source in sources
    }


# -- many, and several at once -------------------------------------------------------------------


def crowd(count: int) -> list[dict[str, Any]]:
    return [person(姓名=f"测试{n}", 序号=str(n)) for n in range(1, count + 1)]


@pytest.mark.slow
@pytest.mark.django_db
def test_five_thousand_rows_take_bounded_memory() -> None:
    training_class = factories.training_class("enrolling", seats=6000)
    sheet = workbook(crowd(5000), title="花名册", total=True)
    persons.initials("张")  # its tables are loaded once, whatever the size

    tracemalloc.start()
    job = imported(training_class, sheet)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (job.status, job.created_count) == ("done", 5000)
    assert peak < 64 * 2**20


def test_statements_grow_by_the_chunk_not_by_the_row(enrolling: TrainingClass) -> None:
    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert imported(enrolling, workbook(crowd(count))).created_count == count
        return len(seen)

    assert statements(2) == statements(12)


@pytest.mark.django_db(transaction=True)
def test_progress_is_visible_while_the_job_runs(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    monkeypatch.setattr(roster_imports, "READ_AT_ONCE", 2)
    training_class = factories.training_class("enrolling")
    job = imported(training_class, workbook(crowd(5)))
    seen: list[tuple[str, int, int | None]] = []
    read = roster_imports._read_chunk

    def look(*args: Any, **kwargs: Any) -> Iterator[Any]:
        elsewhere = threading.Thread(target=lambda: seen.append(_glance(job)))
        elsewhere.start()
        elsewhere.join()
        yield from read(*args, **kwargs)

    monkeypatch.setattr(roster_imports, "_read_chunk", look)
    job = roster_imports.run(job, at=timezone.now())

    assert seen == [("running", 0, 5), ("running", 2, 5), ("running", 4, 5)]
    assert (job.status, job.rows_read) == ("done", 5)


def _glance(job: RosterImport) -> tuple[str, int, int | None]:
    try:
        row = RosterImport.objects.get(pk=job.pk)
        return row.status, row.rows_read, row.rows_total
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shared", [False, True], ids=["other people", "the same people"])
def test_two_imports_never_oversell_the_last_seats(settings: Any, shared: bool) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    training_class = factories.training_class("enrolling", seats=10)
    rows = crowd(8)
    sheets = [workbook(rows), workbook(list(reversed(rows)) if shared else crowd(8))]
    jobs = [imported(training_class, sheet, on_bad_rows="good_rows") for sheet in sheets]
    ready = threading.Barrier(2)

    def work(job: RosterImport) -> None:
        try:
            ready.wait()
            roster_imports.run(job, at=timezone.now())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for job in jobs:
        job.refresh_from_db()
        assert job.status == "done"
    training_class.refresh_from_db()
    admitted = Enrolment.objects.filter(status="admitted").count()
    expected = 8 if shared else 10
    assert (training_class.seats_taken, admitted) == (expected, expected)
    assert sum(job.created_count for job in jobs) == expected
    if shared:
        assert sum(job.unchanged_count for job in jobs) == 8
    else:
        codes = [code for job in jobs for _, _, code in reasons(job)]
        assert codes == ["class_full"] * 6


@pytest.mark.django_db(transaction=True)
def test_queued_job_is_done_by_the_worker(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    training_class = factories.training_class("enrolling")
    job = imported(training_class, workbook([person()]))
    assert job.status == "queued"

    worker = {"batch": True, "reload": False, "startup_delay": False, "interval": 0}
    call_command("db_worker", verbosity=0, **worker)

    job.refresh_from_db()
    assert (job.status, job.created_count) == ("done", 1)
