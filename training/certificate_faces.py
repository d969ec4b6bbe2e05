"""Draw a training certificate as PDF, as PNG and as a QR code, from plain facts.

The face is laid out once, as shapes in points from the top left of an A4 landscape sheet, and
two small renderers put the same shapes on paper and on screen. Nothing here reads a database,
a clock or a setting, so the same facts always give the same bytes.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import RLock

import segno
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT_PATH = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
TITLE = "培训合格证书"
SUBTITLE = "CERTIFICATE OF TRAINING"

PAGE_WIDTH = 841.89
PAGE_HEIGHT = 595.28
MIN_PNG_WIDTH = 320
MAX_PNG_WIDTH = 4096

_FONT_NAME = "CertificateSans"
_PAPER = "#FFFDF8"
_WASH = "#F6ECD6"
_RED = "#9F1D20"
_GOLD = "#B98A3A"
_PALE_GOLD = "#D9BC82"
_INK = "#2A2320"
_GREY = "#75695F"
_WHITE = "#FFFFFF"

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
_QUIET_ZONE = 4
_SUPERSAMPLING = 2

_CLOSERS = frozenset("，。、；：？！）》”’】…,.;:?!)]}%/")
_OPENERS = frozenset("（《“‘【([{")
_PIECES = re.compile(r"[0-9A-Za-z*@_'’.\-]+/?|.", re.DOTALL)

# Both font engines keep a read position or a cache inside the font object they share.
_DRAWING = RLock()


@dataclass(frozen=True)
class Face:
    """The facts a certificate prints, already masked and already in the issuer's words."""

    serial: str
    person_name: str
    id_number_masked: str
    programme_name: str
    occupation_name: str
    level_label: str
    hours: int | Decimal
    started_on: date
    ended_on: date
    institution_name: str
    issued_on: date
    verify_url: str
    code: str


@dataclass(frozen=True)
class _Text:
    """One line of text: x of its left edge and y of its baseline, in points from the top left."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    spacing: float = 0.0
    bold: bool = False

    @property
    def right(self) -> float:
        return self.x + _text_width(self.text, self.size, self.spacing)


@dataclass(frozen=True)
class _Path:
    """An open or closed line through points, stroked when it has a width and else filled."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 0.0
    closed: bool = False


@dataclass(frozen=True)
class _Qr:
    """A QR code with its quiet zone inside a square whose side is in points."""

    x: float
    y: float
    size: float
    url: str


@dataclass(frozen=True)
class _Run:
    """A stretch of the body sentence in one style."""

    text: str
    strong: bool = False


_Shape = _Text | _Path | _Qr
_Line = tuple[_Run, ...]


def missing_characters(text: str) -> set[str]:
    """Return the characters of a text which the certificate font cannot draw.

    Line breaks, tabs and variation selectors count as missing, because none of them prints.
    """
    with _DRAWING:
        drawable = _font().face.charToGlyph
        return {character for character in text if ord(character) not in drawable}


def draw_pdf(face: Face) -> bytes:
    """Return the certificate as a one-page A4 landscape PDF with its font embedded.

    :raises ValueError: a character cannot be drawn, or a text is too long for the sheet.
    """
    shapes = _layout(face)
    output = BytesIO()
    with _DRAWING:
        canvas = _canvas(output, face)
        for shape in shapes:
            _put_on_pdf(canvas, shape)
        canvas.showPage()
        canvas.save()
    return output.getvalue()


def draw_png(face: Face, *, width: int = 1280) -> bytes:
    """Return the certificate as a PNG of the given width in pixels, in the ratio of A4.

    :raises ValueError: the width is outside 320 to 4096 pixels, a character cannot be drawn,
        or a text is too long for the sheet.
    """
    if not MIN_PNG_WIDTH <= width <= MAX_PNG_WIDTH:
        raise ValueError(f"width must be {MIN_PNG_WIDTH} to {MAX_PNG_WIDTH} pixels, not {width}")
    shapes = _layout(face)
    size = (width, round(width * PAGE_HEIGHT / PAGE_WIDTH))
    large = Image.new("RGB", (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING), _WHITE)
    with _DRAWING:
        for shape in shapes:
            _put_on_image(large, shape, large.width / PAGE_WIDTH)
    image = large.resize(size, Image.Resampling.LANCZOS)
    for shape in shapes:
        if isinstance(shape, _Qr):
            _paste_qr(image, shape, width / PAGE_WIDTH)
    output = BytesIO()
    image.save(output, "PNG", optimize=True)
    return output.getvalue()


