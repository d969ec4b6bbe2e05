"""Reading the spreadsheets that people keep, with forgiveness and suspicion."""

import csv
import io
import json
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path

import python_calamine
from django.utils.translation import gettext_lazy as _

from people.identifiers import INVISIBLE, compact
from people.refusals import Refusal

MAX_ROWS = 5_000
MAX_COLUMNS = 60
MAX_UNPACKED = 50 * 1024 * 1024
HEADER_ROWS = 20
NUMBER_FIELDS = frozenset({"id_number", "phone", "credit_code"})

MergedRange = tuple[tuple[int, int], tuple[int, int]]

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# PDF and RTF may be made of letters only, and would pass for a table of one column.
_OTHER_TEXT = (b"%PDF", b"{\\rtf")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE]\+\d{2,}")
_NOTE = re.compile(r"[(\[【〔].*?[)\]】〕]", re.DOTALL)
_TOTAL = re.compile(r"(本[页班表])?(合计|总计|小计|共计)(人数)?([:(]?\d.*|[:(].*)?", re.DOTALL)

_EXACT_BELOW = 1e15
_PARSER_BYTES = 1024**3
_PARSER_SECONDS = 30
_EXIT_TOO_LARGE = 3


class UnreadableSheet(Refusal):
    code = "unreadable_sheet"
    title = _("The file cannot be read as a spreadsheet.")


class SheetTooLarge(Refusal):
    code = "sheet_too_large"
    title = _("The spreadsheet is too large.")


class TooManyRows(Refusal):
    code = "too_many_rows"
    title = _("The spreadsheet has too many rows.")


class HeadersNotFound(Refusal):
    code = "headers_not_found"
    title = _("The spreadsheet lacks columns that are needed.")


class DuplicateHeader(Refusal):
    code = "duplicate_header"
    title = _("Several columns of the spreadsheet have the same meaning.")


class LostDigits(str):
    """A number that the spreadsheet has rounded; its last digits cannot be recovered."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One data row: its number as the spreadsheet shows it, and the text of each field.

    ``cells`` holds every field asked for, empty where the sheet has nothing; ``headers`` holds
    the header text, as written in the sheet, of the fields that have a column.
    """

    number: int
    cells: Mapping[str, str]
    headers: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells[field]

    @property
    def lost_digits(self) -> list[str]:
        """The fields of this row whose digits the spreadsheet has lost."""
        return [field for field, text in self.cells.items() if isinstance(text, LostDigits)]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    own: dict[int, str]
    filled: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Header:
    line: _Line
    places: dict[str, int]


def read_table(
    content: bytes,
    *,
    columns: Mapping[str, Collection[str]],
    required: Collection[str],
    numbers: Collection[str] = NUMBER_FIELDS,
    limit: int = MAX_ROWS,
) -> Iterator[Row]:
    """Read the people's rows of an xlsx, xls or csv file, at most ``limit`` of them.

    ``columns`` gives the header texts accepted for each field, ``required`` the fields that must
    have a column, ``numbers`` the fields in which full-width characters and spaces are slips.

    :raises UnreadableSheet: the bytes are not a spreadsheet, or a broken or encrypted one.
    :raises SheetTooLarge: it unpacks to more than 50 MiB or has more than 60 columns.
    :raises HeadersNotFound: no row near the top holds all the required headers.
    :raises DuplicateHeader: two columns claim the same field.
    :raises TooManyRows: while iterating, once the limit is passed.
    """
    lines = _lines(*_open(content))
    head = list(islice(lines, HEADER_ROWS))
    header = _find_header(head, columns, required)
    data = _data_lines(chain(head[header.line.number :], lines), header.places, required)
    return _rows(data, header, columns, numbers, limit)


def _rows(
    lines: Iterable[_Line],
    header: _Header,
    fields: Iterable[str],
    numbers: Collection[str],
    limit: int,
) -> Iterator[Row]:
    headers = {field: header.line.filled[at] for field, at in header.places.items()}
    for count, line in enumerate(lines, start=1):
        if count > limit:
            raise TooManyRows(limit=limit)
        texts = {field: line.filled.get(at, "") for field, at in header.places.items()}
        cells = {field: _cell(texts.get(field, ""), is_number=field in numbers) for field in fields}
        yield Row(number=line.number, cells=cells, headers=headers)


def _cell(text: str, *, is_number: bool) -> str:
    bare = compact(text).strip("'\"`=")
    if _SCIENTIFIC.fullmatch(bare):
        return LostDigits(bare)
    return bare if is_number else text


def _data_lines(
    lines: Iterable[_Line], places: Mapping[str, int], required: Collection[str]
) -> Iterator[_Line]:
    wanted = frozenset(places.values())
    needed = [places[field] for field in required]
    for line in lines:
        if not wanted.isdisjoint(line.own) and not _is_total(line, needed):
            yield line


def _is_total(line: _Line, needed: Iterable[int]) -> bool:
    totals = {at for at, text in line.own.items() if _TOTAL.fullmatch(compact(text))}
    if not totals:
        return False
    # A complete person with 合计 in some later remark must not vanish silently.
    return min(line.own) in totals or any(at in totals or at not in line.own for at in needed)


