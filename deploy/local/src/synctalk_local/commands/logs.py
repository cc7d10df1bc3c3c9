"""`logs`: what the processes say, as it comes; of one, or of all."""

import os
from pathlib import Path

from synctalk_local.stack import Stack

LINES = "40"


class NoLogError(Exception):
    """There is no log of this name; the text lists those that are there."""


def log_files(stack: Stack, name: str | None) -> list[Path]:
    """The files to show. Raises NoLogError."""
    there = sorted(stack.logs.glob("*.log"))
    chosen = [path for path in there if name in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in there) or "none yet: run `make up`"
        raise NoLogError(f"There is no log of {name or 'anything'}; there are: {names}.")
    return chosen


def follow(stack: Stack, name: str | None) -> None:
    """Become `tail`, until Ctrl-C."""
    files = [str(path) for path in log_files(stack, name)]
    os.execvp("tail", ["tail", "-n", LINES, "-F", *files])
