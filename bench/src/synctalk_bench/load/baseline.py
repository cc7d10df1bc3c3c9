"""The baselines as sides: each a server and a PostgreSQL of its own, started for the run and gone after it.

The databases are configured as the system's is, and durable like it; a cluster for each keeps its CPU apart.
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
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import jwt
from synctalk_backing.postgres import postgres_spec, postgres_url
from synctalk_backing.probe import http_answers
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import MissingProgramsError, backing_programs
from synctalk_backing.redis import redis_spec, redis_url
from synctalk_local import node
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_ports

from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Member

FOLDER = Path(__file__).parents[1] / "baseline"
NODE_FOLDER = Path(__file__).parents[3] / "node"
START_TIMEOUT_S = 60.0
ANY_STATUS = range(100, 600)
GROUP_COMMIT_MS = 2


@dataclass(frozen=True)
class Program:
    """How a baseline's server is started. It reads DATABASE_URL, JWT_SECRET and PORT."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    has_redis: bool = False
    """It reads REDIS_URL too."""


def programs(names: Sequence[str], data: Path, say: Callable[[str], None]) -> dict[str, Program]:
    """Those of these sides that are baselines, with all that they need installed."""
    found = {"python": Program((sys.executable, str(FOLDER / "server.py")))}
    if not found.keys() >= set(names) - {"ours"}:
        environment = node.environment(data, say)
        node.fetch_modules(NODE_FOLDER, environment, data / "logs" / "bench-modules.log")
        server = (shutil.which("node", path=environment["PATH"]) or "node", str(NODE_FOLDER / "server.js"))
        found["node"] = Program(server, environment, has_redis=True)
        found["node-group"] = Program(server, environment | {"COMMIT_EVERY_MS": str(GROUP_COMMIT_MS)}, has_redis=True)
    return {name: found[name] for name in names if name in found}


class Baseline:
    def __init__(
        self, name: str, program: Program, urls: Mapping[str, str], backing: Mapping[str, int], log_folder: Path
    ) -> None:
        """`urls`: of what the server talks to, by the variable that names them. `backing`: the pids of these."""
        self.name = name
        self.users: Sequence[Member] = ()
        self.groups: Sequence[str] = ()
        self.pairs: Sequence[str] = ()
        self.room = ""
        (self._port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"
        self._program = program
        self._urls = urls
        self._backing = backing
        self._log = log_folder / "server.log"
        self._secret = secrets.token_hex(32)
        self._server: subprocess.Popen[bytes] | None = None

    def processes(self) -> Mapping[str, int]:
        assert self._server is not None
        return {"server": self._server.pid, **self._backing}

    def socket_holders(self) -> Sequence[str]:
        return ["server"]

    async def refresh_socket_holders(self) -> None:
        self.stop()
        await self.start()

    async def prepare(self, settings: Settings) -> None:
        """The same users in conversations of the same sizes, written straight into the tables."""
        user_ids = [str(uuid4()) for _ in range(settings.users)]
        self.users = [
            Member(user_id, jwt.encode({"sub": user_id}, self._secret, algorithm="HS256")) for user_id in user_ids
        ]
        rows: list[tuple[str, str]] = []

        def conversation(first: int, size: int) -> str:
            conversation_id = str(uuid4())
            rows.extend((conversation_id, user_id) for user_id in user_ids[first : first + size])
            return conversation_id

        size = settings.group_size
        self.groups = [conversation(number * size, size) for number in range(settings.all_groups)]
        self.pairs = [conversation(number * 2, 2) for number in range(settings.pairs)]
        self.room = conversation(0, settings.room_size)
        connection = await asyncpg.connect(self._urls["DATABASE_URL"])
        try:
            await connection.execute((FOLDER / "schema.sql").read_text())
            await connection.executemany(
                "insert into conversations (id) values ($1)",
                [(one,) for one in [*self.groups, *self.pairs, self.room]],
            )
            await connection.executemany("insert into members (conversation_id, user_id) values ($1, $2)", rows)
            await connection.execute("analyze")
        finally:
            await connection.close()

    async def start(self) -> None:
        own = {"JWT_SECRET": self._secret, "PORT": str(self._port)}
        environment = {**os.environ, **self._program.environment, **self._urls, **own}
        self._server = _spawn(self._program.command, environment, self._log)
        try:
            await _until(lambda: http_answers(self.url, ANY_STATUS), f"The server of {self.name}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()  # its sockets are gone by then, and nothing of it is kept
            self._server.wait()
            self._server = None


@asynccontextmanager
async def baseline(name: str, program: Program, folder: Path, settings: Settings) -> AsyncIterator[Baseline]:
    """The baseline, ready for the load; ended on the way out."""
    try:
        installed = backing_programs()
    except MissingProgramsError as error:
        raise LoadError(str(error)) from error
    postgres_port, redis_port = free_ports(2)
    password = secrets.token_urlsafe(12)
    specs = [postgres_spec(folder / "postgres", postgres_port, password, installed.postgres)]
    urls = {"DATABASE_URL": postgres_url(postgres_port, "postgres", "postgres", password)}
    if program.has_redis:
        specs.append(redis_spec(folder / "redis", redis_port, password, installed.redis))
        urls["REDIS_URL"] = redis_url(redis_port, password)
    with ExitStack() as ending:
        backing = {spec.name: ending.enter_context(_fresh(spec, folder)).pid for spec in specs}
        for spec in specs:
            await _until(spec.is_ready, f"{spec.name} of {name}")
        side = Baseline(name, program, urls, backing, folder)
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


def _spawn(command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> subprocess.Popen[bytes]:
    with log_file.open("ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


async def _until(is_ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while not await asyncio.to_thread(is_ready):
        if time.monotonic() > end:
            raise LoadError(f"{what} did not start within {START_TIMEOUT_S:.0f} s.")
        await asyncio.sleep(0.1)
