"""Photos that people send, drawn anew: nothing but the picture is kept, neither place and device nor what hides behind it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from chains import spreadsheets
from chains.errors import DomainError

MOST_BYTES = 8 * 1024 * 1024
# More than a telephone takes within that size; a file that declares more wants memory, not to be looked at. Only a JPEG
# can be unpacked at a fraction of its size: of the others a few kilobytes would take hundreds of megabytes.
MOST_PIXELS = {"jpeg": 50_000_000, "png": 24_000_000, "webp": 24_000_000}
LONGEST_EDGE = 1600
# A PNG above this is a photo and not a drawing: as a JPEG it is a tenth, and nobody sees a difference.
MOST_BYTES_OF_A_DRAWING = 1024 * 1024
KINDS = ("jpeg", "png", "webp")


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    kind: str
    width: int
    height: int

    @property
    def content_type(self) -> str:
        return f"image/{self.kind}"


def drawn_anew(file: bytes | IO[bytes]) -> Picture:
    """The picture in what somebody sent, upright, at most as large as a page shows it, and nothing else of the file."""
    kind = spreadsheets.check_document(file, max_bytes=MOST_BYTES, allowed=KINDS)
    content = file if isinstance(file, bytes) else file.read()
    try:
        # The format is the one its first bytes say, so that no other decoder is ever asked.
        with Image.open(io.BytesIO(content), formats=(kind.upper(),)) as image:
            _check(image, kind)
            return _drawn(image, kind)
    except DomainError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(kind) from error
    except Exception as error:
        # What a decoder raises on broken or forged bytes is not written down anywhere.
        raise DomainError(
            _("This picture cannot be read. Take or save it anew and send it again."),
            code="picture.broken",
        ) from error


def _check(image: Image.Image, kind: str) -> None:
    """By what the file declares, before a single pixel is unpacked."""
    if image.width * image.height > MOST_PIXELS[kind]:
        raise _too_many_pixels(kind)
    # A telephone's JPEG may hold a second picture for depth or preview ("MPO"): the first one is the photo.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise DomainError(_("Send a picture that does not move."), code="picture.moves")


def _drawn(image: Image.Image, kind: str) -> Picture:
    # Lets a JPEG be unpacked at a fraction of its size already.
    image.draft("RGB", (LONGEST_EDGE, LONGEST_EDGE))
    # Small before anything is copied: each copy of a large one takes its memory anew.
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        image.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(image)
    has_alpha = kind != "jpeg" and upright.has_transparency_data
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS)
    # On a fresh sheet: whatever the old one carried along stays behind with it.
    sheet = Image.new(plain.mode, plain.size)
    sheet.paste(plain)
    content = _saved(sheet, kind)
    if kind == "png" and not has_alpha and len(content) > MOST_BYTES_OF_A_DRAWING:
        kind = "jpeg"
        content = _saved(sheet, kind)
    return Picture(content, kind, *sheet.size)


def _saved(sheet: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"optimize": True} if kind == "png" else {"quality": 85}
    sheet.save(out, kind.upper(), **options)
    return out.getvalue()


def _too_many_pixels(kind: str) -> DomainError:
    return DomainError(
        _("This picture has more than %(most)d megapixels. Send a smaller one.")
        % {"most": MOST_PIXELS[kind] // 1_000_000},
        code="picture.pixels",
    )
