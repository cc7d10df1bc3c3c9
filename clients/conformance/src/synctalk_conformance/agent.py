"""The client that is tested: a process that reads a line of JSON for each call, and prints one for each answer and
event."""

import asyncio
import itertools
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 30
CALL_TIMEOUT_S = 60
MAX_LINE_BYTES = 8 * 2**20


class AgentError(AssertionError):
    """The client did not do what it promises."""


class Agent:
    def __init__(self, command: Sequence[str], folder: Path | None = None) -> None:
        self._command = command
        self._folder = folder
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._arrived = asyncio.Condition()
        self._consumed: Counter[str] = Counter()
        self.events: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self._last: dict[str, int] = {}
        self._at_last: dict[str, set[str]] = {}
        self._created: set[str] = set()

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder,
            env=dict(os.environ),
            limit=MAX_LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read())

    async def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """Make the client do something; its answer, which must say that it worked."""
        answer = await self.begin(do, **fields)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                got = await asyncio.shield(answer)
        except TimeoutError:
            raise AgentError(f"no answer to {do} {fields}; last events: {self.events[-5:]}") from None
        if "error" in got:
            raise AgentError(f"{do} {fields}: {got['error']}")
        return got

    async def begin(self, do: str, **fields: Any) -> "asyncio.Future[dict[str, Any]]":
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "do": do, **fields}).encode() + b"\n")
        await self._process.stdin.drain()
        return answer

    async def wait_for(self, event: str, reason: str | None, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Wait for the next event of this name."""
        wanted = self._consumed[event] + 1

        def found() -> list[dict[str, Any]]:
            return [item for item in self.events if item["event"] == event]

        async with self._arrived:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait_for(lambda: len(found()) >= wanted)
            except TimeoutError:
                raise AgentError(f"no {event}; events: {self.events[-10:]}") from None
        self._consumed[event] = wanted
        if reason is not None and found()[wanted - 1].get("reason") != reason:
            raise AgentError(f"{event} with another reason than {reason}: {found()[wanted - 1]}")

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None and self._process.stderr is not None
        errors = asyncio.create_task(self._process.stderr.read())
        async for raw in self._process.stdout:
            line = json.loads(raw)
            if "id" in line:
                self._answers.pop(line["id"]).set_result(line)
                continue
            self._check(line)
            async with self._arrived:
                self.events.append(line)
                self._arrived.notify_all()
        said = (await errors).decode(errors="replace")
        for answer in self._answers.values():
            answer.set_result({"error": f"the client ended: {said[-2000:]}"})
        self._answers.clear()

    def _check(self, line: dict[str, Any]) -> None:
        """Note what must not be: changes out of order or twice, a message that begins twice."""
        if line["event"] not in ("message", "member"):
            return
        key, number = line["conversation_id"], line["change_seq"]
        subject = line.get("message_id") or line["user_id"]
        last = self._last.get(key, 0)
        if number < last or (number == last and subject in self._at_last[key]):
            self.faults.append(f"change {number} after {last}: {line}")
        # A group begins with all its members, who share its first number.
        self._at_last[key] = {subject} | (self._at_last.get(key, set()) if number == last else set())
        self._last[key] = number
        if line.get("what") == "created":
            if line["message_id"] in self._created:
                self.faults.append(f"created twice: {line}")
            self._created.add(line["message_id"])
