"""Draw a training certificate as PDF, as PNG and as a QR code, from plain facts.

The face is laid out once, and two small renderers put the same shapes on paper and on screen.
Nothing here reads a database, a clock or a setting, so the same facts give the same bytes.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

import segno
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from training.certificate_layout import SUBTITLE, TITLE, lay_out
from training.certificate_shapes import (
    DRAWING,
    FONT_NAME,
    FONT_PATH,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    WHITE,
    Face,
    Path,
    Qr,
    Shape,
    Text,
    text_width,
)

MIN_PNG_WIDTH = 320
MAX_PNG_WIDTH = 4096
QUIET_ZONE = 4
_SUPERSAMPLING = 2


def draw_pdf(face: Face) -> bytes:
    """Return the certificate as a one-page A4 landscape PDF with its font embedded.

    :raises ValueError: a character cannot be drawn, or a text is too long for the sheet.
    """
    shapes = lay_out(face)
    output = BytesIO()
    with DRAWING:
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
    shapes = lay_out(face)
    size = (width, round(width * PAGE_HEIGHT / PAGE_WIDTH))
    large = Image.new("RGB", (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING), WHITE)
    with DRAWING:
        for shape in shapes:
            _put_on_image(large, shape, large.width / PAGE_WIDTH)
    image = large.resize(size, Image.Resampling.LANCZOS)
    for shape in shapes:
        if isinstance(shape, Qr):
            _paste_qr(image, shape, width / PAGE_WIDTH)
    output = BytesIO()
    image.save(output, "PNG", optimize=True)
    return output.getvalue()


def draw_qr_svg(url: str) -> bytes:
    """Return the QR code of an address as an SVG document, 4 units a module.

    :raises ValueError: the address is too long for a QR code.
    """
    output = BytesIO()
    _qr_code(url).save(output, kind="svg", scale=4, border=QUIET_ZONE, light=WHITE)
    return output.getvalue()


def draw_qr_png(url: str) -> bytes:
    """Return the QR code of an address as a black and white PNG, 10 pixels a module.

    :raises ValueError: the address is too long for a QR code.
    """
    output = BytesIO()
    _qr_code(url).save(output, kind="png", scale=10, border=QUIET_ZONE, light=WHITE)
    return output.getvalue()


def _canvas(output: BytesIO, face: Face) -> Canvas:
    canvas = Canvas(
        output,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        invariant=1,
        pageCompression=1,
        initialFontName=FONT_NAME,
    )
    canvas.setTitle(f"{TITLE} {face.serial}")
    canvas.setAuthor(face.institution_name)
    canvas.setSubject(SUBTITLE.title())
    canvas.setLineJoin(1)
    return canvas


@lru_cache(maxsize=64)
def _image_font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_PATH, size, layout_engine=ImageFont.Layout.BASIC)


def _qr_code(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m")


def _put_on_pdf(canvas: Canvas, shape: Shape) -> None:
    if isinstance(shape, Text):
        _pdf_text(canvas, shape)
    elif isinstance(shape, Path):
        _pdf_path(canvas, shape)
    else:
        _pdf_qr(canvas, shape)


def _pdf_text(canvas: Canvas, shape: Text) -> None:
    canvas.setFont(FONT_NAME, shape.size)
    canvas.setFillColor(HexColor(shape.colour))
    mode = None
    if shape.bold:
        canvas.setStrokeColor(HexColor(shape.colour))
        canvas.setLineWidth(_embolden(shape))
        mode = 2
    y = PAGE_HEIGHT - shape.y
    canvas.drawString(shape.x, y, shape.text, mode=mode, charSpace=shape.spacing)


def _embolden(shape: Text) -> float:
    return shape.size * 0.03


def _pdf_path(canvas: Canvas, shape: Path) -> None:
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


def _pdf_qr(canvas: Canvas, shape: Qr) -> None:
    rows = _qr_rows(shape.url)
    module = shape.size / len(rows)
    canvas.setFillColor(HexColor(WHITE))
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
    return [[bool(cell) for cell in row] for row in _qr_code(url).matrix_iter(border=QUIET_ZONE)]


def _put_on_image(image: Image.Image, shape: Shape, scale: float) -> None:
    draw = ImageDraw.Draw(image)
    if isinstance(shape, Text):
        _image_text(draw, shape, scale)
    elif isinstance(shape, Path):
        _image_path(draw, shape, scale)


def _image_text(draw: ImageDraw.ImageDraw, shape: Text, scale: float) -> None:
    font = _image_font(shape.size * scale)
    stroke = _embolden(shape) * scale / 2 if shape.bold else 0
    x = shape.x
    # Character by character, because whole pixel advances would drift from the layout's widths.
    for character in shape.text:
        place = (x * scale, shape.y * scale)
        draw.text(place, character, shape.colour, font, anchor="ls", stroke_width=stroke)
        x += text_width(character, shape.size) + shape.spacing


def _image_path(draw: ImageDraw.ImageDraw, shape: Path, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if not shape.width:
        draw.polygon(points, fill=shape.colour)
        return
    if shape.closed:
        points += points[:2]
    draw.line(points, fill=shape.colour, width=max(round(shape.width * scale), 1), joint="curve")


def _paste_qr(image: Image.Image, shape: Qr, scale: float) -> None:
    rows = _qr_rows(shape.url)
    # The code stays inside the frame drawn around its box.
    edge = math.ceil(scale)
    side = round(shape.size * scale) - 2 * edge
    # Whole pixels for a module keep the code sharp; half the quiet zone may give way to that,
    # since the paper around the box is as light as the box.
    module = max(side // (len(rows) - QUIET_ZONE), 1)
    code = Image.new("RGB", (len(rows), len(rows)), WHITE)
    for row, cells in enumerate(rows):
        for column, dark in enumerate(cells):
            if dark:
                code.putpixel((column, row), (0, 0, 0))
    code = code.resize((module * len(rows),) * 2, Image.Resampling.NEAREST)
    box = Image.new("RGB", (side, side), WHITE)
    margin = (side - code.width) // 2
    box.paste(code, (margin, margin))
    image.paste(box, (round(shape.x * scale) + edge, round(shape.y * scale) + edge))
