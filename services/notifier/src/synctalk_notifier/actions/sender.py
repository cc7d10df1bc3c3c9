"""The sending of one process: a loop that schedules, claims, sends and records, and waits when there is nothing to do.

Every push waits for FCM in a task of its own, at most `push_in_flight` at once, so that a slow device delays nobody
else; what has come back while one round ran is recorded together in the next. An outcome that could not be recorded
stays in memory until it can.
"""

import asyncio
import time

import structlog
from synctalk_runtime.background import Backoff, Loop, Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_notifier.actions.deliver import Delivery, Finished, Ready
from synctalk_notifier.actions.metrics import IN_FLIGHT
from synctalk_notifier.actions.schedule import Scheduling
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.settings import Settings

log = structlog.get_logger()

MAX_PAUSE_S = 5.0


class Sender:
    def __init__(self, scheduling: Scheduling, delivery: Delivery, settings: Settings) -> None:
        self._scheduling = scheduling
        self._delivery = delivery
        self._max_in_flight = settings.push_in_flight
        self._stop_s = settings.shutdown_timeout_s
        self._sending = Tasks()
        self._finished: list[Finished] = []
        self._loop = Loop(
            "sender",
            self._round,
            settings.push_interval_s,
            backoff=Backoff(settings.push_interval_s, MAX_PAUSE_S),
            stop_s=self._stop_s,
        )

    async def start(self) -> None:
        if not self._delivery.has_credentials:
            log.warning("push.off", why="neither SYNCTALK_FCM_CREDENTIALS_FILE nor SYNCTALK_VAPID_KEY_FILE is set")
        await self._loop.start()

    async def stop(self) -> None:
        """Claim nothing more, and give pushes that are being sent the time that requests get at a shutdown."""
        ends_at = time.monotonic() + self._stop_s
        await self._loop.stop()
        await self._sending.stop(max(0, ends_at - time.monotonic()))
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + max(0, ends_at - time.monotonic())):
                await self._record()
        except (TimeoutError, UnavailableError):
            log.warning("sender.stopped_early", unrecorded=len(self._finished))

    async def _round(self) -> bool:
        """Return whether there may be more to do at once."""
        recorded = await self._record()
        if self._loop.stopping.is_set():
            return False
        scheduled = await self._scheduling.schedule_due()
        free = self._max_in_flight - len(self._sending)
        claims = await self._delivery.claim_due(free) if free > 0 else []
        if claims:
            for ready in await self._delivery.resolve(claims):
                self._begin(ready)
        return bool(recorded or scheduled or claims)

    async def _record(self) -> int:
        finished = list(self._finished)
        if finished:
            await self._delivery.record(finished)
            del self._finished[: len(finished)]
        return len(finished)

    def _begin(self, ready: Ready) -> None:
        self._sending.spawn("push", self._send(ready)).add_done_callback(self._ended)
        IN_FLIGHT.set(len(self._sending))

    async def _send(self, ready: Ready) -> None:
        try:
            self._finished.append(await self._delivery.send(ready))
        except Exception as error:  # nobody knows whether it arrived, so it is tried again
            log.exception("push.failed", error=type(error).__name__)
            self._finished.append(Finished(ready.claim, Outcome(End.MAYBE, type(error).__name__)))

    def _ended(self, _: asyncio.Task[None]) -> None:
        IN_FLIGHT.set(len(self._sending))
        self._loop.wake()
