"""Wait until started processes serve, and fail early when one never will."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from synctalk_backing.process import ProcessSpec

from synctalk_local.supervision.client import Supervisor

READY_TIMEOUT_S = 60
STARTS_ALLOWED = 4
POLL_S = 0.05
LOG_LINES = 15


class StartError(Exception):
    """The system did not come up; the text says what is in the way, for whoever runs the command."""


def wait_ready(
    specs: Sequence[ProcessSpec], supervisor: Supervisor, logs: Path, ready: Callable[[ProcessSpec, float], None]
) -> None:
    """Wait until all are ready; call `ready` for each, with the seconds it took. Raises StartError."""
    began = time.monotonic()
    waiting = list(specs)
    pids: dict[str, set[int]] = defaultdict(set)
    while waiting:
        for spec in [spec for spec in waiting if spec.is_ready()]:
            waiting.remove(spec)
            ready(spec, time.monotonic() - began)
        states = supervisor.states()
        for spec in waiting:
            state = states.get(spec.name)
            pids[spec.name].add(state.pid if state else 0)
            # The supervisor starts again for ever whatever ends; after so many starts it will never be ready.
            hopeless = len(pids[spec.name] - {0}) > STARTS_ALLOWED
            if hopeless or time.monotonic() - began > READY_TIMEOUT_S:
                raise StartError(f"{spec.name} did not become ready; the end of its log:\n{log_end(logs, spec.name)}")
        if waiting:
            time.sleep(POLL_S)


def log_end(logs: Path, name: str) -> str:
    path = logs / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join([*lines[-LOG_LINES:], f"({path})"])
