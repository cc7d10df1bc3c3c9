"""Publish a user's new name or picture to the clients that may be showing it.

The event goes to the user's channel and to the channels of their most recently active conversations. The user is read
from the database a moment after the change, so that a burst of changes is one event with the latest state. A process
that dies in that moment publishes nothing: others see the change with their next load.
"""

import asyncio

import structlog
from synctalk_runtime.background import Loop, wait
from synctalk_runtime.errors import UnavailableError

from synctalk_api.actions.lookups import latest_states
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.settings import Settings
from synctalk_api.store import users
from synctalk_api.store.stores import Stores

log = structlog.get_logger()

STOP_TIMEOUT_S = 5.0


class ProfilePublisher:
    def __init__(self, stores: Stores, settings: Settings, fanout: Fanout) -> None:
        self._stores = stores
        self._fanout = fanout
        self._delay_s = settings.profile_delay_s
        self._conversations_max = settings.profile_conversations_max
        self._due: dict[str, float] = {}
        self._loop = Loop("profiles", self._publish_due, stop_s=STOP_TIMEOUT_S)

    async def start(self) -> None:
        await self._loop.start()

    async def stop(self) -> None:
        """Publish at once what is due later."""
        await self._loop.stop()

    def changed(self, user_id: str) -> None:
        """Publish the user a moment from now, unless that is about to happen."""
        self._due.setdefault(user_id, asyncio.get_running_loop().time() + self._delay_s)
        self._loop.wake()

    async def _publish_due(self) -> None:
        while self._due:
            user_id, due = next(iter(self._due.items()))
            await wait(self._loop.stopping, due - asyncio.get_running_loop().time())
            del self._due[user_id]
            await self._publish(user_id)

    async def _publish(self, user_id: str) -> None:
        try:
            async with self._stores.main.postgres.connection() as conn:
                user = (await users.by_ids(conn, [user_id])).get(user_id)
            states = await latest_states(self._stores, user_id, self._conversations_max)
        except UnavailableError:
            if not self._loop.stopping.is_set():
                self.changed(user_id)
            return
        except Exception as error:  # one user must not delay the others
            log.exception("profiles.failed", error=type(error).__name__)
            return
        if user is not None:
            broadcast = Broadcast()
            broadcast.profile(user, [state["id"] for state in states.items])
            self._fanout.publish(broadcast)
