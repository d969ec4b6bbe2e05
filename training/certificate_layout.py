"""Where everything stands on a certificate: an A4 landscape sheet, laid out once."""

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from training.certificate_lines import wrap
from training.certificate_shapes import (
    GOLD,
    GREY,
    INK,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PALE_GOLD,
    PAPER,
    RED,
    WASH,
    Face,
    Line,
    Path,
    Qr,
    Run,
    Shape,
    Text,
    missing_characters,
    text_width,
)

TITLE = "培训合格证书"
SUBTITLE = "CERTIFICATE OF TRAINING"
_CENTRE = PAGE_WIDTH / 2
_BODY_LEFT = 118.0
_BODY_WIDTH = PAGE_WIDTH - 2 * _BODY_LEFT
_BODY_TOP = 216.0
_BODY_HEIGHT = 196.0
_BODY_SIZE = 19.0
_SMALLEST_SIZE = 6.0
_LEADING = 1.95
_QR_SIZE = 92.0
_QR_TOP = 425.0


def lay_out(face: Face) -> tuple[Shape, ...]:
    _refuse_undrawable(face)
    return (
        *_background(),
        *_border(),
        *_heading(face),
        *_body(face),
        *_verification(face),
        *_signature(face),
    )


def _refuse_undrawable(face: Face) -> None:
    printed = (
        face.serial,
        face.person_name,
        face.id_number_masked,
        face.programme_name,
        face.occupation_name,
        face.level_label,
        face.institution_name,
        face.verify_url,
        face.code,
    )
    missing = missing_characters("".join(printed))
    if missing:
        listed = ", ".join(f"U+{ord(character):04X}" for character in sorted(missing))
        raise ValueError(f"the certificate font cannot draw {listed}")


def _box(inset: float, colour: str, width: float) -> Path:
    right, bottom = PAGE_WIDTH - inset, PAGE_HEIGHT - inset
    corners = ((inset, inset), (right, inset), (right, bottom), (inset, bottom))
    return Path(corners, colour, width, closed=True)


def _rosette(radius: float, depth: float, petals: int, phase: float) -> Path:
    points = []
    for step in range(720):
        angle = math.tau * step / 720
        reach = radius + depth * math.sin(petals * angle + phase)
        points.append(
            (_CENTRE + reach * math.cos(angle), 306 + reach * math.sin(angle)),
        )
    return Path(tuple(points), WASH, 0.7, closed=True)


def _background() -> Iterator[Shape]:
    yield _box(24, PAPER, 0)
    for radius in (58, 88, 118, 148):
        for turn in range(4):
            yield _rosette(radius, 22, 18, math.tau * turn / 4)


def _corner(*, flip_x: bool, flip_y: bool) -> Path:
    # One turn of the traditional square fret, drawn for the top left corner and mirrored.
    fret = (
        (74, 47), (47, 47), (47, 74), (67, 74), (67, 57), (57, 57), (57, 66), (62, 66),
    )  # fmt: skip
    points = tuple(
        (PAGE_WIDTH - x if flip_x else x, PAGE_HEIGHT - y if flip_y else y) for x, y in fret
    )
    return Path(points, GOLD, 1.3)


def _border() -> Iterator[Shape]:
    yield _box(24, RED, 5)
    yield _box(31, GOLD, 1.2)
    yield _box(39, PALE_GOLD, 0.6)
    for flip_x in (False, True):
        for flip_y in (False, True):
            yield _corner(flip_x=flip_x, flip_y=flip_y)


def _diamond(x: float, y: float, reach: float, colour: str) -> Path:
    tips = ((x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach))
    return Path(tips, colour, closed=True)


def _centred(
    text: str,
    y: float,
    size: float,
    colour: str,
    *,
    centre: float = _CENTRE,
    spacing: float = 0.0,
    bold: bool = False,
) -> Text:
    x = centre - text_width(text, size, spacing) / 2
    return Text(x, y, text, size, colour, spacing, bold)


def _shrunk(text: str, width: float, size: float) -> float:
    """Return the largest size up to the given one, in points, at which a text fits a width."""
    full = text_width(text, size)
    if full <= width:
        return size
    fitting = math.floor(size * width / full * 20) / 20
    if fitting < _SMALLEST_SIZE / 2:
        raise ValueError(f"{text[:20]}… is too long to print on the certificate")
    return fitting


def _heading(face: Face) -> Iterator[Shape]:
    yield _centred(TITLE, 119, 47, RED, spacing=13, bold=True)
    yield _centred(SUBTITLE, 145, 10.5, GOLD, spacing=3.2)
    for side in (-1, 1):
        ends = ((_CENTRE + side * 14, 164.0), (_CENTRE + side * 150, 164.0))
        yield Path(ends, PALE_GOLD, 0.9)
        yield _diamond(_CENTRE + side * 150, 164, 1.8, PALE_GOLD)
    yield _diamond(_CENTRE, 164, 4.5, RED)
    label = f"证书编号：{face.serial}"
    size = _shrunk(label, _BODY_WIDTH, 12)
    yield _centred(label, 189, size, GREY)


