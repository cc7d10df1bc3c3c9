"""Processes of a stack that nobody watches any more: known by working in one of its folders, without a terminal."""

import os
from pathlib import Path

import psutil

WAIT_S = 5


def strays_in(folder: Path) -> list[psutil.Process]:
    """Processes whose working folder is this one or below it. A person's shell there has a terminal and is no stray."""
    mine = {os.getpid(), os.getppid()}
    return [
        process for process in psutil.process_iter() if process.pid not in mine and _works_in(process, folder.resolve())
    ]


def end_strays(folder: Path) -> int:
    """Kill them and wait until they are gone; how many there were."""
    found = strays_in(folder)
    for process in found:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(found, timeout=WAIT_S)
    return len(found)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.terminal() is not None or process.status() == psutil.STATUS_ZOMBIE:
            return False
        cwd = process.cwd()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return bool(cwd) and Path(cwd).is_relative_to(folder)
