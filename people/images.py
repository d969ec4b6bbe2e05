"""Pictures as phones send them: checked before they are decoded, written anew, stripped."""

import io
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from people.refusals import Refusal

MAX_PIXELS = 20_000_000
# What WEBP can hold; a longer side belongs to no photograph.
MAX_SIDE = 16_383
WIDTHS = (160, 480, 960)
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_SAVE = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 85, "method": 2},
}


class UnreadableImage(Refusal):
    code = "unreadable_image"
    title = _("The file cannot be read as a picture.")


@dataclass(frozen=True, slots=True)
class Variant:
    """A WEBP copy; sizes are in pixels."""

    name: str
    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that holds nothing but what one sees; sizes are in pixels."""

    content: bytes
    width: int
    height: int
    variants: tuple[Variant, ...]


def clean(content: bytes, media_type: str) -> Picture:
    """Turn it upright, write it anew without anything hidden in it, and make smaller copies.

    :raises UnreadableImage: if it is broken, of another type, or has more than 20 megapixels
    """
    kind = FORMATS[media_type]
    try:
        image = _decode(content, kind)
        return Picture(
            content=_encode(image, kind),
            width=image.width,
            height=image.height,
            variants=tuple(_variant(image, width) for width in WIDTHS),
        )
    except Refusal:
        raise
    except Exception as error:
        # A hostile picture can make the decoder raise almost anything.
        raise UnreadableImage from error


def _decode(content: bytes, kind: str) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=[kind]) as image:
        # Only the header has been read so far: a flood of pixels stops here.
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
            raise UnreadableImage(width=image.width, height=image.height, pixels_allowed=MAX_PIXELS)
        upright = ImageOps.exif_transpose(image)
    seen = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # Comments, profiles and positions travel in here, and savers pick some of them up.
    seen.info = {}
    return seen


def _encode(image: Image.Image, kind: str) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **_SAVE[kind])
    return written.getvalue()


def _variant(image: Image.Image, wanted: int) -> Variant:
    width = min(wanted, image.width)
    height = max(1, round(image.height * width / image.width))
    smaller = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Variant(f"w{wanted}", _encode(smaller, "WEBP"), width, height)
