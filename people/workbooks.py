"""Writing the spreadsheets that people are given: inert, whatever the cells hold."""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from unicodedata import east_asian_width

import xlsxwriter

CellValue = str | int | float | Decimal | date | None

# From here on a spreadsheet no longer shows every digit of a number.
_EXACT_BELOW = 1e15
# What Excel takes in one cell.
_MAX_CELL_TEXT = 32_767
_NARROWEST, _WIDEST = 8, 40


def write_workbook(
    headers: Sequence[str],
    rows: Iterable[Sequence[CellValue]],
    *,
    title: str | None,
    sheet_name: str,
) -> bytes:
    """Write an xlsx workbook of one sheet in which no cell is ever a formula or a link."""
    content = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(content, options) as workbook:
        _Sheet(workbook, _sheet_name(sheet_name)).write(title, headers, rows)
    return content.getvalue()


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", name)[:31].strip().strip("'") or "Sheet1"


class _Sheet:
    def __init__(self, workbook: xlsxwriter.Workbook, name: str) -> None:
        self.sheet = workbook.add_worksheet(name)
        self.plain = workbook.add_format({"num_format": "@"})
        self.bold = workbook.add_format({"num_format": "@", "bold": True})
        self.large = workbook.add_format({"num_format": "@", "bold": True, "font_size": 14})
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def write(
        self, title: str | None, headers: Sequence[str], rows: Iterable[Sequence[CellValue]]
    ) -> None:
        top = 0 if title is None else 1
        if title is not None:
            self._write_title(title, last_column=len(headers) - 1)
        for at, header in enumerate(headers):
            self._write_text(top, at, header, self.bold)
        widths = [_width(header) for header in headers]
        for row, values in enumerate(rows, start=top + 1):
            for at, value in enumerate(values):
                self._write_value(row, at, value)
            widths = [
                max(width, _width(value)) for width, value in zip(widths, values, strict=True)
            ]
        for at, width in enumerate(widths):
            self.sheet.set_column(at, at, width)
        self.sheet.freeze_panes(top + 1, 0)

    def _write_title(self, title: str, last_column: int) -> None:
        if last_column > 0:
            self.sheet.merge_range(0, 0, 0, last_column, "", self.large)
        self._write_text(0, 0, title, self.large)

    def _write_value(self, row: int, at: int, value: CellValue) -> None:
        if isinstance(value, date):
            is_moment = isinstance(value, datetime)
            self.sheet.write_datetime(row, at, value, self.moment if is_moment else self.day)
        elif isinstance(value, str):
            self._write_text(row, at, value, self.plain)
        elif value is not None and -_EXACT_BELOW < value < _EXACT_BELOW:
            self.sheet.write_number(row, at, value)
        elif value is not None:
            self._write_text(row, at, str(value), self.plain)

    def _write_text(
        self, row: int, at: int, text: str, text_format: xlsxwriter.format.Format
    ) -> None:
        self.sheet.write_string(row, at, text[:_MAX_CELL_TEXT], text_format)


def _width(value: CellValue) -> int:
    text = "" if value is None else str(value)
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
    return min(max(columns + 2, _NARROWEST), _WIDEST)