def _find_header(
    head: Iterable[_Line], columns: Mapping[str, Collection[str]], required: Collection[str]
) -> _Header:
    fields = {_key(text): field for field, texts in columns.items() for text in texts}
    matches = [(line, _match(line, fields)) for line in head]
    # The lower row of a two-row header shows more fields than the upper one.
    line, found = max(
        matches,
        key=lambda match: (len(match[1].keys() & set(required)), len(match[1])),
        default=(_Line(number=0, own={}, filled={}), {}),
    )
    missing = [next(iter(columns[field])) for field in required if field not in found]
    if missing:
        raise HeadersNotFound(missing=missing)
    for at_several in found.values():
        if len(at_several) > 1:
            raise DuplicateHeader(headers=[line.filled[at] for at in at_several])
    return _Header(line, {field: at for field, (at,) in found.items()})


def _match(line: _Line, fields: Mapping[str, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, text in line.filled.items():
        key = _key(text)
        field = fields.get(key) or fields.get(_NOTE.sub("", key))
        if field:
            found.setdefault(field, []).append(at)
    return found


def _key(header: str) -> str:
    return re.sub(r"[*★☆#:]", "", compact(header)).casefold()


def _lines(rows: Iterable[list[str]], merged: Iterable[MergedRange]) -> Iterator[_Line]:
    bottoms = {top_left: bottom for top_left, (bottom, _right) in merged}
    carried: dict[int, tuple[int, str]] = {}
    for index, texts in enumerate(rows):
        tidy = ((at, INVISIBLE.sub("", text).strip()) for at, text in enumerate(texts))
        own = {at: text for at, text in tidy if text}
        if own and max(own) >= MAX_COLUMNS:
            raise SheetTooLarge(columns=MAX_COLUMNS)
        covered = {at: text for at, (bottom, text) in carried.items() if index <= bottom}
        carried |= {
            at: (bottoms[index, at], text) for at, text in own.items() if (index, at) in bottoms
        }
        yield _Line(number=index + 1, own=own, filled=covered | own)


def _open(content: bytes) -> tuple[Iterator[list[str]], list[MergedRange]]:
    if content.startswith(_ZIP):
        _check_archive(content)
        return _parse_apart(content)
    if content.startswith(_OLE):
        return _parse_apart(content)
    return _csv_rows(_decode(content)), []


def _decode(content: bytes) -> str:
    if len(content) > MAX_UNPACKED:
        raise SheetTooLarge(bytes=MAX_UNPACKED)
    if content.startswith(_OTHER_TEXT):
        raise UnreadableSheet
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip() or text.lstrip().startswith("<") or _CONTROL.search(text):
            break
        return text
    raise UnreadableSheet


def _csv_rows(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise UnreadableSheet from error


def _check_archive(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            is_large = sum(part.file_size for part in parts) > MAX_UNPACKED
            is_unsafe = not is_large and any(
                _declares_document_type(archive.read(part))
                for part in parts
                if part.filename.lower().endswith((".xml", ".rels"))
            )
    except Exception as error:
        # A hostile archive can make zipfile raise almost anything.
        raise UnreadableSheet from error
    if is_large:
        raise SheetTooLarge(bytes=MAX_UNPACKED)
    if is_unsafe:
        raise UnreadableSheet


def _declares_document_type(xml: bytes) -> bool:
    # Without its zeros, UTF-16 hides a document type no better than UTF-8 does.
    return re.search(rb"<!(DOCTYPE|ENTITY)", xml.replace(b"\x00", b""), re.IGNORECASE) is not None


def _parse_apart(content: bytes) -> tuple[Iterator[list[str]], list[MergedRange]]:
    # A crafted workbook can make the parser abort its process or claim all memory, which no
    # handler here could catch; a process of its own may die without harm.
    try:
        parser = subprocess.run(
            [sys.executable, "-m", "people.sheets"],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parent.parent,
            env={},
            timeout=_PARSER_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableSheet from error
    except subprocess.CalledProcessError as error:
        if error.returncode == _EXIT_TOO_LARGE:
            raise SheetTooLarge(bytes=MAX_UNPACKED) from error
        raise UnreadableSheet from error
    output = io.BytesIO(parser.stdout)
    merged = [
        ((top, left), (bottom, right))
        for (top, left), (bottom, right) in json.loads(output.readline())
    ]
    return (json.loads(line) for line in output), merged


def _serve_parser() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_PARSER_BYTES, _PARSER_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_PARSER_SECONDS, _PARSER_SECONDS))
    budget = MAX_UNPACKED
    for line in _parse(sys.stdin.buffer.read()):
        budget -= sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        if budget < 0:
            sys.exit(_EXIT_TOO_LARGE)


def _parse(content: bytes) -> Iterator[list[MergedRange] | list[str]]:
    workbook = python_calamine.load_workbook(io.BytesIO(content))
    sheet = workbook.get_sheet_by_name(
        next(
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible is python_calamine.SheetVisibleEnum.Visible
            and sheet.typ is python_calamine.SheetTypeEnum.WorkSheet
        )
    )
    yield sheet.merged_cell_ranges or []
    for cells in sheet.iter_rows():
        yield [_text(cell) for cell in cells]


def _text(cell: object) -> str:
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and abs(cell) >= _EXACT_BELOW:
        return f"{cell:.5E}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    _serve_parser()
