"""Reading the official list of division codes into dated rows."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people.models import Region
from people.refusals import Refusal
from people.roles import ancestors

WIDTHS = (2, 4, 6, 9, 12)
LEVELS = dict(zip(WIDTHS, Region.Level.values, strict=True))
REQUIRED = {"code", "name"}
# Level and parent follow from the code; a file that says otherwise is wrong.
OPTIONAL = {"level", "parent", "valid_from", "valid_to", "successor"}
NAME_LENGTH = 80
BATCH = 1000


class BadRegions(Refusal):
    """Nothing was written; ``facts['errors']`` lists line numbers with what is wrong there."""

    code = "bad_regions"
    title = _("The list of regions cannot be read as it is.")


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    line: int
    code: str
    name: str
    valid_from: date | None
    valid_to: date | None
    successor: str


@dataclass(frozen=True)
class Report:
    """What an import changed, in codes."""

    added: list[str]
    changed: list[str]
    closed: list[str]


def level_of(code: str) -> str:
    """Derive the level of a 12-digit code from the zero groups at its end."""
    width = next(width for width in WIDTHS if not code[width:].strip("0"))
    level: str = LEVELS[width]
    return level


def parent_of(code: str) -> str | None:
    """Derive the code of the region above."""
    return next(iter(ancestors(code)[1:]), None)


@transaction.atomic
def load(content: bytes, *, valid_from: date, complete: bool = False) -> Report:
    """Bring the register to what the list says, all of it or nothing.

    ``valid_from`` is the day from which new regions hold unless their line says otherwise. With
    ``complete`` the list is the whole truth about every region below its topmost ones, and those
    that it no longer names end on the day before. Loading the same list again changes nothing.

    :raises BadRegions: with every line that is wrong
    """
    rows = _read(content)
    known = {region.pk: region for region in Region.objects.all()}
    _check_relatives(rows, known)
    report = Report(added=[], changed=[], closed=[])
    for row in sorted(rows, key=lambda row: row.code):
        region = known.get(row.code)
        if region is None:
            report.added.append(row.code)
        elif region.valid_to is None and row.valid_to is not None:
            report.closed.append(row.code)
        elif (region.name, region.valid_to, region.successor_id) != _now(region, row):
            report.changed.append(row.code)
    Region.objects.bulk_create(
        (_region(row, valid_from) for row in rows if row.code not in known), batch_size=BATCH
    )
    told = [(known[row.code], row) for row in rows if row.code in known]
    for region, row in told:
        region.name, region.valid_to, region.successor_id = _now(region, row)
    touched = {*report.changed, *report.closed}
    Region.objects.bulk_update(
        [region for region, _row in told if region.pk in touched],
        ["name", "valid_to", "successor"],
        batch_size=BATCH,
    )
    if complete:
        report.closed.extend(_close_missing(rows, known, valid_from))
    return report


def _region(row: Row, valid_from: date) -> Region:
    return Region(
        code=row.code,
        name=row.name,
        level=level_of(row.code),
        parent_id=parent_of(row.code),
        valid_from=row.valid_from or valid_from,
        valid_to=row.valid_to,
        successor_id=row.successor or None,
    )


def _now(region: Region, row: Row) -> tuple[str, date | None, str | None]:
    """Tell what the list makes of a known region; an empty cell changes nothing."""
    return (row.name, row.valid_to or region.valid_to, row.successor or region.successor_id)


def _close_missing(rows: list[Row], known: dict[str, Region], valid_from: date) -> list[str]:
    listed = {row.code for row in rows}
    tops = {code for code in listed if not listed & set(ancestors(code)[1:])}
    gone = [
        region
        for code, region in known.items()
        if code not in listed and region.valid_to is None and tops & set(ancestors(code))
    ]
    last_day = valid_from - timedelta(days=1)
    for region in gone:
        # Never before it began: the database would rightly refuse such a row.
        region.valid_to = max(region.valid_from, last_day)
    Region.objects.bulk_update(gone, ["valid_to"], batch_size=BATCH)
    return sorted(region.pk for region in gone)


def _read(content: bytes) -> list[Row]:
    reader = csv.DictReader(io.StringIO(_decode(content)), skipinitialspace=True)
    header = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    if not header >= REQUIRED or header - REQUIRED - OPTIONAL:
        raise BadRegions(errors=[{"line": 1, "code": "wrong_header"}])
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    rows, errors = [], []
    for cells in reader:
        try:
            rows.append(_row(reader.line_num, cells))
        except ValueError as error:
            errors.append({"line": reader.line_num, "code": str(error)})
    errors += _twins(rows)
    if errors:
        raise BadRegions(errors=errors)
    return rows


def _decode(content: bytes) -> str:
    """Read UTF-8, with or without a mark, or GB18030, which contains GBK and GB2312."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadRegions(errors=[{"line": 1, "code": "wrong_encoding"}])


def _row(line: int, cells: dict[str | None, str | None]) -> Row:
    text = {name: (value or "").strip() for name, value in cells.items() if name}
    if None in cells:
        raise ValueError("too_many_cells")
    code, name = _code(text["code"]), text["name"]
    if not 0 < len(name) <= NAME_LENGTH:
        raise ValueError("wrong_name")
    if text.get("level") and text["level"] != level_of(code):
        raise ValueError("wrong_level")
    if text.get("parent") and _code(text["parent"]) != parent_of(code):
        raise ValueError("wrong_parent")
    begins, ends = _day(text.get("valid_from")), _day(text.get("valid_to"))
    if begins and ends and ends < begins:
        raise ValueError("ends_before_it_begins")
    successor = _code(text["successor"]) if text.get("successor") else ""
    return Row(line, code, name, begins, ends, successor)


def _code(text: str) -> str:
    """Fill a short code, as the lists of counties print it, to twelve digits."""
    if not (text.isascii() and text.isdigit() and len(text) in WIDTHS):
        raise ValueError("wrong_code")
    return text.ljust(12, "0")


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("wrong_date") from None


def _twins(rows: list[Row]) -> Iterator[dict[str, object]]:
    seen: set[str] = set()
    for row in rows:
        if row.code in seen:
            yield {"line": row.line, "code": "duplicate_code"}
        seen.add(row.code)


def _check_relatives(rows: list[Row], known: Iterable[str]) -> None:
    exists = {row.code for row in rows} | set(known)
    relatives: list[tuple[str, Callable[[Row], str | None]]] = [
        ("unknown_parent", lambda row: parent_of(row.code)),
        ("unknown_successor", lambda row: row.successor),
    ]
    errors = [
        {"line": row.line, "code": fault}
        for row in rows
        for fault, relative in relatives
        if relative(row) and relative(row) not in exists
    ]
    if errors:
        raise BadRegions(errors=errors)
