"""A Redis server of a test's own, to be filled, demoted, closed and restarted.

async with own_redis(max_memory_mb=16) as redis:
    await redis.command("CONFIG", "SET", "min-replicas-to-write", "1")
    redis.stop(); redis.start()   # empty, at the same address
"""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import redis.asyncio
from synctalk_backing.probe import redis_serves
from synctalk_backing.programs import backing_programs

from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port

PASSWORD = "violet-anvil"


class OwnRedis:
    """The server's process, and its administrator."""

    def __init__(self, folder: Path, options: Sequence[str], max_memory_mb: int) -> None:
        self._folder = folder
        self._options = options
        self._max_memory_mb = max_memory_mb
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty and with its first settings."""
        program = backing_programs().redis
        given = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": PASSWORD,
            "dir": str(self._folder),
            "maxmemory": f"{self._max_memory_mb}mb",
            "maxmemory-policy": "noeviction",
            "logfile": "redis.log",
            "appendonly": "no",
        }
        arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen([str(program), *arguments, "--save", "", *self._options], cwd=self._folder)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def wait_until_ready(self) -> None:
        await eventually(lambda: redis_serves(self.port))

    async def command(self, *arguments: str | int, password: str = PASSWORD) -> Any:
        """Run one command as the administrator."""
        async with redis.asyncio.Redis(host="127.0.0.1", port=self.port, password=password) as client:
            return await client.execute_command(*arguments)  # type: ignore[no-untyped-call]

    async def fill(self) -> None:
        """Write until it refuses more; `FLUSHALL` makes room again."""
        async with redis.asyncio.from_url(self.url) as client:
            with suppress(redis.OutOfMemoryError):
                for number in range(self._max_memory_mb * 100):
                    await client.set(f"filling:{number}", b"x" * 10_000)
            # The buffers of this very connection were part of what filled it.
            await client.config_set("maxmemory", f"{self._max_memory_mb - 2}mb")


@asynccontextmanager
async def own_redis(*options: str, max_memory_mb: int = 64) -> AsyncIterator[OwnRedis]:
    """A server that answers, with these options of its command line besides."""
    with tempfile.TemporaryDirectory() as folder:
        server = OwnRedis(Path(folder), options, max_memory_mb)
        server.start()
        try:
            await server.wait_until_ready()
            yield server
        finally:
            server.stop()
