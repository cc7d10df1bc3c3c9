"""Content types by the bytes themselves. Only those named here are ever shown inline."""

from pathlib import Path

import puremagic

HEAD_BYTES = 4096
PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
"""What Pillow calls the pictures that are shown as they are, but for their metadata."""
VIDEO = "video/mp4"
INLINE = frozenset({*PICTURES.values(), VIDEO, "video/webm", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav"})
UNKNOWN = "application/octet-stream"
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_BEGINNINGS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"\xff\xd8\xff",), "image/jpeg"),
    ((b"\x89PNG\r\n\x1a\n",), "image/png"),
    ((b"GIF87a", b"GIF89a"), "image/gif"),
    ((b"II*\0", b"MM\0*"), "image/tiff"),
    ((b"OggS",), "audio/ogg"),
    ((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), "audio/mpeg"),
    ((b"%PDF",), "application/pdf"),
    ((b"PK\x03\x04",), "application/zip"),
)


def content_type_of(path: Path) -> str:
    """Return the type of what is in the file; its name plays no part."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return _of_known(head) or _of_text(head) or _of_others(head)


def _of_known(head: bytes) -> str | None:
    for beginnings, content_type in _BEGINNINGS:
        if head.startswith(beginnings):
            return content_type
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return None


def _of_brand(brand: bytes) -> str:
    if brand in _STILL_BRANDS:
        return "image/avif" if brand.startswith(b"avi") else "image/heic"
    if brand == b"qt  ":
        return "video/quicktime"
    return "audio/mp4" if brand in _AUDIO_BRANDS else VIDEO


def _of_text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        text = head.decode("utf-8").lstrip("\ufeff \t\r\n").lower()
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < HEAD_BYTES - 3:
            return None
        text = head[: error.start].decode("utf-8").lstrip("\ufeff \t\r\n").lower()
    if "<svg" in text:
        return "image/svg+xml"
    if text.startswith(("<!doctype html", "<html")) or "<script" in text:
        return "text/html"
    return "text/plain"


def _of_others(head: bytes) -> str:
    try:
        return puremagic.from_string(head, mime=True) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return UNKNOWN
