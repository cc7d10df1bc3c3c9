"""Sessions that ended before their tokens: the deny-list that every verifier asks.

Filled at start from auth, then by `session.revoked` on this process's own queue; read anew from auth whenever the bus
was away, so that no revocation is missed. An entry is forgotten when no token of the session can be alive any more.
"""

import time
from collections.abc import Awaitable, Callable

import structlog
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.events.sessions import SessionRevoked

from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

log = structlog.get_logger()

OnRevoked = Callable[[SessionRevoked], Awaitable[None]]
PATH = "/internal/revocations"
_EVENTS = TypeAdapter(list[SessionRevoked])


class Revocations:
    """The revoked sessions whose tokens could still be alive."""

    def __init__(self, on_revoked: OnRevoked | None = None) -> None:
        self._deny_until: dict[str, float] = {}
        self._on_revoked = on_revoked
        self._untold: set[str] = set()

    def is_revoked(self, session_id: str) -> bool:
        return session_id in self._deny_until

    async def add(self, event: SessionRevoked) -> None:
        """Denied at once; `on_revoked` is called until it has succeeded once."""
        now = time.time()
        if len(self._deny_until) % 1000 == 999:
            self._deny_until = {sid: until for sid, until in self._deny_until.items() if until > now}
        if event.session_id not in self._deny_until:
            self._untold.add(event.session_id)
        self._deny_until[event.session_id] = event.deny_until.timestamp()
        if self._on_revoked is not None and event.session_id in self._untold:
            await self._on_revoked(event)
        self._untold.discard(event.session_id)

    def follow(self, bus: Bus, auth: InternalClient) -> None:
        """Hear every revocation from now on, and those of before by asking auth at each (re)connect."""

        async def heard(events: list[SessionRevoked]) -> None:
            for event in events:
                await self.add(event)

        async def catch_up() -> None:
            try:
                for event in _EVENTS.validate_python(await auth.get(PATH), extra="ignore"):
                    await self.add(event)
            except (NotFoundError, UnavailableError, ValidationError) as error:
                log.warning("revocations.not_read", error=type(error).__name__)
                raise UnavailableError from error

        bus.listen(SessionRevoked, heard, after_connect=catch_up)
