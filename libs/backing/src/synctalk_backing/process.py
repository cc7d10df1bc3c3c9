"""The description of a process: its files, what to prepare, its command, and how to see that it is ready.

A description starts nothing. Whoever starts the process (the supervisor of `make up`, or a test) writes the files, runs
`prepare`, starts the command and asks `is_ready`.
"""

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A system user that a process runs as when it is started by root."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, *candidates: str) -> "Account":
        """Return the first of the candidates that exists on this machine."""
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
class ProcessSpec:
    """The specification of a process: how it is prepared, started, recognized as ready, and stopped."""

    name: str
    port: int
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    prepare: Callable[[], None] = _nothing
    """Runs before each start; must be harmless when everything is in place."""
    cleanup: Callable[[], None] = _nothing
    """Runs after the last stop; ends helpers that outlive the process."""
    account: Account | None = None
    forks: bool = False
    """Whether children outlive the process when it is killed, and must be ended before it is started again."""
    stop_signal: str = "TERM"
    stop_wait_s: int = 10


def write_files(spec: ProcessSpec) -> None:
    """Create the folders and files, readable by the process's account only. Unchanged files are left alone."""
    for folder in spec.folders:
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, 0o700, spec.account)
    for path, text in spec.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            _write_private(path, text)
        _give(path, 0o600, spec.account)


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
