"""Spreadsheets: read as people really fill them in, refused when hostile."""

import base64
import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from people.refusals import Refusal
from people.sheets import (
    DuplicateHeader,
    HeadersNotFound,
    LostDigits,
    Row,
    SheetTooLarge,
    TooManyRows,
    UnreadableSheet,
    read_table,
)

COLUMNS = {
    "name": ["姓名", "学员姓名"],
    "id_number": ["身份证号", "身份证号码", "公民身份号码"],
    "phone": ["联系电话", "电话", "手机号"],
    "home": ["户籍地"],
}
HEADERS = ["姓名", "身份证号", "联系电话", "户籍地"]
ZHANG = ["张三", "430202199001011234", "13900000001", "株洲市"]
LI = ["李四", "430202199101011231", "13900000002", "湘潭市"]

Fill = Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], object]


def workbook(fill: Fill, *, sheets: int = 1) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for _ in range(sheets):
            book.add_worksheet()
        fill(book, book.worksheets()[0])
    return content.getvalue()


def xlsx(*rows: Sequence[object]) -> bytes:
    return workbook(lambda _book, sheet: [sheet.write_row(at, 0, r) for at, r in enumerate(rows)])


def csv_bytes(*rows: Sequence[object], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def repacked(content: bytes, replace: Callable[[str, bytes], bytes]) -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, replace(name, old.read(name)))
    return packed.getvalue()


def read(content: bytes, limit: int = 5000) -> list[Row]:
    return list(read_table(content, columns=COLUMNS, required=["name", "id_number"], limit=limit))


def texts(rows: Sequence[Row], field: str) -> list[str]:
    return [row[field] for row in rows]


# Reading what people send


def test_title_rows_and_another_order_of_columns_do_not_matter() -> None:
    content = xlsx(
        ["2026年第一期学员名册"],
        [],
        ["序号", "联系电话（手机）", "身份证号 *", "备注", "姓　名\n（必填）"],
        [1, "13900000001", "430202199001011234", "班长", "张三"],
    )

    (row,) = read(content)

    assert (row.number, dict(row.cells)) == (
        4,
        {"name": "张三", "id_number": ZHANG[1], "phone": "13900000001", "home": ""},
    )


def test_a_row_knows_the_headers_as_written() -> None:
    content = xlsx(["学员姓名*", "身份证号码"], ZHANG[:2])

    (row,) = read(content)

    assert row.headers == {"name": "学员姓名*", "id_number": "身份证号码"}


def test_a_header_with_a_note_is_another_field_where_that_is_accepted() -> None:
    columns = {"phone": ["电话"], "guardian_phone": ["电话（监护人）"]}
    content = xlsx(["电话 (监护人)", "电话（手机）"], ["13900000002", "13900000001"])

    (row,) = read_table(content, columns=columns, required=["phone"])

    assert (row["phone"], row["guardian_phone"]) == ("13900000001", "13900000002")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_the_encodings_that_excel_writes(encoding: str) -> None:
    content = csv_bytes(["学员名册", "", ""], HEADERS, ZHANG, [], LI, encoding=encoding)

    rows = read(content)

    assert [(row.number, row["name"], row["home"]) for row in rows] == [
        (3, "张三", "株洲市"),
        (5, "李四", "湘潭市"),
    ]


