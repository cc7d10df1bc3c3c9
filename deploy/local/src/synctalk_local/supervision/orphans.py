"""Orphans: processes of a stack that nothing supervises any more, known by working in one of its folders.

Requirements: "`make down` leaves nothing", also after the supervisor was killed; and one that dies is back within 3 s,
also a server whose killed main process left children: nginx's workers keep the port, PostgreSQL's sessions the shared
memory, and process groups do not help, since each session of PostgreSQL leads a group of its own.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

WAIT_S = 5
POLL_S = 0.01


def orphans_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in this folder or below; a shell there has a terminal and is left out."""
    mine = {os.getpid(), os.getppid()}
    return [
        process for process in psutil.process_iter() if process.pid not in mine and _works_in(process, folder.resolve())
    ]


def end_orphans(folder: Path, *, reaped: bool = True) -> int:
    """Kill the orphans of a folder and wait until they are gone; how many there were."""
    orphans = kill_orphans(folder)
    wait_until_gone(orphans, reaped=reaped)
    return len(orphans)


def kill_orphans(folder: Path) -> list[psutil.Process]:
    found = orphans_in(folder)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return found


def wait_until_gone(killed: Sequence[psutil.Process], *, reaped: bool = True) -> None:
    """Wait until they are gone.

    `reaped=False` is content with zombies: their ports, files and memory are free already, and the parent of an orphan
    may take seconds to reap it. Only their process ids are not, which PostgreSQL's lock file names.
    """
    deadline = time.monotonic() + WAIT_S
    while any(_remains(process, reaped) for process in killed) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _remains(process: psutil.Process, reaped: bool) -> bool:
    try:
        return process.is_running() and (reaped or process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.terminal() is not None or process.status() == psutil.STATUS_ZOMBIE:
            return False
        cwd = process.cwd()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return bool(cwd) and Path(cwd).is_relative_to(folder)
