"""Free ports for tests, never handed out twice at once on this machine.

A port is reserved by a lock on a small file that ends with the process, so neither parallel workers nor parallel test
runs get the same one. They lie below the ephemeral range: no outgoing connection of anybody takes them meanwhile.
"""

import fcntl
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from synctalk_backing.probe import port_is_taken

FIRST, LAST = 24_300, 31_999

_reserved: list[int] = []


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return this many free ports, reserved for as long as this process lives."""
    found: list[int] = []
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if len(found) == count:
            return found
        if reserve((port,)):
            found.append(port)
    raise RuntimeError(f"No {count} ports are free between {FIRST} and {LAST}.")


def reserve(ports: Sequence[int]) -> bool:
    """Reserve just these for as long as this process lives; false if another process has reserved or uses one."""
    taken: list[int] = []
    for port in ports:
        descriptor = _locked(port)
        if descriptor is not None:
            taken.append(descriptor)
        if descriptor is None or port_is_taken(port):
            for other in taken:
                os.close(other)
            return False
    _reserved.extend(taken)
    return True


def _locked(port: int) -> int | None:
    folder = Path(tempfile.gettempdir()) / f"synctalk-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
