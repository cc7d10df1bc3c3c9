"""Free ports for tests, never handed out twice at once on this machine.

A port is held by a lock on a small file that ends with the process, so neither parallel workers nor parallel test
runs get the same one. They lie below the ephemeral range: no outgoing connection of anybody takes them meanwhile.
"""

import fcntl
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from synctalk_local.ports import ports_for
from synctalk_local.probe import port_is_taken

FIRST, LAST = 24_300, 31_999

_held: list[int] = []


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """This many free ports, held for as long as this process lives."""
    found: list[int] = []
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if len(found) == count:
            return found
        if hold((port,)):
            found.append(port)
    raise RuntimeError(f"No {count} ports are free between {FIRST} and {LAST}.")


def free_edge_port() -> int:
    """An edge port for a whole stack, all of whose ports are free and held."""
    while True:
        port = free_port()
        if hold(ports_for(port).all()[1:]):
            return port


def hold(ports: Sequence[int]) -> bool:
    """Hold just these, for as long as this process lives; no, if another process holds or uses one of them."""
    taken: list[int] = []
    for port in ports:
        descriptor = _locked(port)
        if descriptor is not None:
            taken.append(descriptor)
        if descriptor is None or port_is_taken(port):
            for other in taken:
                os.close(other)
            return False
    _held.extend(taken)
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
