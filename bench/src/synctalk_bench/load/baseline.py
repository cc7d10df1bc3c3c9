"""The baseline as a side: its server and a PostgreSQL of its own, started for the run and gone after it.

The database is configured as the system's is, and durable like it; a cluster of its own keeps its CPU apart.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import jwt
from synctalk_backing.postgres import postgres_spec, postgres_url
from synctalk_backing.probe import http_answers
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import MissingProgramsError, backing_programs
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_ports

from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Member

FOLDER = Path(__file__).parents[1] / "baseline"
START_TIMEOUT_S = 60.0
ANY_STATUS = range(100, 600)


class Baseline:
    name = "baseline"

    def __init__(self, database_url: str, postgres_pid: int, port: int, log_folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.users: Sequence[Member] = ()
        self.groups: Sequence[str] = ()
        self.room = ""
        self._database_url = database_url
        self._postgres_pid = postgres_pid
        self._port = port
        self._log = log_folder / "server.log"
        self._secret = secrets.token_hex(32)
        self._server: subprocess.Popen[bytes] | None = None

    def processes(self) -> Mapping[str, int]:
        assert self._server is not None
        return {"server": self._server.pid, "postgres": self._postgres_pid}

    def socket_holders(self) -> Sequence[str]:
        return ["server"]

    async def refresh_socket_holders(self) -> None:
        self.stop()
        await self.start()

    async def prepare(self, settings: Settings) -> None:
        """The same users in groups and a room of the same sizes, written straight into the tables."""
        user_ids = [str(uuid4()) for _ in range(settings.users)]
        self.users = [
            Member(user_id, jwt.encode({"sub": user_id}, self._secret, algorithm="HS256")) for user_id in user_ids
        ]
        self.groups = [str(uuid4()) for _ in range(settings.groups)]
        self.room = str(uuid4())
        rows = [(self.room, user_id) for user_id in user_ids[: settings.room_size]]
        for number, group in enumerate(self.groups):
            begin = number * settings.group_size
            rows += [(group, user_id) for user_id in user_ids[begin : begin + settings.group_size]]
        connection = await asyncpg.connect(self._database_url)
        try:
            await connection.execute((FOLDER / "schema.sql").read_text())
            await connection.executemany(
                "insert into conversations (id) values ($1)", [(one,) for one in [*self.groups, self.room]]
            )
            await connection.executemany("insert into members (conversation_id, user_id) values ($1, $2)", rows)
            await connection.execute("analyze")
        finally:
            await connection.close()

    async def start(self) -> None:
        environment = os.environ | {
            "DATABASE_URL": self._database_url,
            "JWT_SECRET": self._secret,
            "PORT": str(self._port),
        }
        self._server = _spawn(FOLDER / "server.py", environment, self._log)
        await _until(lambda: http_answers(self.url, ANY_STATUS), "The baseline's server")

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()  # its sockets are gone by then, and nothing of it is kept
            self._server.wait()
            self._server = None


@asynccontextmanager
async def baseline(folder: Path, settings: Settings) -> AsyncIterator[Baseline]:
    """The baseline, ready for the load; ended on the way out."""
    try:
        postgres = backing_programs().postgres
    except MissingProgramsError as error:
        raise LoadError(str(error)) from error
    postgres_port, port = free_ports(2)
    password = secrets.token_urlsafe(12)
    spec = postgres_spec(folder / "postgres", postgres_port, password, postgres)
    with ExitStack() as ending:
        process = ending.enter_context(_fresh(spec, folder))
        await _until(spec.is_ready, "The baseline's PostgreSQL")
        side = Baseline(postgres_url(postgres_port, "postgres", "postgres", password), process.pid, port, folder)
        ending.callback(side.stop)
        await side.prepare(settings)
        await side.start()
        yield side


@contextmanager
def _fresh(spec: ProcessSpec, log_folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process with nothing of an earlier run, and nothing left of this one."""
    log_folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(spec.directory, ignore_errors=True)
    try:
        with running(spec, log_folder) as process:
            yield process
    finally:
        shutil.rmtree(spec.directory, ignore_errors=True)


def _spawn(script: Path, environment: Mapping[str, str], log_file: Path) -> subprocess.Popen[bytes]:
    with log_file.open("ab") as log:
        return subprocess.Popen([sys.executable, str(script)], env=environment, stdout=log, stderr=log)


async def _until(is_ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while not await asyncio.to_thread(is_ready):
        if time.monotonic() > end:
            raise LoadError(f"{what} did not start within {START_TIMEOUT_S:.0f} s.")
        await asyncio.sleep(0.1)
