"""Size and duration of videos and sounds from their headers. One that is cut short is refused."""

import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from synctalk_api.inspection.report import RefusedError

BOXES_MAX = 10_000
HEADER_MAX = 1024 * 1024
CUT_SHORT = "the file is cut short"
MIN_MEDIA_BYTES = 64


@dataclass(frozen=True, slots=True)
class Measures:
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


def measured(path: Path, content_type: str) -> Measures:
    """Return what the headers say. Raises RefusedError."""
    if content_type in ("video/mp4", "audio/mp4", "video/quicktime"):
        return _of_boxes(path)
    if content_type == "audio/wav":
        return _of_wave(path)
    if path.stat().st_size < MIN_MEDIA_BYTES:
        raise RefusedError(CUT_SHORT)
    if content_type == "video/webm":
        _require_segment(path)
    return Measures()


def _of_wave(path: Path) -> Measures:
    try:
        with wave.open(str(path)) as sound:
            duration_s = sound.getnframes() / sound.getframerate()
            size = path.stat().st_size
            if sound.getnframes() * sound.getsampwidth() * sound.getnchannels() > size:
                raise RefusedError(CUT_SHORT)
    except wave.Error:
        return Measures()  # a coding that Python does not know: nothing is said of it
    except (EOFError, ZeroDivisionError) as error:
        raise RefusedError(CUT_SHORT) from error
    return Measures(duration_s=round(duration_s, 3))


def _require_segment(path: Path) -> None:
    with path.open("rb") as file:
        if b"\x18S\x80g" not in file.read(4096):
            raise RefusedError(CUT_SHORT)


def _of_boxes(path: Path) -> Measures:
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            found = {kind: (start, end) for kind, start, end in _boxes(file, 0, size)}
            if b"moov" not in found or not found.keys() & {b"mdat", b"moof"}:
                raise RefusedError(CUT_SHORT)
            return _of_movie(file, *found[b"moov"])
    except struct.error as error:
        raise RefusedError(CUT_SHORT) from error


def _of_movie(file: BinaryIO, start: int, end: int) -> Measures:
    duration_s, width, height = None, None, None
    for kind, inner, inner_end in list(_boxes(file, start, end)):
        if kind == b"mvhd":
            duration_s = _duration(_read(file, inner, inner_end))
        elif kind == b"trak":
            for of_track, at, at_end in list(_boxes(file, inner, inner_end)):
                if of_track == b"tkhd":
                    wide, high = struct.unpack(">II", _read(file, at, at_end)[-8:])
                    if wide and high:
                        width, height = wide >> 16, high >> 16
    return Measures(width or None, height or None, duration_s)


def _duration(header: bytes) -> float | None:
    is_long = header[:1] == b"\x01"
    scale, units = struct.unpack_from(">IQ", header, 20) if is_long else struct.unpack_from(">II", header, 12)
    unknown = 2**64 - 1 if is_long else 2**32 - 1
    return round(units / scale, 3) if scale and units != unknown else None


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, HEADER_MAX))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start of what is in it, end) of each box. Raises RefusedError where one goes past the end."""
    for _ in range(BOXES_MAX):
        if start == end:
            return
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif length == 0:
            length = end - start
        if length < header or start + length > end:
            raise RefusedError(CUT_SHORT)
        yield kind, start + header, start + length
        start += length
    raise RefusedError("the file has too many parts")
