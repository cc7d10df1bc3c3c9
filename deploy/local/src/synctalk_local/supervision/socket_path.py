"""The path of the socket on which a stack's supervisor listens."""

import hashlib
import tempfile
from pathlib import Path

MAX_SOCKET_PATH = 100


def socket_path(folder: Path) -> Path:
    """Return a path in the folder, or in a private one named after it where that is too long for a Unix socket."""
    path = folder / "supervisor.sock"
    if len(str(path)) <= MAX_SOCKET_PATH:
        return path
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"synctalk-{name}" / "supervisor.sock"
