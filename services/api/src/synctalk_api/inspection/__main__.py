"""`python -m synctalk_api.inspection FILE PIXELS MEMORY SECONDS`: inspect one file within these bounds.

The report goes to stdout. Whatever the file makes a library do, it ends with this process.
"""

import resource
import sys
from pathlib import Path

from synctalk_api.inspection import kinds, media, pictures
from synctalk_api.inspection.report import RefusedError, Report

STILL = "image/"
NO_PICTURE_HERE = {"image/svg+xml"}
"""Pictures in name; they are kept as text that is only downloaded."""


def inspected(source: Path, pixels_max: int) -> Report:
    """Return what the file is. Raises RefusedError."""
    content_type = kinds.content_type_of(source)
    if content_type.startswith(STILL) and content_type not in NO_PICTURE_HERE:
        return pictures.inspected(source, pixels_max)
    if content_type.startswith(("video/", "audio/")):
        measures = media.measured(source, content_type)
        return Report(
            content_type=content_type,
            width=measures.width,
            height=measures.height,
            duration_s=measures.duration_s,
        )
    return Report(content_type=content_type)


def main() -> None:
    source, pixels_max, memory, seconds = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        report = inspected(source, pixels_max)
    except RefusedError as error:
        report = Report(refused=str(error))
    except MemoryError:
        report = Report(refused="the file needs too much memory to be read")
    sys.stdout.buffer.write(report.to_bytes())


if __name__ == "__main__":
    main()
