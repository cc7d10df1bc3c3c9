"""Calls to the supervisor of one stack. Processes are started by calls, in order, never by the supervisor itself."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synctalk_backing.process import ProcessSpec

from synctalk_local.environment import PREFIX
from synctalk_local.supervision.socket_path import socket_path

START_TIMEOUT_S = 10
CALL_TIMEOUT_S = 60


@dataclass(frozen=True)
class ProcessState:
    name: str
    pid: int
    """0 when there is none."""
    state: str
    """`stopped`, `starting`, `running`, `stopping` or `failed`; `running` says nothing of readiness."""


class Supervisor:
    """The one of the stack in this data folder."""

    def __init__(self, data: Path, logs: Path) -> None:
        self.directory = data / "supervisor"
        self._logs = logs
        self._socket = socket_path(self.directory)

    def is_running(self) -> bool:
        try:
            self._call("states")
        except OSError:
            return False
        return True

    def write(self, specs: Sequence[ProcessSpec]) -> None:
        """Write the programs for the supervisor to read when it starts, or on `reload`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        programs = self.directory / "programs.json"
        programs.touch(mode=0o600)
        programs.write_text(json.dumps([_program(spec) for spec in specs], indent=1))

    def start(self) -> None:
        """Start the supervisor itself, with nothing running under it yet."""
        self._socket.unlink(missing_ok=True)
        # Its processes inherit its environment, which outlives what is set now: their settings are in their programs.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        log = self.directory / "supervisor.log"
        with log.open("ab") as output:
            subprocess.run(
                [sys.executable, "-m", "synctalk_local.supervision.daemon", str(self.directory), str(self._logs)],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_running():
            if time.monotonic() > deadline:
                raise RuntimeError(f"The supervisor did not start; see {log}.")
            time.sleep(0.02)

    def reload(self) -> None:
        """Make the running supervisor know the programs as they are written now; those that changed are stopped."""
        self._call("reload")

    def states(self) -> dict[str, ProcessState]:
        """Return what the supervisor knows of each process; empty when it does not run."""
        try:
            states: dict[str, tuple[int, str]] = self._call("states")
        except OSError:
            return {}
        return {name: ProcessState(name, pid, state) for name, (pid, state) in states.items()}

    def start_program(self, name: str) -> None:
        """Start it unless it runs."""
        self._call("start", name)

    def stop_program(self, name: str) -> None:
        self.stop_programs([name])

    def stop_programs(self, names: Sequence[str]) -> None:
        """Stop several beside each other, and wait until they are gone."""
        self._call("stop", list(names))

    def shut_down(self) -> None:
        """Stop all processes and the supervisor; the caller waits until it is gone."""
        self._call("shut_down")

    def pid(self) -> int | None:
        """The process id that the supervisor wrote down, which may be of one that was killed."""
        try:
            return int((self.directory / "supervisor.pid").read_text())
        except (OSError, ValueError):
            return None

    def _call(self, name: str, *arguments: Any) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CALL_TIMEOUT_S)
            connection.connect(str(self._socket))
            connection.sendall(json.dumps([name, *arguments]).encode() + b"\n")
            with connection.makefile() as replies:
                reply = json.loads(replies.readline() or '{"error": "it ended meanwhile"}')
        if "error" in reply:
            raise RuntimeError(f"The supervisor could not {name} {' '.join(map(str, arguments))}: {reply['error']}")
        return reply["result"]


def _program(spec: ProcessSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "command": spec.command,
        "directory": str(spec.directory),
        "environment": dict(spec.environment),
        "user": spec.account.uid if spec.account else None,
        "group": spec.account.gid if spec.account else None,
        "forks": spec.forks,
        "stop_signal": spec.stop_signal,
        "stop_wait_s": spec.stop_wait_s,
    }
