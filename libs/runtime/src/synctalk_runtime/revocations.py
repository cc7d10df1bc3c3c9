"""Sessions that ended before their tokens: the deny-list that every verifier asks.

`session.revoked` comes over the bus to this process's own queue. Besides, auth is asked for what is new: each second
while the bus is away and until the list was read once, else each ten seconds. So a revocation is known within two
seconds whatever is down, as long as auth answers. Before the first reading nothing is verified. An entry is forgotten
when no token of the session can be alive any more.
"""

import time
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Gauge
from pydantic import ValidationError
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import RevocationPage

from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.bus import Bus
from synctalk_runtime.consumer import Consumer
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

log = structlog.get_logger()

OnRevoked = Callable[[SessionRevoked], Awaitable[None]]
PATH = "/internal/revocations/changes"
POLL_S = 0.8
POLL_BESIDE_BUS_S = 10.0

READ_AT = Gauge("revocations_read_timestamp_seconds", "When the list was last read from auth, Unix time.")


class Revocations:
    """The revoked sessions whose tokens could still be alive.

    Without `follow` the list is what `add` was given. `fail_closed_s`: when neither the bus nor auth has been there for
    so long, nothing is verified any more; 0: verification goes on with what is known.
    """

    def __init__(self, on_revoked: OnRevoked | None = None, fail_closed_s: float = 0) -> None:
        self._deny_until: dict[str, float] = {}
        self._on_revoked = on_revoked
        self._fail_closed_s = fail_closed_s
        self._unreported: set[str] = set()
        self._consumer: Consumer | None = None
        self._auth: InternalClient | None = None
        self._cursor: str | None = None
        self._read_at: float | None = None
        self._current_at = float("-inf")
        self._polling = Loop("revocations", self._poll, POLL_S, backoff=Backoff(max_s=POLL_S))
        self.start = self._polling.start
        self.stop = self._polling.stop

    def is_revoked(self, session_id: str) -> bool:
        return session_id in self._deny_until

    async def ready(self) -> None:
        """Raise UnavailableError while the list cannot be relied on: never read, or out of date for too long."""
        if self._auth is None or self._consumer is None:
            return
        if self._read_at is None:
            raise UnavailableError
        if self._consumer.receiving or not self._fail_closed_s:
            return
        if time.monotonic() - self._current_at > self._fail_closed_s:
            raise UnavailableError

    async def add(self, event: SessionRevoked) -> None:
        """Denied at once; `on_revoked` is called until it has succeeded once."""
        now = time.time()
        if len(self._deny_until) % 1000 == 999:
            self._deny_until = {sid: until for sid, until in self._deny_until.items() if until > now}
        if event.session_id not in self._deny_until:
            self._unreported.add(event.session_id)
        self._deny_until[event.session_id] = event.deny_until.timestamp()
        if self._on_revoked is not None and event.session_id in self._unreported:
            await self._on_revoked(event)
        self._unreported.discard(event.session_id)

    def follow(self, bus: Bus, auth: InternalClient) -> None:
        """Take the list from auth and the bus, between `start` and `stop`. Called before the bus starts."""

        async def receive(events: list[SessionRevoked]) -> None:
            for event in events:
                await self.add(event)

        self._auth = auth
        self._consumer = bus.listen(SessionRevoked, receive, after_open=self._read)

    async def _poll(self) -> None:
        if self._is_due():
            await self._read()

    def _is_due(self) -> bool:
        assert self._consumer is not None, "follow() first"
        now = time.monotonic()
        if self._read_at is None or not self._consumer.receiving:
            return True
        self._current_at = now
        return now - self._read_at >= POLL_BESIDE_BUS_S

    async def _read(self) -> None:
        """Take what is new from auth. Raises UnavailableError when it cannot be had."""
        assert self._auth is not None, "follow() first"
        cursor, self._cursor = self._cursor, None  # after a failure all of it is read
        try:
            answer = await self._auth.get(PATH, **({"cursor": cursor} if cursor else {}))
            page = RevocationPage.model_validate(answer, extra="ignore")
        except (NotFoundError, UnavailableError, ValidationError) as error:
            log.warning("revocations.not_read", error=type(error).__name__)
            raise UnavailableError from error
        for event in page.items:
            await self.add(event)
        self._cursor = page.cursor
        self._read_at = self._current_at = time.monotonic()
        READ_AT.set_to_current_time()
