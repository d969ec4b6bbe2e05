"""The official list of regions: read whole or not at all, twice without effect."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from people import regions
from people.models import Region

pytestmark = pytest.mark.django_db

FIRST, LATER = date(2020, 1, 1), date(2026, 1, 1)
LIST = """code,name
430000000000,湖南省
430200000000,株洲市
430202000000,荷塘区
430202001000,月塘街道办事处
430202001001,月塘社区居民委员会
"""


def load(text=LIST, valid_from=FIRST, encoding="utf-8", **more):
    return regions.load(text.encode(encoding), valid_from=valid_from, **more)


def faults(text):
    with pytest.raises(regions.BadRegions) as refusal:
        load(text)
    return [(fault["line"], fault["code"]) for fault in refusal.value.facts["errors"]]


def test_level_and_parent_follow_from_the_code():
    load()

    rows = Region.objects.order_by("code").values_list("level", "parent_id")
    assert list(rows) == [
        ("province", None),
        ("city", "430000000000"),
        ("county", "430200000000"),
        ("township", "430202000000"),
        ("village", "430202001000"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_encodings_of_the_offices(encoding):
    load(encoding=encoding)

    assert Region.objects.get(pk="430202000000").name == "荷塘区"


def test_same_list_twice_changes_nothing():
    first, second = load(), load()

    assert (len(first.added), first.changed, first.closed) == (5, [], [])
    assert (second.added, second.changed, second.closed) == ([], [], [])
    assert Region.objects.count() == 5


def test_short_codes_of_county_lists_are_filled():
    load("code,name\n43,湖南省\n4302,株洲市\n430202,荷塘区\n")

    assert Region.objects.filter(pk="430202000000", level="county").exists()


def test_order_of_the_lines_does_not_matter():
    head, *lines = LIST.splitlines()

    load("\n".join([head, *reversed(lines)]))

    assert Region.objects.count() == 5


def test_new_name_is_a_change_and_keeps_the_first_day():
    load()

    report = load("code,name\n430202000000,新荷塘区\n", LATER)

    assert report.changed == ["430202000000"]
    region = Region.objects.get(pk="430202000000")
    assert (region.name, region.valid_from) == ("新荷塘区", FIRST)


def test_region_that_ends_names_its_successor():
    load()

    report = load(
        "code,name,valid_to,successor\n"
        "430202001001,月塘社区居民委员会,2025-12-31,430202001002\n"
        "430202001002,新月塘社区居民委员会,,\n",
        LATER,
    )

    assert (report.added, report.closed) == (["430202001002"], ["430202001001"])
    old = Region.objects.get(pk="430202001001")
    assert (old.valid_to, old.successor_id) == (date(2025, 12, 31), "430202001002")
    assert not Region.objects.valid_on(LATER).filter(pk=old.pk).exists()


def test_partial_list_closes_nothing_and_a_complete_one_does():
    load()
    shorter = LIST.replace("430202001001,月塘社区居民委员会\n", "")

    assert load(shorter, LATER).closed == []
    assert load(shorter, LATER, complete=True).closed == ["430202001001"]
    assert Region.objects.get(pk="430202001001").valid_to == date(2025, 12, 31)


def test_complete_list_of_one_province_leaves_the_others_alone():
    load()
    load("code,name\n440000000000,广东省\n")

    load(LIST, LATER, complete=True)

    assert Region.objects.get(pk="440000000000").valid_to is None


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("43020200000,少一位", "wrong_code"),
        ("43020200000A,字母", "wrong_code"),
        ("430202000000,", "wrong_name"),
        ("430202000000,重复\n430202000000,重复", "duplicate_code"),
        ("440302000000,没有上级", "unknown_parent"),
        ("430202000000,多,一格", "too_many_cells"),
    ],
)
def test_wrong_lines_are_named_and_nothing_is_written(lines, fault):
    found = faults(f"code,name\n43,湖南省\n4302,株洲市\n{lines}\n")

    assert [code for _line, code in found] == [fault]
    assert not Region.objects.exists()


@pytest.mark.parametrize(
    ("header", "line", "fault"),
    [
        ("code,name,level", "430000000000,湖南省,city", "wrong_level"),
        ("code,name,parent", "430000000000,湖南省,440000000000", "wrong_parent"),
        ("code,name,valid_to", "430000000000,湖南省,31.12.2025", "wrong_date"),
        ("code,name,successor", "430000000000,湖南省,440000000000", "unknown_successor"),
        ("code,title", "430000000000,湖南省", "wrong_header"),
        ("code,name,mayor", "430000000000,湖南省,x", "wrong_header"),
    ],
)
def test_cells_that_contradict_the_code_are_refused(header, line, fault):
    assert [code for _line, code in faults(f"{header}\n{line}\n")] == [fault]


def test_every_wrong_line_is_reported_with_its_number():
    found = faults("code,name\n1,x\n430000000000,湖南省\n2,y\n")

    assert found == [(2, "wrong_code"), (4, "wrong_code")]


def test_command_reports(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    out = StringIO()

    call_command("import_regions", str(path), "--valid-from", "2020-01-01", stdout=out)

    assert out.getvalue().split() == ["added:", "5", "changed:", "0", "closed:", "0"]


def test_command_names_wrong_lines(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("code,name\n1,x\n")

    with pytest.raises(CommandError, match="line 2: wrong_code"):
        call_command("import_regions", str(path), "--valid-from", "2020-01-01")


def test_demonstration_city_has_townships_and_communities_in_both_counties():
    load(Path(settings.BASE_DIR, "people/data/demo_regions.csv").read_text())

    for county in ("430202000000", "430203000000"):
        townships = Region.objects.filter(parent=county, level="township")
        assert townships.count() >= 4
        assert all(township.children.count() >= 3 for township in townships)
