"""Take a picture's metadata out of its container: where and with what it was taken. Not a pixel changes."""

import re
import struct
from collections.abc import Iterator

from synctalk_api.inspection.report import RefusedError

BROKEN = "the picture is damaged"
_KEPT_SEGMENTS = {0xE0, 0xEE}
"""JFIF, and Adobe's that says how colours are coded; APP2 only where it is a colour profile."""
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_DROPPED = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_WEBP_DROPPED = {b"EXIF", b"XMP "}
_GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def without_metadata(data: bytes, kind: str, orientation: int) -> bytes:
    """Return the picture without its metadata, but for how it is turned. Raises RefusedError."""
    try:
        return b"".join(_PIECES[kind](data, orientation))
    except (struct.error, IndexError) as error:
        raise RefusedError(BROKEN) from error


def _turned(orientation: int) -> bytes:
    """Return an EXIF block that says this and nothing else."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _of_jpeg(data: bytes, orientation: int) -> Iterator[bytes]:
    yield data[:2]
    if orientation != 1:
        block = b"Exif\0\0" + _turned(orientation)
        yield struct.pack(">BBH", 0xFF, 0xE1, len(block) + 2) + block
    at = 2
    while True:
        while data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise RefusedError(BROKEN)
        marker = data[at + 1]
        if marker == 0xD9:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == 0xDA:
            found = _NEXT_MARKER.search(data, end)
            if found is None:
                raise RefusedError(BROKEN)
            end = found.start()
        if _is_kept(marker, data[at + 4 : at + 16]):
            yield data[at:end]
        at = end


def _is_kept(marker: int, beginning: bytes) -> bool:
    if marker == 0xE2:
        return beginning.startswith(b"ICC_PROFILE\0")
    return marker in _KEPT_SEGMENTS or not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _of_png(data: bytes, _: int) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind not in _PNG_DROPPED:
            yield data[at : at + 12 + length]
        if kind == b"IEND":
            return
        at += 12 + length


def _of_webp(data: bytes, orientation: int) -> Iterator[bytes]:
    kept: list[bytes] = []
    (length,) = struct.unpack_from("<I", data, 4)
    at, end = 12, min(8 + length, len(data))
    while at < end:
        kind, size = struct.unpack_from("<4sI", data, at)
        chunk = data[at : at + 8 + size + size % 2]
        at += len(chunk)
        if kind == b"VP8X":
            flags = chunk[8] & ~0x0C | (0x08 if orientation != 1 else 0)
            chunk = chunk[:8] + bytes([flags]) + chunk[9:]
        if kind not in _WEBP_DROPPED:
            kept.append(chunk)
    if orientation != 1:
        block = _turned(orientation)
        kept.append(struct.pack("<4sI", b"EXIF", len(block)) + block)
    body = b"".join(kept)
    yield struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body


def _of_gif(data: bytes, _: int) -> Iterator[bytes]:
    at = 13 + _colours(data[10])
    yield data[:at]
    while data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            at = _end_of_blocks(data, at + 11 + _colours(data[at + 9]))
            yield data[start:at]
        elif data[at] == 0x21:
            at = _end_of_blocks(data, at + 2)
            label, name = data[start + 1], data[start + 3 : start + 14]
            if label in (0xF9, 0x01) or (label == 0xFF and name in _GIF_KEPT):
                yield data[start:at]
        else:
            raise RefusedError(BROKEN)
    yield b";"


def _colours(flags: int) -> int:
    """Return how many bytes the table of colours has."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_PIECES = {"JPEG": _of_jpeg, "PNG": _of_png, "WEBP": _of_webp, "GIF": _of_gif}