# An invented class list in the format of Excel 97, which nothing here can write.
OLD_WORKBOOK = zlib.decompress(
    base64.b64decode(
        "eNrtWE1IVFEU/u59b5wZc3Q0FTSQQcjKXMyPUS50yihXDlpD2g+Zpv2gaUy1KIQsc2VF0KaijeAmCrNNPxSRm2gRGBkE"
        "haD9rFoFRUHq69zz3iutWThQ9sP7Hvfce8+559zz7rl/7z0ZzZ4YuFE4iR9QBQ0zhhdps3iCkteu+EFyw1BFO/dQMhz8"
        "U/B6KJBpLtz1PXarGKp4T0JiWB8hCryitAMHEevqbAssIKrZh2ahfKgkKnCZOJkoYK9ymO5mupjpdW55j+la5pxhWklt"
        "J8Q2jEZjpWusWdwoi1mWCWX3Fuu8YE4IeXikZvHxc8Js68K6xP7mjr9TUKRnYBAUt5q2zrZEc8cEcimAg/hoBIAP9kp9"
        "EHD4C8sXIP7nuXx3Ev55qQM9MHbxBO9DBvJ1JZHCFz9dP4VDSKeaSjrEnu2NccWmpmNbfXHiXD07HRvp/7SZivGeL92r"
        "joz3axCrW2q7gw3UKtDkjeUA5ZFgOBgOVVQEg6FgKBSOlJMstvfllkU03yPEZYRJs3Rf+IDcqbozdwX/nF3Bx6slg2gr"
        "sriczWvGT/v+1JX3T2tb6qJNzOnhk8A8L5aqV4SBE0qDlDNZon+jpayxkulJtrqEy4VMc2mmU15Sl2cVNvZym1MsLaF+"
        "Ioyx6LJZ5eVU7ntXf7uo73V0BZWHaiaP5Q49jw6gmM6vVtJXTy/KRJm4dFHhTtTOhbW3jDMt+Gmf8Ui/5bthHYpZmOYQ"
        "gcZD4T6NEXh01KOxhkiiIVhDUbNmj6dZk6xr1zSq6VbvMoktybZcVnszNipmmlR7nGTPPI3eN95qU67seS17WhJ7Gttz"
        "WxY0tofhZ9cedlxYb8qVTQ+/rYdqGnv7lsdOcl2zJrmGKpmDm8pB2pe/Ix0OHDhw4MCBAwcO/gTU/VPyPc28j7us277b"
        "+q8zTWnG+U3y32ITuug5TB+mG9BJeQJHU5o/+XAJ25aYp479v1ChgXpPoB0t7Ed7yvOXvjjE7PeZt6L/1y2hVPufScXP"
        "39z/V97p5t0="
    )
)


def test_the_old_binary_format_is_read_too() -> None:
    rows = read(OLD_WORKBOOK)

    assert [(row.number, *row.cells.values()) for row in rows] == [
        (3, "张三", "430202199001011234", "13900000001", "株洲市"),
        (4, "李四", "4.40000E+17", "13900000002", "株洲市"),
    ]
    assert rows[1].lost_digits == ["id_number"]


def test_a_broken_old_workbook_is_refused() -> None:
    content = OLD_WORKBOOK[:8] + bytes(4096)

    with pytest.raises(UnreadableSheet):
        read(content)


