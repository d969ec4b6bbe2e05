"""What a certificate is made of: its facts, its font, and shapes in points from the top left."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path as FilePath
from threading import RLock

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT_PATH = FilePath(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
PAGE_WIDTH = 841.89
PAGE_HEIGHT = 595.28

FONT_NAME = "CertificateSans"
PAPER = "#FFFDF8"
WASH = "#F6ECD6"
RED = "#9F1D20"
GOLD = "#B98A3A"
PALE_GOLD = "#D9BC82"
INK = "#2A2320"
GREY = "#75695F"
WHITE = "#FFFFFF"

# Both font engines keep a read position or a cache inside the font object they share.
DRAWING = RLock()


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
class Text:
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
        return self.x + text_width(self.text, self.size, self.spacing)


@dataclass(frozen=True)
class Path:
    """An open or closed line through points, stroked when it has a width and else filled."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 0.0
    closed: bool = False


@dataclass(frozen=True)
class Qr:
    """A QR code with its quiet zone inside a square whose side is in points."""

    x: float
    y: float
    size: float
    url: str


@dataclass(frozen=True)
class Run:
    """A stretch of the body sentence in one style."""

    text: str
    strong: bool = False


Shape = Text | Path | Qr
Line = tuple[Run, ...]


def missing_characters(text: str) -> set[str]:
    """Return the characters of a text which the certificate font cannot draw.

    Line breaks, tabs and variation selectors count as missing, because none of them prints.
    """
    with DRAWING:
        drawable = font().face.charToGlyph
        return {character for character in text if ord(character) not in drawable}


@lru_cache(maxsize=1)
def font() -> TTFont:
    font = TTFont(FONT_NAME, str(FONT_PATH))
    pdfmetrics.registerFont(font)
    return font


def text_width(text: str, size: float, spacing: float = 0.0) -> float:
    with DRAWING:
        plain = float(font().stringWidth(text, size))
    return plain + spacing * max(len(text) - 1, 0)
