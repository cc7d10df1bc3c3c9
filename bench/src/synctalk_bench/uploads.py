"""What uploads do to everybody else: `python -m synctalk_bench.uploads`, on the running system (`make up`).

Pairs of users send messages all the time. In every other window somebody uploads and sends files of 25 MiB, one after
the other. Shown are the acks of the messages in both kinds of windows, and by how much each process grew.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import LiveSocket, User, Users, users_at

from synctalk_bench.load import script
from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.processes import memory

MIB = 1024 * 1024
FILE = os.urandom(25 * MIB)
PAIRS = 25
PER_S = 2
"""Of each, within the limit of messages."""
WINDOWS = 10
WINDOW_S = 6.0
UPLOAD_SPACING_S = 1.0
MEMORY_EVERY_S = 0.5


@dataclass
class Found:
    acks_s: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """In windows without uploads, and with them."""
    uploads_s: list[float] = field(default_factory=list)
    grew_bytes: dict[str, int] = field(default_factory=dict)
    """The most that a process had in windows with uploads, above the most that it had without."""


class Bench:
    def __init__(self, ours: Ours) -> None:
        self._ours = ours
        self._uploading = False
        self.found = Found()

    async def measure(self, sockets: Sequence[tuple[LiveSocket, str]], uploader: User, conversation_id: str) -> None:
        talking = [asyncio.create_task(self._talk(live, place)) for live, place in sockets]
        most: tuple[dict[str, int], dict[str, int]] = ({}, {})
        try:
            for window in range(WINDOWS):
                self._uploading = window % 2 == 1
                ends_at = time.monotonic() + WINDOW_S
                watching = asyncio.create_task(self._watch(most[self._uploading], ends_at))
                while self._uploading and time.monotonic() < ends_at:
                    await self._upload(uploader, conversation_id)
                await watching
        finally:
            for task in talking:
                task.cancel()
        self.found.grew_bytes = {name: most[1][name] - most[0][name] for name in most[0]}

    async def _talk(self, live: LiveSocket, conversation_id: str) -> None:
        while True:
            began, uploading = time.monotonic(), self._uploading
            await live.say(conversation_id, "some words")
            if uploading == self._uploading:
                self.found.acks_s[uploading].append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, began + 1 / PER_S - time.monotonic()))

    async def _watch(self, most: dict[str, int], ends_at: float) -> None:
        while time.monotonic() < ends_at:
            for name, used in (await asyncio.to_thread(memory, self._ours.processes())).items():
                most[name] = max(most.get(name, 0), used.pss_bytes)
            await asyncio.sleep(MEMORY_EVERY_S)

    async def _upload(self, user: User, conversation_id: str) -> None:
        new = {"name": "film", "size": len(FILE), "content_type": "application/octet-stream"}
        made = await user.post("/v1/files", new)
        upload, began = made["upload"], time.monotonic()
        async with user.http.request(upload["method"], upload["url"], data=FILE, headers=upload["headers"]) as answer:
            if answer.status != 201:
                raise LoadError(f"An upload was answered with {answer.status}.")
        self.found.uploads_s.append(time.monotonic() - began)
        await user.say(conversation_id, "", file_ids=[made["file"]["id"]])
        await asyncio.sleep(UPLOAD_SPACING_S)


async def pair_of(users: Users) -> tuple[LiveSocket, str]:
    writer, reader = await users.register_all("Writer", "Reader")
    conversation = await writer.direct_with(reader)
    await reader.connect()
    return await writer.connect(), conversation["id"]


async def run(console: Console) -> None:
    ours = Ours(stack_from_environment())
    async with users_at(ours.url) as users:
        sockets = [await pair_of(users) for _ in range(PAIRS)]
        ada, bob = await users.register_all("Ada", "Bob")
        conversation = await ada.direct_with(bob)
        bench = Bench(ours)
        await bench.measure(sockets, ada, conversation["id"])
    found = bench.found
    table = Table(title=f"Acks, {PAIRS} pairs with {PER_S} messages a second each, ms")
    for column in ("", "acks", "p50", "p99"):
        table.add_column(column, justify="right" if column else "left")
    for kind, acks_s in zip(("without uploads", "while files of 25 MiB are uploaded"), found.acks_s, strict=True):
        cuts = statistics.quantiles(acks_s, n=100)
        table.add_row(kind, str(len(acks_s)), f"{cuts[49] * 1e3:.1f}", f"{cuts[98] * 1e3:.1f}")
    console.print(table)
    console.print(f"{len(found.uploads_s)} uploads, the middle one in {statistics.median(found.uploads_s):.2f} s.")
    console.print(
        "More memory than without uploads, MiB (PSS): "
        + ", ".join(f"{name} {grew / MIB:+.1f}" for name, grew in sorted(found.grew_bytes.items()))
    )


if __name__ == "__main__":
    sys.exit(script.run(run))