def draw_qr_svg(url: str) -> bytes:
    """Return the QR code of an address as an SVG document, 4 units a module.

    :raises ValueError: the address is too long for a QR code.
    """
    output = BytesIO()
    _qr_code(url).save(output, kind="svg", scale=4, border=_QUIET_ZONE, light=_WHITE)
    return output.getvalue()


def draw_qr_png(url: str) -> bytes:
    """Return the QR code of an address as a black and white PNG, 10 pixels a module.

    :raises ValueError: the address is too long for a QR code.
    """
    output = BytesIO()
    _qr_code(url).save(output, kind="png", scale=10, border=_QUIET_ZONE, light=_WHITE)
    return output.getvalue()


def _canvas(output: BytesIO, face: Face) -> Canvas:
    canvas = Canvas(
        output,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        invariant=1,
        pageCompression=1,
        initialFontName=_FONT_NAME,
    )
    canvas.setTitle(f"{TITLE} {face.serial}")
    canvas.setAuthor(face.institution_name)
    canvas.setSubject(SUBTITLE.title())
    canvas.setLineJoin(1)
    return canvas


@lru_cache(maxsize=1)
def _font() -> TTFont:
    font = TTFont(_FONT_NAME, str(FONT_PATH))
    pdfmetrics.registerFont(font)
    return font


@lru_cache(maxsize=64)
def _image_font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_PATH, size, layout_engine=ImageFont.Layout.BASIC)


