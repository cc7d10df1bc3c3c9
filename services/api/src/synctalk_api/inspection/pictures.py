"""Pictures: whether they can be shown at all, their size, thumbnails and blurhash, and a copy without metadata."""

from pathlib import Path

import blurhash
from PIL import Image, ImageOps, UnidentifiedImageError

from synctalk_api.inspection.kinds import PICTURES
from synctalk_api.inspection.metadata import without_metadata
from synctalk_api.inspection.report import THUMBNAILS, RefusedError, Report, cleaned_path, thumbnail_path

FRAMES_MAX = 1_000
FRAME_PIXELS_MAX = 1_000_000_000
"""Of all frames of an animation together."""
ORIENTATION = 0x0112
_CONVERTED = ("AVIF", "TIFF")
"""Pictures whose metadata are all over the file: they are written anew."""
_BLURHASH_PIXELS = 32


def inspected(source: Path, pixels_max: int) -> Report:
    """Write the picture without its metadata and its thumbnails beside it. Raises RefusedError."""
    Image.MAX_IMAGE_PIXELS = None  # the bound below is exact, and comes before any pixel is read
    try:
        with Image.open(source, formats=[*PICTURES, *_CONVERTED]) as picture:
            _require_bounded(picture, pixels_max)
            return _taken(source, picture)
    except UnidentifiedImageError as error:
        raise RefusedError("the picture can't be read") from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError) as error:
        raise RefusedError("the picture is damaged or cut short") from error


def _require_bounded(picture: Image.Image, pixels_max: int) -> None:
    pixels = picture.width * picture.height
    if pixels > pixels_max:
        raise RefusedError(f"a picture may have at most {pixels_max} pixels")
    frames = getattr(picture, "n_frames", 1)
    if frames > FRAMES_MAX or frames * pixels > max(FRAME_PIXELS_MAX, pixels_max):
        raise RefusedError("the animation is too long")


def _taken(source: Path, picture: Image.Image) -> Report:
    kind = str(picture.format)
    orientation = _orientation(picture)
    width, height = picture.size if orientation < 5 else (picture.height, picture.width)
    if kind in PICTURES:
        cleaned_path(source).write_bytes(without_metadata(source.read_bytes(), kind, orientation))
    has_alpha = picture.has_transparency_data
    mode = "RGBA" if has_alpha else "RGB"
    if kind in _CONVERTED:
        kind = "PNG" if has_alpha else "JPEG"
        _without_info(ImageOps.exif_transpose(picture).convert(mode)).save(cleaned_path(source), kind, quality=90)
    picture.draft("RGB", (THUMBNAILS[-1], THUMBNAILS[-1]))  # a JPEG is decoded no larger than it is needed
    shown = picture if picture.mode in ("RGB", "RGBA", "L") else picture.convert(mode)
    shown.thumbnail((THUMBNAILS[-1], THUMBNAILS[-1]))
    shown = ImageOps.exif_transpose(shown).convert(mode)
    for size in reversed(THUMBNAILS):
        shown.thumbnail((size, size))
        _without_info(shown).save(thumbnail_path(source, size), "WEBP", quality=80, method=2)
    return Report(
        content_type=PICTURES[kind],
        width=width,
        height=height,
        blurhash=_blurhash(shown),
        has_thumbnail=True,
    )


def _orientation(picture: Image.Image) -> int:
    orientation = picture.getexif().get(ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def _without_info(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    copy.info = {}
    return copy


def _blurhash(picture: Image.Image) -> str:
    small = picture.convert("RGB")
    small.thumbnail((_BLURHASH_PIXELS, _BLURHASH_PIXELS))
    pixels = small.load()
    assert pixels is not None
    rows = [[pixels[x, y] for x in range(small.width)] for y in range(small.height)]
    return str(blurhash.encode(rows, components_x=4, components_y=3))
