"""supervisord for one stack: its generated configuration, and calls to it over its unix socket.

Programs are started by calls, in order, never by supervisord's own start. One that dies is started again at once and
for ever (`startsecs=0` knows no backing off): a part that others need must be back whatever happened.
"""

import hashlib
import http.client
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synctalk_local import launch
from synctalk_local.environment import PREFIX
from synctalk_local.part import Part

MAX_SOCKET_PATH = 100
START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 60
WANTED_FILES = 65_536
NEEDS_A_LAUNCH = frozenset({"edge", "postgres"})

HEADER = """\
[unix_http_server]
file={socket}
chmod=0600

[supervisord]
logfile={directory}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
loglevel=warn
pidfile={directory}/supervisord.pid
directory={directory}
childlogdir={logs}
minfds={files}
umask=077
{user}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:prompt]
supervisor.rpcinterface_factory=synctalk_local.prompt:make_prompt
"""

PROGRAM = """
[program:{name}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart=true
startsecs=0
startretries=1000000
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True)
class ProcessState:
    name: str
    pid: int
    """0 when there is none."""
    state: str
    """supervisord's word: RUNNING, STARTING, STOPPED, …"""


class Supervisor:
    """The one of the stack in this data folder."""

    def __init__(self, data: Path, logs: Path) -> None:
        self.directory = data / "supervisor"
        self._logs = logs
        self._config = self.directory / "supervisord.conf"
        self._socket = _socket_path(self.directory)

    def is_running(self) -> bool:
        try:
            with self._calls() as calls:
                return calls.getState()["statename"] in {"RUNNING", "RESTARTING"}
        except (OSError, http.client.HTTPException):
            return False

    def write(self, parts: Sequence[Part]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config.touch(mode=0o600)
        self._config.write_text(config_text(parts, self.directory, self._logs, self._socket))

    def start(self) -> None:
        """Start supervisord itself, as a daemon, with nothing running under it yet."""
        self._socket.unlink(missing_ok=True)
        # Its programs inherit its environment, which outlives what is set now: a part's settings are in its program.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._config)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"supervisord did not start: {(done.stderr or done.stdout).strip()}")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_running():
            if time.monotonic() > deadline:
                raise RuntimeError(f"supervisord did not start: see {self.directory / 'supervisord.log'}")
            time.sleep(0.02)

    def adopt_config(self) -> None:
        """Make the running supervisord know the programs as they are written now; those that changed are stopped."""
        with self._calls() as calls:
            [[added, changed, removed]] = calls.reloadConfig()
            for name in (*changed, *removed):
                calls.stopProcessGroup(name)
                calls.removeProcessGroup(name)
            for name in (*added, *changed):
                calls.addProcessGroup(name)

    def states(self) -> dict[str, ProcessState]:
        """What supervisord knows of each program; empty when it does not run."""
        try:
            with self._calls() as calls:
                infos = calls.getAllProcessInfo()
        except (OSError, http.client.HTTPException):
            return {}
        return {info["name"]: ProcessState(info["name"], info["pid"], info["statename"]) for info in infos}

    def start_program(self, name: str) -> None:
        """Start it unless it runs."""
        try:
            with self._calls() as calls:
                calls.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise RuntimeError(f"{name} could not be started: {fault.faultString}") from fault

    def stop_program(self, name: str, *, wait: bool = True) -> None:
        try:
            with self._calls() as calls:
                calls.stopProcess(name, wait)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise RuntimeError(f"{name} could not be stopped: {fault.faultString}") from fault

    def stop_programs(self, names: Sequence[str]) -> None:
        """Stop several beside each other, and wait until they are gone."""
        for name in names:
            self.stop_program(name, wait=False)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(self.states()[name].pid for name in names):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{', '.join(names)} did not stop within {STOP_TIMEOUT_S} s")
            time.sleep(0.02)

    def shut_down(self) -> None:
        """Stop all programs and supervisord; the caller waits until it is gone."""
        with self._calls() as calls:
            calls.shutdown()

    def pid(self) -> int | None:
        """The process id that supervisord wrote down, which may be of one that is gone."""
        try:
            return int((self.directory / "supervisord.pid").read_text())
        except (OSError, ValueError):
            return None

    @contextmanager
    def _calls(self) -> Iterator[Any]:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=_UnixTransport(self._socket)) as proxy:
            yield proxy.supervisor


def config_text(parts: Sequence[Part], directory: Path, logs: Path, socket_path: Path) -> str:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    header = HEADER.format(socket=socket_path, directory=directory, logs=logs, files=files, user=_user_line())
    return header + "".join(_program(part, logs) for part in parts)


def _program(part: Part, logs: Path) -> str:
    return PROGRAM.format(
        name=part.name,
        command=" ".join(_quoted(word) for word in _command(part)),
        directory=part.directory,
        environment=_environment(part.environment),
        stop_signal=part.stop_signal,
        stop_wait_s=part.stop_wait_s,
        logs=logs,
    )


def _command(part: Part) -> tuple[str, ...]:
    if part.name not in NEEDS_A_LAUNCH:
        return part.command
    user = (part.account.name,) if part.account else ()
    return (sys.executable, "-m", launch.MODULE, str(part.directory), *user, "--", *part.command)


def _quoted(word: str) -> str:
    r"""Read as a shell does, after `%(…)s` was expanded."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _environment(values: Mapping[str, str]) -> str:
    return ",".join(f"{name}={_quoted_value(value)}" for name, value in values.items())


def _quoted_value(value: str) -> str:
    """supervisord reads these without escapes and strips quotes of both kinds from the ends."""
    quote = "'" if '"' in value else '"'
    if quote in value or value.strip("'\"") != value or "\n" in value:
        raise ValueError(f"supervisord cannot carry this value in an environment: {value!r}")
    return quote + value.replace("%", "%%") + quote


def _user_line() -> str:
    return "user=root" if os.geteuid() == 0 else ""


def _socket_path(directory: Path) -> Path:
    """In the data folder; a path too long for a unix socket is replaced by a private folder named after it."""
    path = directory / "supervisor.sock"
    if len(str(path)) <= MAX_SOCKET_PATH:
        return path
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"synctalk-{name}" / "supervisor.sock"


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = host, connection  # where the base class looks for what to close
        return connection


class _UnixConnection(http.client.HTTPConnection):
    TIMEOUT_S = 60

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=self.TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.TIMEOUT_S)
        self.sock.connect(str(self._path))