def _qr_code(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m")


def _text_width(text: str, size: float, spacing: float = 0.0) -> float:
    with _DRAWING:
        plain = float(_font().stringWidth(text, size))
    return plain + spacing * max(len(text) - 1, 0)


def _chinese_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _number(value: int | Decimal) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- Layout ---------------------------------------------------------------------------------


def _layout(face: Face) -> tuple[_Shape, ...]:
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


def _box(inset: float, colour: str, width: float) -> _Path:
    right, bottom = PAGE_WIDTH - inset, PAGE_HEIGHT - inset
    corners = ((inset, inset), (right, inset), (right, bottom), (inset, bottom))
    return _Path(corners, colour, width, closed=True)


def _rosette(radius: float, depth: float, petals: int, phase: float) -> _Path:
    points = []
    for step in range(720):
        angle = math.tau * step / 720
        reach = radius + depth * math.sin(petals * angle + phase)
        points.append(
            (_CENTRE + reach * math.cos(angle), 306 + reach * math.sin(angle)),
        )
    return _Path(tuple(points), _WASH, 0.7, closed=True)


def _background() -> Iterator[_Shape]:
    yield _box(24, _PAPER, 0)
    for radius in (58, 88, 118, 148):
        for turn in range(4):
            yield _rosette(radius, 22, 18, math.tau * turn / 4)


def _corner(*, flip_x: bool, flip_y: bool) -> _Path:
    # One turn of the traditional square fret, drawn for the top left corner and mirrored.
    fret = (
        (74, 47), (47, 47), (47, 74), (67, 74), (67, 57), (57, 57), (57, 66), (62, 66),
    )  # fmt: skip
    points = tuple(
        (PAGE_WIDTH - x if flip_x else x, PAGE_HEIGHT - y if flip_y else y) for x, y in fret
    )
    return _Path(points, _GOLD, 1.3)


def _border() -> Iterator[_Shape]:
    yield _box(24, _RED, 5)
    yield _box(31, _GOLD, 1.2)
    yield _box(39, _PALE_GOLD, 0.6)
    for flip_x in (False, True):
        for flip_y in (False, True):
            yield _corner(flip_x=flip_x, flip_y=flip_y)


def _diamond(x: float, y: float, reach: float, colour: str) -> _Path:
    tips = ((x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach))
    return _Path(tips, colour, closed=True)


def _centred(
    text: str,
    y: float,
    size: float,
    colour: str,
    *,
    centre: float = _CENTRE,
    spacing: float = 0.0,
    bold: bool = False,
) -> _Text:
    x = centre - _text_width(text, size, spacing) / 2
    return _Text(x, y, text, size, colour, spacing, bold)


def _shrunk(text: str, width: float, size: float) -> float:
    """Return the largest size up to the given one, in points, at which a text fits a width."""
    full = _text_width(text, size)
    if full <= width:
        return size
    fitting = math.floor(size * width / full * 20) / 20
    if fitting < _SMALLEST_SIZE / 2:
        raise ValueError(f"{text[:20]}… is too long to print on the certificate")
    return fitting


def _heading(face: Face) -> Iterator[_Shape]:
    yield _centred(TITLE, 119, 47, _RED, spacing=13, bold=True)
    yield _centred(SUBTITLE, 145, 10.5, _GOLD, spacing=3.2)
    for side in (-1, 1):
        ends = ((_CENTRE + side * 14, 164.0), (_CENTRE + side * 150, 164.0))
        yield _Path(ends, _PALE_GOLD, 0.9)
        yield _diamond(_CENTRE + side * 150, 164, 1.8, _PALE_GOLD)
    yield _diamond(_CENTRE, 164, 4.5, _RED)
    label = f"证书编号：{face.serial}"
    size = _shrunk(label, _BODY_WIDTH, 12)
    yield _centred(label, 189, size, _GREY)


def _sentence(face: Face) -> tuple[_Run, ...]:
    occupation = " ".join(filter(None, (face.occupation_name, face.level_label)))
    identity = f"（身份证号 {face.id_number_masked}）" if face.id_number_masked else " "
    period = f"于{_chinese_date(face.started_on)}至{_chinese_date(face.ended_on)}参加"
    course = f"（{occupation}）职业培训，共计 " if occupation else "职业培训，共计 "
    return (
        _Run("兹证明 "),
        _Run(face.person_name, strong=True),
        _Run(f"{identity}{period}“"),
        _Run(face.programme_name, strong=True),
        _Run(f"”{course}"),
        _Run(_number(face.hours), strong=True),
        _Run(" 课时，经考核合格，特发此证。"),
    )


def _body(face: Face) -> Iterator[_Shape]:
    size, lines = _fit_sentence(_sentence(face))
    leading = size * _LEADING
    y = _BODY_TOP + (_BODY_HEIGHT - leading * len(lines)) / 2 + leading / 2 + size * 0.36
    for number, line in enumerate(lines):
        indent = 2 * size if number == 0 else 0.0
        width = _BODY_WIDTH - indent
        spacing = 0.0 if number == len(lines) - 1 else _justifying(line, size, width)
        yield from _set_line(line, _BODY_LEFT + indent, y, size, spacing)
        y += leading


def _fit_sentence(runs: tuple[_Run, ...]) -> tuple[float, list[_Line]]:
    """Choose the largest size in points at which the sentence fits, and break it into lines."""
    fits = [
        (size, lines)
        for size in _sizes(_BODY_SIZE, _SMALLEST_SIZE)
        if len(lines := _wrapped(runs, size, _BODY_WIDTH, 2 * size)) * size * _LEADING
        <= _BODY_HEIGHT
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
            lines = _wrapped((_Run(text),), size, width, 0)
            if len(lines) <= most:
                return size, ["".join(run.text for run in line) for line in lines]
    raise ValueError(f"{text[:20]}… is too long to print on the certificate")


def _length(line: _Line) -> int:
    return sum(len(run.text) for run in line)


def _set_line(line: _Line, x: float, y: float, size: float, spacing: float) -> Iterator[_Text]:
    for run in line:
        colour = _RED if run.strong else _INK
        text = _Text(x, y, run.text, size, colour, spacing, run.strong)
        yield text
        x = text.right + spacing


def _justifying(line: _Line, size: float, width: float) -> float:
    text = "".join(run.text for run in line)
    gaps = max(len(text) - 1, 1)
    # A line left far short by one long unbroken word looks better ragged than stretched.
    return min((width - _text_width(text, size)) / gaps, size * 0.12)


# --- Line breaking --------------------------------------------------------------------------


def _wrapped(runs: tuple[_Run, ...], size: float, width: float, indent: float) -> list[_Line]:
    lines: list[list[_Run]] = [[]]
    left = width - indent
    for chunk in _chunks(runs, width - indent, size):
        needed = _width_of(chunk, size)
        if needed > left and lines[-1]:
            lines.append([])
            left = width
        if not lines[-1] and chunk[0].text == " ":
            continue
        lines[-1].extend(chunk)
        left -= needed
    return [_merged(line) for line in lines]


def _chunks(runs: tuple[_Run, ...], width: float, size: float) -> Iterator[list[_Run]]:
    """Yield the stretches between which a line may break, none wider than a line."""
    chunk: list[_Run] = []
    for piece in _pieces(runs):
        if chunk and not _glued(chunk[-1], piece):
            yield from _broken(chunk, width, size)
            chunk = []
        chunk.append(piece)
    yield from _broken(chunk, width, size)


def _pieces(runs: tuple[_Run, ...]) -> Iterator[_Run]:
    for run in runs:
        for found in _PIECES.finditer(run.text):
            yield _Run(found.group(), run.strong)


def _glued(before: _Run, after: _Run) -> bool:
    return before.text in _OPENERS or after.text[0] in _CLOSERS


def _broken(chunk: list[_Run], width: float, size: float) -> Iterator[list[_Run]]:
    if _width_of(chunk, size) <= width:
        yield chunk
        return
    for run in chunk:
        for character in run.text:
            yield [_Run(character, run.strong)]


def _width_of(chunk: list[_Run], size: float) -> float:
    return sum(_text_width(run.text, size) for run in chunk)


def _merged(line: list[_Run]) -> _Line:
    merged: list[_Run] = []
    for run in line:
        if merged and merged[-1].strong == run.strong:
            merged[-1] = _Run(merged[-1].text + run.text, run.strong)
        else:
            merged.append(run)
    if merged:
        merged[-1] = _Run(merged[-1].text.rstrip(" "), merged[-1].strong)
    return tuple(merged)


# --- Foot of the sheet ----------------------------------------------------------------------


def _verification(face: Face) -> Iterator[_Shape]:
    left = _BODY_LEFT + _QR_SIZE + 14
    width = _CENTRE - left - 4
    yield _Qr(_BODY_LEFT, _QR_TOP, _QR_SIZE, face.verify_url)
    yield _frame(_BODY_LEFT, _QR_TOP, _QR_SIZE)
    yield _Text(left, _QR_TOP + 31, "扫码验证", 14, _RED, 1.5, bold=True)
    code = f"验证码：{face.code}"
    yield _Text(left, _QR_TOP + 52, code, _shrunk(code, width, 10), _GREY)
    size, lines = _fit_note(face.verify_url, width, 8, 6.5)
    for number, line in enumerate(lines):
        yield _Text(left, _QR_TOP + 68 + number * size * 1.3, line, size, _GREY)


def _frame(x: float, y: float, side: float) -> _Path:
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return _Path(corners, _PALE_GOLD, 0.8, closed=True)


def _signature(face: Face) -> Iterator[_Shape]:
    labels = ("发证机构：", "发证日期：")
    right = _BODY_LEFT + _BODY_WIDTH
    room = right - _CENTRE - 4
    size, lines = _fit_note(face.institution_name, room - 5 * 16, 16, 12)
    day = _chinese_date(face.issued_on)
    x = right - max(_text_width(value, size) for value in (*lines, day))
    y = _QR_TOP + 43 - (len(lines) - 1) * size * 0.7
    for label, values in zip(labels, (lines, [day]), strict=True):
        yield _Text(x - _text_width(label, size), y, label, size, _GREY)
        for value in values:
            yield _Text(x, y, value, size, _INK)
            y += size * 1.4
        y += 10


# --- PDF renderer ---------------------------------------------------------------------------


def _put_on_pdf(canvas: Canvas, shape: _Shape) -> None:
    if isinstance(shape, _Text):
        _pdf_text(canvas, shape)
    elif isinstance(shape, _Path):
        _pdf_path(canvas, shape)
    else:
        _pdf_qr(canvas, shape)


def _pdf_text(canvas: Canvas, shape: _Text) -> None:
    canvas.setFont(_FONT_NAME, shape.size)
    canvas.setFillColor(HexColor(shape.colour))
    mode = None
    if shape.bold:
        canvas.setStrokeColor(HexColor(shape.colour))
        canvas.setLineWidth(_embolden(shape))
        mode = 2
    y = PAGE_HEIGHT - shape.y
    canvas.drawString(shape.x, y, shape.text, mode=mode, charSpace=shape.spacing)


def _embolden(shape: _Text) -> float:
    return shape.size * 0.03


def _pdf_path(canvas: Canvas, shape: _Path) -> None:
    path = canvas.beginPath()
    for number, (x, y) in enumerate(shape.points):
        place: Callable[[float, float], None] = path.lineTo if number else path.moveTo
        place(x, PAGE_HEIGHT - y)
    if shape.closed:
        path.close()
    canvas.setLineWidth(shape.width)
    canvas.setStrokeColor(HexColor(shape.colour))
    canvas.setFillColor(HexColor(shape.colour))
    canvas.drawPath(path, stroke=int(shape.width > 0), fill=int(shape.width == 0))


def _pdf_qr(canvas: Canvas, shape: _Qr) -> None:
    rows = _qr_rows(shape.url)
    module = shape.size / len(rows)
    canvas.setFillColor(HexColor(_WHITE))
    canvas.rect(shape.x, PAGE_HEIGHT - shape.y - shape.size, shape.size, shape.size, 0, 1)
    canvas.setFillColor(HexColor("#000000"))
    path = canvas.beginPath()
    for row, cells in enumerate(rows):
        for column, dark in enumerate(cells):
            if dark:
                # The sliver of overlap keeps viewers from showing hairlines between modules.
                x = shape.x + column * module
                y = PAGE_HEIGHT - shape.y - (row + 1) * module
                path.rect(x, y, module * 1.02, module * 1.02)
    canvas.drawPath(path, stroke=0, fill=1, fillMode=1)


def _qr_rows(url: str) -> list[list[bool]]:
    return [[bool(cell) for cell in row] for row in _qr_code(url).matrix_iter(border=_QUIET_ZONE)]


# --- PNG renderer ---------------------------------------------------------------------------


def _put_on_image(image: Image.Image, shape: _Shape, scale: float) -> None:
    draw = ImageDraw.Draw(image)
    if isinstance(shape, _Text):
        _image_text(draw, shape, scale)
    elif isinstance(shape, _Path):
        _image_path(draw, shape, scale)


def _image_text(draw: ImageDraw.ImageDraw, shape: _Text, scale: float) -> None:
    font = _image_font(shape.size * scale)
    stroke = _embolden(shape) * scale / 2 if shape.bold else 0
    x = shape.x
    # Character by character, because whole pixel advances would drift from the layout's widths.
    for character in shape.text:
        place = (x * scale, shape.y * scale)
        draw.text(place, character, shape.colour, font, anchor="ls", stroke_width=stroke)
        x += _text_width(character, shape.size) + shape.spacing


def _image_path(draw: ImageDraw.ImageDraw, shape: _Path, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if not shape.width:
        draw.polygon(points, fill=shape.colour)
        return
    if shape.closed:
        points += points[:2]
    draw.line(points, fill=shape.colour, width=max(round(shape.width * scale), 1), joint="curve")


def _paste_qr(image: Image.Image, shape: _Qr, scale: float) -> None:
    rows = _qr_rows(shape.url)
    # The code stays inside the frame drawn around its box.
    edge = math.ceil(scale)
    side = round(shape.size * scale) - 2 * edge
    # Whole pixels for a module keep the code sharp; half the quiet zone may give way to that,
    # since the paper around the box is as light as the box.
    module = max(side // (len(rows) - _QUIET_ZONE), 1)
    code = Image.new("RGB", (len(rows), len(rows)), _WHITE)
    for row, cells in enumerate(rows):
        for column, dark in enumerate(cells):
            if dark:
                code.putpixel((column, row), (0, 0, 0))
    code = code.resize((module * len(rows),) * 2, Image.Resampling.NEAREST)
    box = Image.new("RGB", (side, side), _WHITE)
    margin = (side - code.width) // 2
    box.paste(code, (margin, margin))
    image.paste(box, (round(shape.x * scale) + edge, round(shape.y * scale) + edge))
