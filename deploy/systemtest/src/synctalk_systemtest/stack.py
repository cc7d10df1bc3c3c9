"""The whole system for a test run: its own processes, ports and data, behind its own edge; and ways to hurt it.

It is what `make up` starts, by the same code. It goes with the run, even if that is killed.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from synctalk_local.commands.down import clean
from synctalk_local.commands.ps import word
from synctalk_local.commands.up import up
from synctalk_local.ports import ports_for
from synctalk_local.processes.services import command_environment
from synctalk_local.stack import CHECKOUT, Stack, service_specs, stack_credentials
from synctalk_local.supervision.client import Supervisor
from synctalk_local.topology import COUNTS
from synctalk_testkit.eventually import eventually_blocking

from synctalk_systemtest.ports import free_edge_port

BACK_TIMEOUT_S = 90


class RunningStack:
    """A stack that is up, with its processes in reach."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = f"http://127.0.0.1:{stack.ports.edge}"
        self._supervisor = Supervisor(stack.data, stack.logs)
        self._services = service_specs(stack, stack_credentials(stack))
        self._hurt = False

    def ps(self) -> dict[str, tuple[int, str]]:
        """Process id (0: none) and state of each process, as `make ps` shows them."""
        states = self._supervisor.states()
        return {
            name: (states[name].pid, word(states[name], self.stack.port_of(name)))
            for name in self.stack.names
            if name in states
        }

    def pid(self, name: str) -> int:
        return self._supervisor.states()[name].pid

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> int:
        """Send the signal to the process; the id that it had. It comes back by itself."""
        self._hurt = True
        pid = self.pid(name)
        os.kill(pid, signal_number)
        return pid

    def freeze(self, name: str) -> None:
        """Stop its clock: it holds its connections and answers nothing, until `thaw`."""
        self._hurt = True
        os.kill(self.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGCONT)

    def stop(self, name: str) -> None:
        """Stop it as a deployment does; it stays down until `start`."""
        self._hurt = True
        self._supervisor.stop_program(name)

    def start(self, name: str) -> None:
        """Start it and wait until it listens."""
        self._supervisor.start_program(name)
        self.wait_running(name)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def wait_running(self, name: str, *, other_than: int = 0, timeout: float = BACK_TIMEOUT_S) -> float:
        """Wait until there is a process other than that one, and it listens; return the seconds it took."""
        began = time.monotonic()

        def back() -> bool:
            pid, state = self.ps()[name]
            return state == "running" and pid not in (0, other_than)

        eventually_blocking(back, timeout, message=f"{name} did not come back:\n{self.log(name)}")
        return time.monotonic() - began

    def recover(self) -> None:
        """Wait, if anything was done to it, until all of it runs and says that it is ready."""
        if self._hurt:
            eventually_blocking(self._is_whole, BACK_TIMEOUT_S, message=f"it did not recover: {self.ps()}")
            self._hurt = False

    def _is_whole(self) -> bool:
        running = all(state == "running" for _, state in self.ps().values())
        return running and all(service.is_ready() for service in self._services)

    def environment(self) -> dict[str, str]:
        """Return the variables by which commands of `make`, and clients started as processes, find this stack."""
        return {
            "MODE": "local",
            "SYNCTALK_DATA_DIR": str(self.stack.data),
            "SYNCTALK_PORT": str(self.stack.ports.edge),
            "SYNCTALK_URL": self.url,
            **self.stack.settings,
        }

    def command_environment(self, name: str) -> dict[str, str]:
        """Return the environment of a command of the service beside this process."""
        return command_environment(next(spec for spec in self._services if spec.name == name))

    def internal_url(self, name: str) -> str:
        """Return the URL of the process itself, past the edge."""
        return f"http://127.0.0.1:{self.stack.port_of(name)}"

    def log(self, name: str, lines: int = 40) -> str:
        path = self.stack.logs / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


@contextmanager
def running_stack(
    settings: Mapping[str, str] | None = None, counts: Mapping[str, int] = COUNTS
) -> Iterator[RunningStack]:
    """A stack with these settings for all services, and so many processes; gone afterwards, with its data."""
    with tempfile.TemporaryDirectory(prefix="synctalk-stack-") as folder:
        Path(folder).chmod(0o711)  # the account that runs PostgreSQL passes through
        stack = Stack(CHECKOUT, Path(folder) / "data", ports_for(free_edge_port(), counts), settings or {})
        watcher = _watch(stack)
        said: list[str] = []
        try:
            try:
                up(stack, said.append)
            except Exception as error:
                error.add_note("\n".join(said))
                raise
            yield RunningStack(stack)
        finally:
            clean(stack, said.append)
            watcher.terminate()
            watcher.wait()


def _watch(stack: Stack) -> subprocess.Popen[bytes]:
    """A process that removes the stack when this one is gone without having done so."""
    command = [sys.executable, "-m", "synctalk_systemtest.stack_watch"]
    return subprocess.Popen(
        [*command, str(stack.data), str(stack.ports.edge), str(os.getpid())], start_new_session=True
    )
