"""The printed certificate: it fits its sheet, is repeatable, and its code leads to the page."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from itertools import pairwise

import pytest
import segno
from PIL import Image

from training.certificate_faces import draw_pdf, draw_png, draw_qr_png, draw_qr_svg
from training.certificate_layout import lay_out
from training.certificate_shapes import PAGE_HEIGHT, PAGE_WIDTH, Face, Qr, Text, missing_characters

FACE = Face(
    serial="QH-2026-000123",
    person_name="欧阳晓龑",
    id_number_masked="430***********1234",
    programme_name="养老护理员技能提升班",
    occupation_name="养老护理员",
    level_label="五级/初级工",
    hours=120,
    started_on=date(2026, 3, 2),
    ended_on=date(2026, 4, 10),
    institution_name="启航职业培训学校",
    issued_on=date(2026, 4, 15),
    verify_url="https://qihang.example.cn/verify/7K4M9XQ2WD",
    code="7K4M-9XQ2-WD",
)
LONG = replace(
    FACE,
    serial="QH-2026-CHANGSHA-EAST-CAMPUS-0000000123",
    person_name="阿卜杜热合曼·买买提艾力·吐尔逊阿卜杜拉",
    programme_name="人工智能训练师与跨境电子商务直播运营复合型技能人才孵化创业实训项目" * 3,
    occupation_name="人工智能训练师（数据标注与模型评测方向）",
    hours=Decimal("120.50"),
    institution_name="某某省启航职业技能培训与创业孵化服务中心有限责任公司第二教学点",
    verify_url="https://verify.qihang.example.cn/zh-hans/certificates/verify/" + "7K4M9XQ2WD" * 3,
    code="7K4M-9XQ2-WD" * 2,
)
UNBROKEN = replace(FACE, person_name="Wolfeschlegelsteinhausen" * 4, programme_name="A" * 120)
BARE = replace(FACE, id_number_masked="", occupation_name="", level_label="")
FACES = [FACE, LONG, UNBROKEN, BARE]


def texts(face: Face) -> list[Text]:
    return [s for s in lay_out(face) if isinstance(s, Text)]


def printed(face: Face) -> str:
    return "".join(text.text for text in texts(face))


def matrix(url: str) -> list[list[bool]]:
    return [[bool(cell) for cell in row] for row in segno.make_qr(url, error="m").matrix]


def sampled(image: Image.Image, url: str) -> list[list[bool]]:
    """Read back the modules of a drawn code, whose dark corners bound it exactly."""
    grey = image.convert("L")
    left, top, right, _ = grey.point(lambda level: 255 if level < 128 else 0).getbbox() or (0,) * 4
    modules = len(matrix(url))
    module = (right - left) / modules
    return [
        [
            grey.getpixel((int(left + (x + 0.5) * module), int(top + (y + 0.5) * module))) < 128
            for x in range(modules)
        ]
        for y in range(modules)
    ]


@pytest.mark.parametrize("face", FACES)
def test_pdf_is_one_small_a4_page(face: Face) -> None:
    pdf = draw_pdf(face)

    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [ 0 0 841.89 595.28 ]" in pdf
    assert b"/FontFile2" in pdf
    assert len(pdf) < 200_000


def test_same_facts_give_same_bytes() -> None:
    assert draw_pdf(FACE) == draw_pdf(replace(FACE))
    assert draw_png(FACE) == draw_png(replace(FACE))
    assert draw_pdf(FACE) != draw_pdf(replace(FACE, serial="QH-2026-000124"))


@pytest.mark.parametrize("width", [320, 1000, 1280])
def test_png_has_the_width_asked_for(width: int) -> None:
    with Image.open(BytesIO(draw_png(FACE, width=width))) as image:
        assert image.format == "PNG"
        assert image.size == (width, round(width * PAGE_HEIGHT / PAGE_WIDTH))


@pytest.mark.parametrize("width", [0, 319, 4097])
def test_png_width_has_bounds(width: int) -> None:
    with pytest.raises(ValueError, match="width"):
        draw_png(FACE, width=width)


@pytest.mark.parametrize("face", FACES)
def test_nothing_runs_over_the_margin_or_into_its_neighbour(face: Face) -> None:
    shapes = texts(face)

    for text in shapes:
        assert text.x >= 110
        assert text.right <= PAGE_WIDTH - 110
        assert 60 <= text.y <= PAGE_HEIGHT - 50
    for one in shapes:
        for other in shapes:
            if one.y == other.y and one.x < other.x:
                assert one.right <= other.x + 0.01


@pytest.mark.parametrize("face", FACES)
def test_lines_do_not_touch(face: Face) -> None:
    body = {text.y: text.size for text in texts(face)}
    heights = sorted(body)
    left = {text.y for text in texts(face) if text.x < PAGE_WIDTH / 2}

    for above, below in pairwise(heights):
        if {above, below} <= left:
            assert below - above >= body[below]


def test_the_sentence_says_what_was_learnt_and_when() -> None:
    assert (
        "兹证明 欧阳晓龑（身份证号 430***********1234）于2026年3月2日至2026年4月10日参加"
        "“养老护理员技能提升班”（养老护理员 五级/初级工）职业培训，共计 120 课时，"
        "经考核合格，特发此证。"
    ) in printed(FACE)


def test_everything_else_is_printed_too() -> None:
    whole = printed(FACE)

    assert "培训合格证书" in whole
    assert "证书编号：QH-2026-000123" in whole
    assert "发证机构：启航职业培训学校" in whole
    assert "发证日期：2026年4月15日" in whole
    assert "扫码验证" in whole


def test_long_facts_are_printed_whole() -> None:
    whole = printed(LONG)

    for fact in (LONG.person_name, LONG.programme_name, LONG.institution_name, LONG.verify_url):
        assert fact in whole


def test_empty_facts_leave_no_empty_brackets() -> None:
    assert "兹证明 欧阳晓龑 于2026年3月2日" in printed(BARE)
    assert "“养老护理员技能提升班”职业培训" in printed(BARE)


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(80, "80"), (Decimal("80.00"), "80"), (Decimal("1E+2"), "100"), (Decimal("7.50"), "7.5")],
)
def test_hours_are_plain_numbers(hours: int | Decimal, shown: str) -> None:
    assert f"共计 {shown} 课时" in printed(replace(FACE, hours=hours))


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    lines: dict[float, str] = {}
    for text in texts(LONG):
        lines[text.y] = lines.get(text.y, "") + text.text

    assert not [line for line in lines.values() if line[0] in "，。）”、"]
    assert not [line for line in lines.values() if line[-1] in "（“"]


def test_text_beyond_all_shrinking_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        draw_pdf(replace(FACE, programme_name="班" * 4000))
    with pytest.raises(ValueError, match="too long"):
        draw_pdf(replace(FACE, serial="1" * 2000))
    with pytest.raises(ValueError, match="too long"):
        draw_pdf(replace(FACE, institution_name="校" * 200))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("张三丰", set()),
        ("䶮龑喆堃㛃𬱖", set()),
        ("买买提·艾力 Zoë，（）“”《》", set()),
        ("𠮷田", {"𠮷"}),
        ("张\n三\t", {"\n", "\t"}),
        ("葛\U000e0100", {"\U000e0100"}),
        ("", set()),
    ],
)
def test_missing_characters(text: str, missing: set[str]) -> None:
    assert missing_characters(text) == missing


def test_font_draws_every_gb2312_and_gbk_character_for_names() -> None:
    assert missing_characters("".join(map(chr, range(0x4E00, 0x9FA6)))) == set()


def test_font_draws_every_fixed_word() -> None:
    assert missing_characters(printed(FACE)) == set()


def test_certificate_with_an_undrawable_character_is_refused() -> None:
    with pytest.raises(ValueError, match=r"U\+20BB7"):
        draw_pdf(replace(FACE, person_name="𠮷田"))
    with pytest.raises(ValueError, match=r"U\+20BB7"):
        draw_png(replace(FACE, person_name="𠮷田"))


def test_qr_png_holds_the_address() -> None:
    with Image.open(BytesIO(draw_qr_png(FACE.verify_url))) as image:
        assert sampled(image, FACE.verify_url) == matrix(FACE.verify_url)


@pytest.mark.parametrize("face", [FACE, LONG])
@pytest.mark.parametrize("width", [1000, 1280, 2000])
def test_certificate_png_holds_the_address(face: Face, width: int) -> None:
    (code,) = (s for s in lay_out(face) if isinstance(s, Qr))
    scale = width / PAGE_WIDTH
    edges = (code.x + 2, code.y + 2, code.x + code.size - 2, code.y + code.size - 2)

    with Image.open(BytesIO(draw_png(face, width=width))) as image:
        cut = image.crop(tuple(round(edge * scale) for edge in edges))

    assert sampled(cut, face.verify_url) == matrix(face.verify_url)


def test_qr_svg_is_a_repeatable_picture() -> None:
    svg = draw_qr_svg(FACE.verify_url)

    assert b"<svg " in svg
    assert svg == draw_qr_svg(FACE.verify_url)
    assert svg != draw_qr_svg(FACE.verify_url + "X")


def test_address_too_long_for_a_code_is_refused() -> None:
    with pytest.raises(ValueError, match="data"):
        draw_qr_png("https://qihang.example.cn/" + "x" * 4000)
