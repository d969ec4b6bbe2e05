"""Written spreadsheets: inert, readable again, and what Excel takes."""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal

import pytest
import python_calamine

from people.workbooks import CellValue, write_workbook
from tests.people.test_sheets import HEADERS, LI, ZHANG, read

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "{=1+1}", "=HYPERLINK(A1)", "http://x.cn"]


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def written(content: bytes) -> list[list[object]]:
    sheet = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
    return [list(row) for row in sheet.iter_rows()]


@pytest.mark.parametrize("text", DANGEROUS)
def test_nothing_written_is_a_formula_or_a_link(text: str) -> None:
    content = write_workbook([text, "甲"], [[text, text]], title=text, sheet_name="名册")

    xml = "".join(parts(content).values())

    assert not re.search(r"<(f|hyperlink)[ >/]", xml)
    assert written(content) == [[text, ""], [text, "甲"], [text, text]]


def test_what_is_written_can_be_read_again() -> None:
    content = write_workbook(HEADERS, [ZHANG, LI], title="学员名册", sheet_name="名册")

    rows = read(content)

    assert [(row.number, list(row.cells.values())) for row in rows] == [(3, ZHANG), (4, LI)]


def test_numbers_and_dates_are_written_as_such() -> None:
    values: list[CellValue] = [
        12,
        1.5,
        Decimal("99.80"),
        date(2026, 3, 2),
        None,
        430202199001011234,
    ]

    content = write_workbook(list("甲乙丙丁戊己"), [values], title=None, sheet_name="表")

    assert written(content)[1] == [12.0, 1.5, 99.8, date(2026, 3, 2), "", "430202199001011234"]


def test_the_header_stays_in_view() -> None:
    content = write_workbook(HEADERS, [ZHANG], title="名册", sheet_name="表")

    sheet = parts(content)["xl/worksheets/sheet1.xml"]

    assert '<pane ySplit="2" topLeftCell="A3" activePane="bottomLeft" state="frozen"/>' in sheet


def test_columns_are_as_wide_as_their_texts_within_reason() -> None:
    content = write_workbook(
        ["甲", "乙"], [["株洲市天元区", "长" * 500]], title=None, sheet_name="表"
    )

    widths = re.findall(r'<col [^>]*width="(\d+)', parts(content)["xl/worksheets/sheet1.xml"])

    assert widths == ["14", "40"]


@pytest.mark.parametrize("name", ["", "'", "a" * 40, "2026/03 [一期]", "'名册'"])
def test_any_sheet_name_makes_a_workbook(name: str) -> None:
    content = write_workbook(HEADERS, [ZHANG], title=None, sheet_name=name)

    rows = read(content)

    assert len(rows) == 1


def test_a_text_longer_than_a_cell_is_cut_not_dropped() -> None:
    content = write_workbook(["甲"], [["长" * 40_000]], title=None, sheet_name="表")

    (_header, (text,)) = written(content)

    assert text == "长" * 32_767
