"""The stock JavaScript socket.io-client as a child process, by the script of `tests/e2e/js`."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from synctalk_local.stack import CHECKOUT

from synctalk_systemtest.stack import RunningStack

SCRIPT = CHECKOUT / "tests" / "e2e" / "js" / "client.mjs"
START_TIMEOUT_S = 120
"""A machine that has neither Node nor the web client's packages fetches them first."""


class JavaScriptClient:
    """One connection of the stock client; everything that it said, in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[dict[str, Any]] = []
        self._process = process
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def connect(self, url: str, token: str, **options: Any) -> None:
        await self._order({"connect": {"url": url, "token": token, **options}})

    async def call(self, event: str, payload: Any) -> Any:
        """Emit with an ack; the ack."""
        before = len(self.lines)
        await self._order({"call": [event, payload]})
        return (await self._line(lambda line: "ack" in line, since=before))["ack"]

    async def wait_for(
        self, event: str, predicate: Callable[[Any], bool] = lambda _: True, timeout: float = 20, since: int = 0
    ) -> Any:
        def fits(line: dict[str, Any]) -> bool:
            return line.get("event") == event and predicate(line.get("payload"))

        return (await self._line(fits, timeout, since))["payload"]

    def of(self, event: str) -> list[Any]:
        return [line["payload"] for line in self.lines if line.get("event") == event]

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _order(self, order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def _line(
        self, fits: Callable[[dict[str, Any]], bool], timeout: float = START_TIMEOUT_S, since: int = 0
    ) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines[since:] if fits(line)]

        async with self._arrived:
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait_for(lambda: found() or self._reader.done())
            except TimeoutError:
                pass
        assert found(), f"the JavaScript client did not say so; it said {self.lines[-20:]}"
        return found()[0]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            if text.startswith(b"{"):
                async with self._arrived:
                    self.lines.append(json.loads(text))
                    self._arrived.notify_all()
        async with self._arrived:
            self._arrived.notify_all()


@asynccontextmanager
async def javascript_client(stack: RunningStack) -> AsyncIterator[JavaScriptClient]:
    """A client that is not connected yet; its process is gone afterwards."""
    environment = os.environ | {"SYNCTALK_DATA_DIR": str(stack.stack.data), "MODE": "local"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "synctalk_local", "npm", "exec", "-c", f"node '{SCRIPT}'"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
        start_new_session=True,
    )
    client = JavaScriptClient(process)
    try:
        yield client
    finally:
        await client.close()