def _sentence(face: Face) -> tuple[Run, ...]:
    occupation = " ".join(filter(None, (face.occupation_name, face.level_label)))
    identity = f"（身份证号 {face.id_number_masked}）" if face.id_number_masked else " "
    period = f"于{_chinese_date(face.started_on)}至{_chinese_date(face.ended_on)}参加"
    course = f"（{occupation}）职业培训，共计 " if occupation else "职业培训，共计 "
    return (
        Run("兹证明 "),
        Run(face.person_name, strong=True),
        Run(f"{identity}{period}“"),
        Run(face.programme_name, strong=True),
        Run(f"”{course}"),
        Run(_number(face.hours), strong=True),
        Run(" 课时，经考核合格，特发此证。"),
    )


def _body(face: Face) -> Iterator[Shape]:
    size, lines = _fit_sentence(_sentence(face))
    leading = size * _LEADING
    y = _BODY_TOP + (_BODY_HEIGHT - leading * len(lines)) / 2 + leading / 2 + size * 0.36
    for number, line in enumerate(lines):
        indent = 2 * size if number == 0 else 0.0
        width = _BODY_WIDTH - indent
        spacing = 0.0 if number == len(lines) - 1 else _justifying(line, size, width)
        yield from _set_line(line, _BODY_LEFT + indent, y, size, spacing)
        y += leading


def _fit_sentence(runs: tuple[Run, ...]) -> tuple[float, list[Line]]:
    """Choose the largest size in points at which the sentence fits, and break it into lines."""
    fits = [
        (size, lines)
        for size in _sizes(_BODY_SIZE, _SMALLEST_SIZE)
        if len(lines := wrap(runs, size, _BODY_WIDTH, 2 * size)) * size * _LEADING <= _BODY_HEIGHT
    ]
    if not fits:
        raise ValueError("the names are too long to print on the certificate")
    # A slightly smaller sentence reads better than one whose last line is a lone character.
    return next((fit for fit in fits[:4] if _length(fit[1][-1]) >= 4), fits[0])


def _sizes(largest: float, smallest: float) -> list[float]:
    return [largest - step / 2 for step in range(int((largest - smallest) * 2) + 1)]


def _fit_note(text: str, width: float, largest: float, smallest: float) -> tuple[float, list[str]]:
    """Choose size and lines for a short text: one line if it can be, else two, else more."""
    for most in (1, 2, 3):
        for size in _sizes(largest, smallest):
            lines = wrap((Run(text),), size, width, 0)
            if len(lines) <= most:
                return size, ["".join(run.text for run in line) for line in lines]
    raise ValueError(f"{text[:20]}… is too long to print on the certificate")


def _length(line: Line) -> int:
    return sum(len(run.text) for run in line)


def _set_line(line: Line, x: float, y: float, size: float, spacing: float) -> Iterator[Text]:
    for run in line:
        colour = RED if run.strong else INK
        text = Text(x, y, run.text, size, colour, spacing, run.strong)
        yield text
        x = text.right + spacing


def _justifying(line: Line, size: float, width: float) -> float:
    text = "".join(run.text for run in line)
    gaps = max(len(text) - 1, 1)
    # A line left far short by one long unbroken word looks better ragged than stretched.
    return min((width - text_width(text, size)) / gaps, size * 0.12)


def _verification(face: Face) -> Iterator[Shape]:
    left = _BODY_LEFT + _QR_SIZE + 14
    width = _CENTRE - left - 4
    yield Qr(_BODY_LEFT, _QR_TOP, _QR_SIZE, face.verify_url)
    yield _frame(_BODY_LEFT, _QR_TOP, _QR_SIZE)
    yield Text(left, _QR_TOP + 31, "扫码验证", 14, RED, 1.5, bold=True)
    code = f"验证码：{face.code}"
    yield Text(left, _QR_TOP + 52, code, _shrunk(code, width, 10), GREY)
    size, lines = _fit_note(face.verify_url, width, 8, 6.5)
    for number, line in enumerate(lines):
        yield Text(left, _QR_TOP + 68 + number * size * 1.3, line, size, GREY)


def _frame(x: float, y: float, side: float) -> Path:
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return Path(corners, PALE_GOLD, 0.8, closed=True)


def _signature(face: Face) -> Iterator[Shape]:
    labels = ("发证机构：", "发证日期：")
    right = _BODY_LEFT + _BODY_WIDTH
    room = right - _CENTRE - 4
    size, lines = _fit_note(face.institution_name, room - 5 * 16, 16, 12)
    day = _chinese_date(face.issued_on)
    x = right - max(text_width(value, size) for value in (*lines, day))
    y = _QR_TOP + 43 - (len(lines) - 1) * size * 0.7
    for label, values in zip(labels, (lines, [day]), strict=True):
        yield Text(x - text_width(label, size), y, label, size, GREY)
        for value in values:
            yield Text(x, y, value, size, INK)
            y += size * 1.4
        y += 10


def _chinese_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _number(value: int | Decimal) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
