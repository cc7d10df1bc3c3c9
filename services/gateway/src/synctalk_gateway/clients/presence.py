"""The presence service: snapshots, one's own status, and the leases of the connections that this gateway holds.

Leases go in batches: while one report is under way the next gathers. A person who is connected is known to presence
before their `ready` goes out, so that whoever asks next is told so; if presence does not answer in time the
connection goes on without it, and the next renewal makes good.
"""

import asyncio
from typing import Any

import structlog
from synctalk_contracts.internal import Lease, LeaseReport, PresenceQuestion, PresenceSnapshot
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.internal import InternalClient

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.hub import Hub

log = structlog.get_logger()

REPORT_WAIT_S = 0.5
MAX_LEASES = 1_000
"""In one report: presence takes bodies of 256 KiB."""


class PresenceClient:
    """Raises UnavailableError when presence does not answer."""

    def __init__(self, http: InternalClient) -> None:
        self._http = http

    async def snapshot(self, asker_id: str, user_ids: list[str]) -> PresenceSnapshot:
        """In the order asked."""
        question = PresenceQuestion(asker_id=asker_id, user_ids=user_ids)
        answer = await self._http.post("/internal/presence/snapshot", question.model_dump())
        return PresenceSnapshot.model_validate(answer, extra="ignore")

    async def set(self, user_id: str, update: dict[str, Any]) -> None:
        await self._http.put(f"/internal/presence/{user_id}", update)

    async def report(self, report: LeaseReport) -> None:
        await self._http.post("/internal/presence/leases", report.model_dump())


class Leases:
    """Tells presence of connections that come, stay and go."""

    def __init__(self, client: PresenceClient, hub: Hub, gateway: str, renewal_s: float) -> None:
        self._client = client
        self._hub = hub
        self._gateway = gateway
        self._renewal_s = renewal_s
        self._opened: dict[str, Lease] = {}
        self._closed: dict[str, Lease] = {}
        self._changed = asyncio.Event()
        self._reported: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._report_changes()), asyncio.create_task(self._renew())]

    async def stop(self) -> None:
        """The last report lets go of everything that is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._closed:
            await self._send([], list(self._closed.values()))

    async def opened(self, connection: Connection) -> None:
        """Returns when presence knows it, or after half a second."""
        self._opened[connection.id] = _lease(connection)
        if self._reported is None:
            self._reported = asyncio.get_running_loop().create_future()
        reported = self._reported
        self._changed.set()
        await asyncio.wait((reported,), timeout=REPORT_WAIT_S)

    def closed(self, connection: Connection) -> None:
        self._opened.pop(connection.id, None)
        self._closed[connection.id] = _lease(connection)
        self._changed.set()

    async def _report_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            opened, self._opened = self._opened, {}
            closed, self._closed = self._closed, {}
            reported, self._reported = self._reported, None
            if not await self._send(list(opened.values()), list(closed.values())):
                self._closed = {**closed, **self._closed}
                await asyncio.sleep(0.5)
            if reported is not None and not reported.done():
                reported.set_result(None)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renewal_s)
            await self._send([_lease(connection) for connection in self._hub.connections.values()], [])
            if self._closed:
                self._changed.set()

    async def _send(self, held: list[Lease], released: list[Lease]) -> bool:
        """In reports of a bounded size; false when one of them did not get through."""
        for start in range(0, max(len(held), len(released)), MAX_LEASES):
            part = slice(start, start + MAX_LEASES)
            report = LeaseReport(gateway=self._gateway, held=held[part], released=released[part])
            try:
                await self._client.report(report)
            except UnavailableError:
                log.warning("leases.not_reported", held=len(held), released=len(released))
                return False
        return True


def _lease(connection: Connection) -> Lease:
    return Lease(user_id=connection.user_id, connection_id=connection.id)
