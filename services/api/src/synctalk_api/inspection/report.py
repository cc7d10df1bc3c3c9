"""What an inspection says: the process writes it as JSON, and api reads it."""

from pathlib import Path

from synctalk_contracts.base import Contract

THUMBNAILS = (64, 360, 1280)
"""The longest side of each thumbnail, in pixels."""


class Report(Contract):
    content_type: str = ""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    blurhash: str | None = None
    has_thumbnail: bool = False
    refused: str | None = None
    """Why the file can't be taken; all else is then empty."""


class RefusedError(Exception):
    """The file can't be taken; the text says why."""


def cleaned_path(source: Path) -> Path:
    """Return where the picture without its metadata is written."""
    return source.with_name("cleaned")


def thumbnail_path(source: Path, size: int) -> Path:
    return source.with_name(f"thumbnail-{size}")
