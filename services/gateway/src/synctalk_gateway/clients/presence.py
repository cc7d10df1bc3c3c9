"""The presence service: snapshots, a user's status, and the leases of this gateway's connections.

Leases go in batches: while one report is under way the next gathers, and a report carries the state at the time it is
sent, so that none overtakes a newer one. Presence knows of a connection before its `ready` goes out, so that the next
snapshot shows the user online. If presence does not answer in time the connection goes on without it, and the next
renewal repeats the report. Bots have no leases: they are never online by themselves.
"""

import asyncio
from typing import Any

import structlog
from synctalk_contracts.internal import Lease, LeaseReport, PresenceQuestion, PresenceSnapshot
from synctalk_runtime.background import Loop
from synctalk_runtime.errors import AppError
from synctalk_runtime.internal import InternalClient

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry

log = structlog.get_logger()

REPORT_WAIT_S = 0.5
MAX_LEASES = 1_000
"""In one report: presence takes bodies of 256 KiB."""


class PresenceClient:
    """Requests to presence. Raises UnavailableError when it does not answer."""

    def __init__(self, http: InternalClient) -> None:
        self._http = http

    async def snapshot(self, asker_id: str, user_ids: list[str]) -> PresenceSnapshot:
        """Return how each user is shown to the user who asks, in the order asked."""
        question = PresenceQuestion(asker_id=asker_id, user_ids=user_ids)
        response = await self._http.post("/internal/presence/snapshot", question.model_dump())
        return PresenceSnapshot.model_validate(response, extra="ignore")

    async def set(self, user_id: str, update: dict[str, Any]) -> None:
        await self._http.put(f"/internal/presence/{user_id}", update)

    async def report(self, report: LeaseReport) -> None:
        await self._http.post("/internal/presence/leases", report.model_dump())


class Leases:
    """Reports to presence which connections open, stay and close."""

    def __init__(self, client: PresenceClient, registry: Registry, gateway: str, renewal_s: float) -> None:
        self._client = client
        self._registry = registry
        self._gateway = gateway
        self._opened: dict[str, Connection] = {}
        self._closed: dict[str, Lease] = {}
        self._reported: asyncio.Future[None] | None = None
        self._sending = asyncio.Lock()
        self._failing = False
        self._changes = Loop("lease-changes", self._report_changes)
        self._renewals = Loop("lease-renewal", self._renew, renewal_s)

    async def start(self) -> None:
        await self._changes.start()
        await self._renewals.start()

    async def stop(self) -> None:
        """Stop; the last report closes everything that is left."""
        await self._renewals.stop()
        await self._changes.stop()
        if self._closed:
            await self._send([], list(self._closed.values()))

    async def opened(self, connection: Connection) -> None:
        """Report one that opened, or whose activity changed; return when presence knows, or after half a second."""
        if connection.is_bot:
            return
        self._opened[connection.id] = connection
        if self._reported is None:
            self._reported = asyncio.get_running_loop().create_future()
        reported = self._reported
        self._changes.wake()
        await asyncio.wait((reported,), timeout=REPORT_WAIT_S)

    def closed(self, connection: Connection) -> None:
        if connection.is_bot:
            return
        self._opened.pop(connection.id, None)
        self._closed[connection.id] = _lease(connection)
        self._changes.wake()

    async def _report_changes(self) -> None:
        opened, self._opened = self._opened, {}
        closed, self._closed = self._closed, {}
        reported, self._reported = self._reported, None
        try:
            if not await self._send(list(opened.values()), list(closed.values())):
                self._closed = {**closed, **self._closed}
                await asyncio.sleep(0.5)
        finally:
            if reported is not None and not reported.done():
                reported.set_result(None)

    async def _renew(self) -> None:
        await self._send([one for one in self._registry.connections.values() if not one.is_bot], [])
        if self._closed:
            self._changes.wake()

    async def _send(self, open_: list[Connection], closed: list[Lease]) -> bool:
        """Send reports of a bounded size; return False when one of them did not get through."""
        for start in range(0, max(len(open_), len(closed)), MAX_LEASES):
            part = slice(start, start + MAX_LEASES)
            try:
                async with self._sending:
                    leases = [_lease(connection) for connection in open_[part]]
                    report = LeaseReport(gateway=self._gateway, held=leases, released=closed[part])
                    await self._client.report(report)
            except AppError:
                self._note(failing=True)
                return False
            self._note(failing=False)
        return True

    def _note(self, *, failing: bool) -> None:
        """Log when presence stops or resumes taking reports: once, not at every try."""
        if failing and not self._failing:
            log.warning("leases.not_reported")
        elif self._failing and not failing:
            log.info("leases.reported_again")
        self._failing = failing


def _lease(connection: Connection) -> Lease:
    return Lease(user_id=connection.user_id, connection_id=connection.id, active=connection.active)