def test_a_merged_cell_counts_for_every_row_it_covers() -> None:
    def fill(_book: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.merge_range(0, 0, 1, 3, "学员名册")
        sheet.write_row(2, 0, HEADERS)
        for at, name in enumerate(["张三", "李四", "王五", "赵六"], start=3):
            sheet.write_row(at, 0, [name, ZHANG[1], ZHANG[2]])
        sheet.merge_range(3, 3, 5, 3, "株洲市")

    rows = read(workbook(fill))

    assert [(row.number, row["home"]) for row in rows] == [
        (4, "株洲市"),
        (5, "株洲市"),
        (6, "株洲市"),
        (7, ""),
    ]


def test_a_merged_cell_alone_makes_no_row() -> None:
    def fill(_book: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, ZHANG[:3])
        sheet.merge_range(1, 3, 4, 3, "株洲市")
        sheet.write_row(6, 0, LI)

    rows = read(workbook(fill))

    assert [row.number for row in rows] == [2, 7]


def test_a_header_of_two_rows_is_read_as_one() -> None:
    def fill(_book: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.merge_range(0, 0, 1, 0, "姓名")
        sheet.merge_range(0, 1, 1, 1, "身份证号")
        sheet.merge_range(0, 2, 0, 3, "联系方式")
        sheet.write_row(1, 2, ["电话", "户籍地"])
        sheet.write_row(2, 0, ZHANG)

    (row,) = read(workbook(fill))

    assert (row.number, list(row.cells.values())) == (3, ZHANG)


@pytest.mark.parametrize(
    "typed",
    [
        "４３０２０２１９９００１０１１２３４",
        " 430202 19900101 1234 ",
        "4302\u200b02199001011234\ufeff",
        "\t430202199001011234",
        "'430202199001011234",
        '="430202199001011234"',
    ],
)
def test_slips_in_a_number_are_put_right(typed: str) -> None:
    content = csv_bytes(HEADERS, ["张三", typed])

    rows = read(content)

    assert texts(rows, "id_number") == ["430202199001011234"]


def test_spaces_inside_other_texts_are_kept() -> None:
    content = xlsx(HEADERS, ["\u3000Anna Maria\u200b ", ZHANG[1]])

    rows = read(content)

    assert texts(rows, "name") == ["Anna Maria"]


def test_a_phone_typed_as_a_number_keeps_its_digits() -> None:
    content = xlsx(HEADERS, ["张三", ZHANG[1], 13900000001])

    rows = read(content)

    assert texts(rows, "phone") == ["13900000001"]


def test_dates_are_delivered_in_iso_form() -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        chinese = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, ZHANG[:2])
        sheet.write_datetime(1, 3, datetime(1990, 1, 2), chinese)  # noqa: DTZ001
        sheet.write_row(2, 0, LI[:2])
        sheet.write_datetime(2, 3, datetime(1990, 1, 2, 3, 4), chinese)  # noqa: DTZ001

    rows = read(workbook(fill))

    assert texts(rows, "home") == ["1990-01-02", "1990-01-02T03:04:00"]


@pytest.mark.parametrize(
    ("write", "cell"),
    [
        (xlsx, 430202199001011234),
        (xlsx, 4.4e17),
        (xlsx, 1e15),
        (xlsx, "4.30202E+17"),
        (csv_bytes, "4.30202E+17"),
        (csv_bytes, "４.３E＋17 "),
    ],
)
def test_a_number_that_lost_its_digits_is_delivered_as_lost(
    write: Callable[..., bytes], cell: object
) -> None:
    content = write(HEADERS, ["张三", cell])

    (row,) = read(content)

    assert (row.lost_digits, type(row["id_number"]), row.headers["id_number"], row.number) == (
        ["id_number"],
        LostDigits,
        "身份证号",
        2,
    )


def test_the_fifteen_digits_of_an_old_number_survive() -> None:
    (row,) = read(xlsx(HEADERS, ["张三", 430202900101123]))

    lost = row.lost_digits

    assert (lost, row["id_number"]) == ([], "430202900101123")


@pytest.mark.parametrize(
    "total",
    [
        ["合计", "", "", ""],
        ["合　计", "2人", "", ""],
        ["合计：2人", "", "", ""],
        ["", "共计2人", "", ""],
        ["", "", "", "总计"],
        ["本页小计", "2", "2", "2"],
        ["总计（人）", "2", "", ""],
    ],
)
def test_a_total_row_is_nobody(total: list[str]) -> None:
    content = xlsx(HEADERS, ZHANG, LI, total)

    rows = read(content)

    assert texts(rows, "name") == ["张三", "李四"]


def test_a_total_in_the_numbering_column_is_nobody() -> None:
    content = xlsx(["序号", *HEADERS], [1, *ZHANG], ["合计", "1人", "", "", ""])

    rows = read(content)

    assert texts(rows, "name") == ["张三"]


@pytest.mark.parametrize("remark", ["合计", "共计3门课", "小计算机培训班"])
def test_a_complete_person_with_such_a_word_in_a_remark_is_kept(remark: str) -> None:
    content = xlsx([*HEADERS, "备注"], [*ZHANG, remark])

    rows = read(content)

    assert texts(rows, "name") == ["张三"]


def test_a_row_with_nothing_but_unknown_columns_is_blank() -> None:
    content = xlsx(["序号", *HEADERS], [1, *ZHANG], [2], [3, " ", "\u3000", "\u200b"])

    rows = read(content)

    assert texts(rows, "name") == ["张三"]


def test_the_first_visible_sheet_is_read() -> None:
    def fill(book: xlsxwriter.Workbook, hidden: xlsxwriter.worksheet.Worksheet) -> None:
        visible = book.worksheets()[1]
        hidden.write_row(0, 0, HEADERS)
        hidden.write_row(1, 0, LI)
        visible.write_row(0, 0, HEADERS)
        visible.write_row(1, 0, ZHANG)
        visible.activate()
        hidden.hide()

    rows = read(workbook(fill, sheets=2))

    assert texts(rows, "name") == ["张三"]


# Refusing


def test_missing_headers_are_named() -> None:
    content = xlsx(["姓名", "备注"], ["张三", ""])

    with pytest.raises(HeadersNotFound) as refused:
        read(content)

    assert refused.value.facts == {"missing": ["身份证号"]}


def test_headers_below_the_twentieth_row_are_not_looked_for() -> None:
    content = xlsx(*[["说明"]] * 20, HEADERS, ZHANG)

    with pytest.raises(HeadersNotFound):
        read(content)


def test_headers_in_the_twentieth_row_are_found() -> None:
    content = xlsx(*[["说明"]] * 19, HEADERS, ZHANG)

    (row,) = read(content)

    assert row.number == 21


def test_two_columns_for_one_field_are_refused() -> None:
    content = xlsx([*HEADERS, "手机号"], [*ZHANG, "13900000009"])

    with pytest.raises(DuplicateHeader) as refused:
        read(content)

    assert refused.value.facts == {"headers": ["联系电话", "手机号"]}


@pytest.mark.parametrize("write", [xlsx, csv_bytes])
def test_five_thousand_rows_are_the_most(write: Callable[..., bytes]) -> None:
    full = write(["名册"], HEADERS, *[ZHANG] * 5000, ["合计"])
    overfull = write(["名册"], HEADERS, *[ZHANG] * 5001)

    rows = read(full)

    assert len(rows) == 5000
    with pytest.raises(TooManyRows) as refused:
        read(overfull)
    assert refused.value.facts == {"limit": 5000}


@pytest.mark.parametrize("write", [xlsx, csv_bytes])
def test_sixty_columns_are_the_most(write: Callable[..., bytes]) -> None:
    wide = [f"第{at}列" for at in range(56)]

    rows = read(write([*HEADERS, *wide], [*ZHANG, *wide]))

    assert len(rows) == 1
    with pytest.raises(SheetTooLarge):
        read(write([*HEADERS, *wide, "多"], [*ZHANG, *wide, "多"]))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO(xlsx(HEADERS, ZHANG))
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", bytes(51 * 1024 * 1024))

    with pytest.raises(SheetTooLarge):
        read(bomb.getvalue())


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    content = bytearray(xlsx(HEADERS, ZHANG))
    entry = content.index(b"PK\x01\x02")

    content[entry + 24 : entry + 28] = struct.pack("<I", 1)

    with pytest.raises(UnreadableSheet):
        read(bytes(content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declaration",
    ['<!DOCTYPE x [<!ENTITY a "aaaa">]>', "<!doctype x>"],
)
def test_a_document_type_is_refused(declaration: str, encoding: str) -> None:
    def declare(name: str, xml: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return xml
        return xml.decode().replace("<worksheet", f"{declaration}<worksheet").encode(encoding)

    content = repacked(xlsx(HEADERS, ZHANG), declare)

    with pytest.raises(UnreadableSheet):
        read(content)


def test_a_sheet_of_boundless_extent_kills_only_its_own_parser() -> None:
    def fill(_book: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, HEADERS)
        sheet.write_string(1048575, 16383, "远")

    content = workbook(fill)

    with pytest.raises(UnreadableSheet):
        read(content)


def test_a_long_text_shared_by_many_cells_kills_only_its_own_parser() -> None:
    def lengthen(_name: str, xml: bytes) -> bytes:
        return xml.replace("湘潭市".encode(), b"a" * 1_000_000)

    content = repacked(xlsx(HEADERS, *[LI] * 3000), lengthen)

    with pytest.raises((UnreadableSheet, SheetTooLarge)):
        read(content)


SOUND = xlsx(HEADERS, ZHANG, LI)
NO_SPREADSHEET = {
    "empty": b"",
    "only a byte order mark": b"\xef\xbb\xbf",
    "only blanks": b" \r\n ",
    "zeros": bytes(100),
    "pdf": b"%PDF-1.7\n\x01\x02\xff\xfe",
    "html": "<html><table><tr><td>姓名</td></tr></table></html>".encode(),
    "only the mark of an archive": b"PK\x03\x04",
    "end cut off": SOUND[:-200],
    "start of a workbook": SOUND[:500],
    "parts cut in half": repacked(SOUND, lambda _name, xml: xml[: len(xml) // 2]),
    "empty parts": repacked(SOUND, lambda _name, _xml: b""),
    "neither encoding": "姓名,身份证号\n".encode() + b"\xff",
}


@pytest.mark.parametrize("content", NO_SPREADSHEET.values(), ids=NO_SPREADSHEET)
def test_what_is_no_spreadsheet_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableSheet):
        read(content)


def test_a_csv_cell_of_boundless_length_is_refused() -> None:
    content = csv_bytes(HEADERS, ["张" * 200_000, ZHANG[1]])

    with pytest.raises(UnreadableSheet):
        read(content)


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xef\xbb\xbf"]),
    st.binary(max_size=2000),
)
def test_random_bytes_are_refused_and_nothing_worse(start: bytes, rest: bytes) -> None:
    with pytest.raises(Refusal):
        read(start + rest)


@pytest.mark.parametrize("sound", [SOUND, OLD_WORKBOOK], ids=["xlsx", "xls"])
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_a_damaged_workbook_is_read_or_refused(sound: bytes, data: st.DataObject) -> None:
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        rows = read(bytes(content))
    except Refusal:
        return

    assert all(isinstance(row, Row) for row in rows)
