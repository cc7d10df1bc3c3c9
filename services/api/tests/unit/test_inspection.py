"""What is found out about uploaded bytes: honest files, and those that lie, are cut short or burst."""

import io
import struct
import wave
import zlib
from pathlib import Path

import pytest
from PIL import Image
from synctalk_api.inspection.__main__ import inspected
from synctalk_api.inspection.kinds import INLINE
from synctalk_api.inspection.report import THUMBNAILS, RefusedError, cleaned_path, thumbnail_path

PIXELS_MAX = 1_000_000
MAKE, GPS, ORIENTATION = 0x010F, 0x8825, 0x0112


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), *, exif: bool = False, orientation: int = 1) -> bytes:
    out = io.BytesIO()
    block = Image.Exif()
    if exif:
        block[MAKE] = "Camera of Ada"
        block.get_ifd(GPS)[1] = "N"
        block[ORIENTATION] = orientation
    Image.effect_noise(size, 90).convert("RGB").save(out, kind, **({"exif": block} if exif else {}))
    return out.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def video() -> bytes:
    header = struct.pack(">IIIII", 0, 0, 0, 1000, 2500) + bytes(80)
    track = bytes(76) + struct.pack(">II", 320 << 16, 240 << 16)
    movie = box(b"mvhd", header) + box(b"trak", box(b"tkhd", track))
    return box(b"ftyp", b"isom" + bytes(8)) + box(b"moov", movie) + box(b"mdat", bytes(1000))


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes(bytes(16_000))
    return out.getvalue()


def file(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_inspection__of_a_picture__has_size_blurhash_and_thumbnails(kind: str, tmp_path: Path) -> None:
    source = file(tmp_path, picture(kind, (600, 400)))
    report = inspected(source, PIXELS_MAX)
    assert (report.content_type, report.width, report.height) == (f"image/{kind.lower()}", 600, 400)
    assert report.blurhash
    for size in THUMBNAILS:
        with Image.open(thumbnail_path(source, size)) as thumbnail:
            assert max(thumbnail.size) == min(size, 600)
    with Image.open(source) as before, Image.open(cleaned_path(source)) as after:
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_inspection__of_a_picture_with_exif__takes_place_and_device_out(kind: str, tmp_path: Path) -> None:
    source = file(tmp_path, picture(kind, exif=True))
    assert b"Camera of Ada" in source.read_bytes()
    inspected(source, PIXELS_MAX)
    for written in [cleaned_path(source), *(thumbnail_path(source, size) for size in THUMBNAILS)]:
        assert b"Camera of Ada" not in written.read_bytes()
        with Image.open(written) as picture_now:
            assert not picture_now.getexif().get_ifd(GPS)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_inspection__of_a_turned_picture__keeps_it_turned(kind: str, tmp_path: Path) -> None:
    source = file(tmp_path, picture(kind, exif=True, orientation=6))
    report = inspected(source, PIXELS_MAX)
    assert (report.width, report.height) == (40, 60)
    with Image.open(cleaned_path(source)) as now, Image.open(thumbnail_path(source, 64)) as thumbnail:
        assert dict(now.getexif()) == {ORIENTATION: 6}
        assert thumbnail.size == (40, 60)


def test_inspection__of_an_animation__keeps_every_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=b"Camera of Ada")
    source = file(tmp_path, out.getvalue())
    inspected(source, PIXELS_MAX)
    assert b"Camera of Ada" not in cleaned_path(source).read_bytes()
    with Image.open(cleaned_path(source)) as now:
        assert now.n_frames == 3  # type: ignore[attr-defined]
        assert now.info["loop"] == 0


def test_inspection__of_a_picture_with_something_behind_it__leaves_that_out(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        source = file(tmp_path, picture(kind) + b"<script>alert(1)</script>")
        inspected(source, PIXELS_MAX)
        assert b"<script>" not in cleaned_path(source).read_bytes()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header says so, with next to nothing behind it."""
    whole = bytearray(picture("PNG", (1, 1)))
    whole[16:24] = struct.pack(">II", width, height)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    return bytes(whole)


@pytest.mark.parametrize(
    "content",
    [
        png_of(60_000, 60_000),
        picture("PNG")[:200],
        picture("JPEG", (300, 300))[:2_000],
        picture("GIF")[:100],
        picture("WEBP")[:100],
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0" + bytes(50),
        b"GIF89a" + bytes(20),
        video()[:-1],
        video()[:60],
        box(b"ftyp", b"isom" + bytes(8)),
        box(b"ftyp", b"isom" + bytes(8)) + struct.pack(">I4s", 2**31, b"moov"),
        sound()[:2_000],
        b"\x1aE\xdf\xa3\x42\x82\x84webm" + bytes(100),
        b"OggS",
    ],
)
def test_inspection__of_a_file_that_is_cut_short_or_bursts__refuses_it(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        inspected(file(tmp_path, content), PIXELS_MAX)


def test_inspection__of_a_video_or_sound__reads_its_header(tmp_path: Path) -> None:
    report = inspected(file(tmp_path, video()), PIXELS_MAX)
    assert (report.content_type, report.width, report.height, report.duration_s) == ("video/mp4", 320, 240, 2.5)
    report = inspected(file(tmp_path, sound()), PIXELS_MAX)
    assert (report.content_type, report.duration_s) == ("audio/wav", 1.0)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"hello, caf\xc3\xa9", "text/plain"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        (b"  <html>", "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"PK\x03\x04" + bytes(40), "application/zip"),
        (bytes(range(256)), "application/octet-stream"),
    ],
)
def test_inspection__of_anything_else__names_what_is_never_shown_inline(
    content: bytes, content_type: str, tmp_path: Path
) -> None:
    assert inspected(file(tmp_path, content), PIXELS_MAX).content_type == content_type
    assert content_type not in INLINE
