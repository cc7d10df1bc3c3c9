"""Waiting until started parts serve, and seeing early that one never will."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from synctalk_local.part import Part
from synctalk_local.supervisor import Supervisor

READY_TIMEOUT_S = 60
STARTS_ALLOWED = 4
POLL_S = 0.05
LOG_LINES = 15


class StartError(Exception):
    """The system did not come up; the text says what is in the way, for the person at the machine."""


def wait_ready(parts: Sequence[Part], supervisor: Supervisor, logs: Path, ready: Callable[[Part, float], None]) -> None:
    """Until all are ready; `ready` is told of each, with the seconds it took. Raises StartError with the log's end."""
    began = time.monotonic()
    waiting = list(parts)
    pids: dict[str, set[int]] = defaultdict(set)
    while waiting:
        for part in [part for part in waiting if part.is_ready()]:
            waiting.remove(part)
            ready(part, time.monotonic() - began)
        states = supervisor.states()
        for part in waiting:
            state = states.get(part.name)
            pids[part.name].add(state.pid if state else 0)
            # supervisord starts again for ever whatever ends; four lives without serving once will not end well.
            hopeless = len(pids[part.name] - {0}) > STARTS_ALLOWED
            if hopeless or time.monotonic() - began > READY_TIMEOUT_S:
                raise StartError(f"{part.name} did not become ready; the end of its log:\n{log_end(logs, part.name)}")
        if waiting:
            time.sleep(POLL_S)


def log_end(logs: Path, name: str) -> str:
    path = logs / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join([*lines[-LOG_LINES:], f"({path})"])
