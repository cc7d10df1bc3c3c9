"""The supervisor of one stack: starts processes when asked to, and starts again whatever ends by itself.

`python -m synctalk_local.supervision.daemon FOLDER LOGS` goes to the background and answers one JSON request a
connection on its Unix socket; `client` sends them. Requirement: "One that dies, whatever killed it, is back within
3 s", also a server that was killed and whose children hold its port or its files: they are ended before it is started
again. docs/decisions/0007-own-supervisor.md says why it is not supervisord.
"""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synctalk_local.supervision.orphans import end_orphans
from synctalk_local.supervision.socket_path import socket_path

WANTED_FILES = 65_536
LOG_BYTES = 10_000_000
LOG_CHECK_S = 10.0
SHORT_LIFE_S = 0.5
RETRY_S = 0.2
"""Before a process that ended at once is started again: it is no use to take the whole machine for it."""


@dataclass(frozen=True)
class Program:
    """A process as the supervisor starts and stops it."""

    name: str
    command: tuple[str, ...]
    directory: str
    environment: dict[str, str]
    user: int | None
    group: int | None
    forks: bool
    """Whether its children may outlive it when it is killed."""
    stop_signal: str
    stop_wait_s: int

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Program":
        return cls(**fields | {"command": tuple(fields["command"])})


class Process:
    """One program that is kept running from `start` to `stop`."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.state = "stopped"
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self) -> None:
        """Start it unless it runs."""
        if self._keeper is None or self._keeper.done():
            self._stopping.clear()
            self.state = "starting"
            self._keeper = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Ask it to end, kill it when it does not in time, and wait until it is gone."""
        if self._keeper is None:
            return
        self._stopping.set()
        if self._child is not None:
            self.state = "stopping"
            await self._end(self._child)
        await self._keeper
        self.state = "stopped"

    async def _keep_running(self) -> None:
        while True:
            if self.program.forks:
                await asyncio.to_thread(end_orphans, Path(self.program.directory), reaped=False)
            if self._stopping.is_set():
                return
            began = time.monotonic()
            try:
                self._child = await self._spawn()
            except OSError as error:
                self.state = "failed"
                _say(f"{self.program.name} could not be started: {error}")
                return
            if self._stopping.is_set():  # asked for while the process was being made
                await self._end(self._child)
            else:
                self.state = "running"
            status = await self._child.wait()
            _kill_group(self._child.pid)
            self._child = None
            if self._stopping.is_set():
                return
            self.state = "starting"
            _say(f"{self.program.name} ended with status {status} and is started again")
            if time.monotonic() - began < SHORT_LIFE_S:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RETRY_S)

    async def _spawn(self) -> asyncio.subprocess.Process:
        program = self.program
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *program.command,
                cwd=program.directory,
                env=os.environ | program.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=program.user,
                group=program.group,
                extra_groups=None if program.user is None else [],
                start_new_session=True,
            )

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.Signals[f"SIG{self.program.stop_signal}"])
        try:
            await asyncio.wait_for(child.wait(), self.program.stop_wait_s)
        except TimeoutError:
            _kill_group(child.pid)


class Supervisor:
    """All processes of the stack, and the requests about them."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder = folder
        self._logs = logs
        self._processes: dict[str, Process] = {}
        self._shutdown = asyncio.Event()
        self._requests: dict[str, Callable[..., Awaitable[Any]]] = {
            "states": self._states,
            "start": self._start,
            "stop": self._stop,
            "reload": self._reload,
            "shut_down": self._shut_down,
        }

    async def run(self) -> None:
        """Serve until the end is asked for by a request or a signal, then stop every process."""
        await self._reload()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._shutdown.set)
        path = socket_path(self._folder)
        server = await asyncio.start_unix_server(self._answer, path)
        path.chmod(0o600)
        pid_file = self._folder / "supervisor.pid"
        pid_file.write_text(str(os.getpid()))
        logs = asyncio.create_task(self._bound_logs())
        await self._shutdown.wait()
        server.close()
        path.unlink(missing_ok=True)
        logs.cancel()
        await self._stop(list(self._processes))
        pid_file.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, *arguments = json.loads(await reader.readline())
            reply = {"result": await self._requests[name](*arguments)}
        except (KeyError, TypeError, ValueError, OSError) as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _states(self) -> dict[str, tuple[int, str]]:
        return {name: (process.pid, process.state) for name, process in self._processes.items()}

    async def _start(self, name: str) -> None:
        self._processes[name].start()

    async def _stop(self, names: list[str]) -> None:
        await asyncio.gather(*(self._processes[name].stop() for name in names))

    async def _reload(self) -> None:
        """Take the programs as they are written now; those that changed or are no longer there are stopped."""
        written = json.loads((self._folder / "programs.json").read_text())
        programs = {fields["name"]: Program.from_json(fields) for fields in written}
        await self._stop([name for name, process in self._processes.items() if process.program != programs.get(name)])
        self._processes = {
            name: known
            if (known := self._processes.get(name)) and known.program == program
            else Process(program, self._logs / f"{name}.log")
            for name, program in programs.items()
        }

    async def _shut_down(self) -> None:
        self._shutdown.set()

    async def _bound_logs(self) -> None:
        """Move what grew too long aside. The processes go on writing to the same file, which is emptied."""
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            for log in (process.log for process in self._processes.values()):
                if log.exists() and log.stat().st_size > LOG_BYTES:
                    await asyncio.to_thread(shutil.copyfile, log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def main() -> None:
    if os.fork():
        os._exit(0)  # whoever started it need not wait for it, nor reap it
    os.setsid()
    os.umask(0o077)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    folder, logs = Path(sys.argv[1]), Path(sys.argv[2])
    asyncio.run(Supervisor(folder, logs).run())


if __name__ == "__main__":
    main()
