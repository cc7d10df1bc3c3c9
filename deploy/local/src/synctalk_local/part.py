"""What a part of the stack is: its files, what to do before it starts, its command, and how to see that it is ready.

A part describes itself and starts nothing. Who starts it (supervisord, or a test) writes the files, runs
`prepare`, starts the command, and asks `is_ready`.
"""

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A system user that a part runs as when whoever starts it is root."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, *candidates: str) -> "Account":
        """The first of the candidates that this machine knows."""
        for name in candidates:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise LookupError(f"This machine has none of the users {', '.join(candidates)}.")


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Part:
    name: str
    port: int
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    prepare: Callable[[], None] = _nothing
    """Runs before each start; must be harmless when everything is there already."""
    cleanup: Callable[[], None] = _nothing
    """Runs after the last stop: ends what the part left running beside itself."""
    account: Account | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 10


def write_files(part: Part) -> None:
    """Write the part's folders and files, readable by its own account alone; untouched where they are the same."""
    for folder in part.folders:
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, 0o700, part.account)
    for path, text in part.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            _write_private(path, text)
        _give(path, 0o600, part.account)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def _give(path: Path, mode: int, account: Account | None) -> None:
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.uid, account.gid)
