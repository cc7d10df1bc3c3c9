"""The real PostgreSQL, Redis and RabbitMQ that a test run stands on: where they are, and who starts them.

One set serves a whole run. The first worker that needs it starts a keeper process beside the tests; the others find
what it has written. The keeper ends the set when the run's main process ends, however that ends.
`SYNCTALK_TEST_BACKING` may name the file of a set that runs already; then nothing is started or stopped.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

GIVEN = "SYNCTALK_TEST_BACKING"
OWNER = "SYNCTALK_TEST_OWNER_PID"
START_TIMEOUT_S = 300


@dataclass(frozen=True)
class Backing:
    postgres_url: str
    """The superuser's; tests make databases by it."""
    redis_urls: tuple[str, ...]
    """A server for each worker: pub/sub channels are shared by all databases of one server."""
    rabbitmq_url: str
    """The administrator's, without a virtual host."""
    rabbitmq_management_url: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Backing":
        fields = json.loads(text)
        return cls(**{**fields, "redis_urls": tuple(fields["redis_urls"])})


def become_owner() -> None:
    """Called once in the run's main process: workers inherit who that is."""
    os.environ[OWNER] = str(os.getpid())


def is_given() -> bool:
    """Whether the set was there before this run, and stays when it ends."""
    return GIVEN in os.environ


def running() -> Backing:
    """The set of this run, started if this is the first to ask."""
    if is_given():
        return Backing.from_json(Path(os.environ[GIVEN]).read_text())
    folder = _run_folder()
    with _locked(folder):
        if not (folder / "backing.json").exists():
            _start_keeper(folder)
    return Backing.from_json((folder / "backing.json").read_text())


def end() -> None:
    """Called once in the run's main process, at its end: nothing stays behind."""
    if is_given() or not _run_folder_path().exists():
        return
    pid_file = _run_folder_path() / "keeper.pid"
    if pid_file.exists():
        keeper = int(pid_file.read_text())
        with _ignored_missing():
            os.kill(keeper, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while _run_folder_path().exists() and time.monotonic() < deadline:
            time.sleep(0.02)


def _start_keeper(folder: Path) -> None:
    log = folder / "keeper.log"
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "synctalk_testkit.keeper", str(folder), os.environ[OWNER], str(_workers())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    (folder / "keeper.pid").write_text(str(keeper.pid))
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (folder / "backing.json").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL, Redis and RabbitMQ did not start for the tests:\n{log.read_text()}")
        time.sleep(0.05)
    keeper.returncode = 0  # it lives on by itself: no warning when this handle goes


def _workers() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def _run_folder_path() -> Path:
    return Path(tempfile.gettempdir()) / f"synctalk-test-{os.getuid()}-{os.environ[OWNER]}"


def _run_folder() -> Path:
    folder = _run_folder_path()
    folder.mkdir(mode=0o711, exist_ok=True)  # the account that runs PostgreSQL passes through
    return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _ignored_missing() -> Iterator[None]:
    try:
        yield
    except ProcessLookupError:
        return
