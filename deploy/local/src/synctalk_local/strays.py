"""Processes of a stack that nobody watches any more: known by working in one of its folders, without a terminal."""

import os
import time
from pathlib import Path

import psutil

WAIT_S = 5
POLL_S = 0.01


def strays_in(folder: Path) -> list[psutil.Process]:
    """Processes whose working folder is this one or below it. A person's shell there has a terminal and is no stray."""
    mine = {os.getpid(), os.getppid()}
    return [
        process for process in psutil.process_iter() if process.pid not in mine and _works_in(process, folder.resolve())
    ]


def end_strays(folder: Path, *, reaped: bool = True) -> int:
    """Kill them and wait until they are gone; how many there were.

    `reaped=False` is content with zombies: their ports, files and memory are free already, and the parent of an orphan
    may take seconds to reap it. Only their process ids are not, by which PostgreSQL's lock file goes.
    """
    found = strays_in(folder)
    for process in found:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + WAIT_S
    while any(_remains(process, reaped) for process in found) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return len(found)


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
