"""Presence subscriptions of a socket: the state now, then the changes; never that of unrelated users."""

import asyncio
from dataclasses import dataclass
from typing import Any

from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError

from synctalk_gateway import rules
from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.clients.presence import PresenceClient
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.watchers import Watchers

REFRESH_WAIT_S = 0.1
"""Changes of one moment are refreshed together."""


@dataclass(frozen=True, slots=True)
class PresenceSubscriptions:
    watchers: Watchers
    presence: PresenceClient
    tasks: Tasks
    max_subscriptions: int
    """Of one socket."""

    async def subscribe(self, connection: Connection, user_ids: list[str]) -> list[dict[str, Any]]:
        """Return the state of each user, in the order asked. The caller pauses the connection meanwhile.

        Raises:
            InvalidError: more users than one socket may subscribe to.
            UnavailableError: presence does not answer; nothing is subscribed to that was not before.
        """
        rules.must_fit_subscriptions(connection, user_ids, self.max_subscriptions)
        follow = [] if connection.follows_own else [self.watchers.follow_own(connection)]
        added = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in connection.watching]
        try:
            await all_subscribed([*follow, *(self.watchers.watch(connection, user_id) for user_id in added)])
            snapshot = await self.presence.snapshot(connection.user_id, user_ids)
        except AppError:
            self.unsubscribe(connection, added)
            raise
        for user_id in snapshot.strangers:
            self.watchers.unwatch(connection, user_id)
        connection.direct = (connection.direct - set(user_ids)) | set(snapshot.direct)
        connection.last_seen_visible = snapshot.last_seen_visible
        connection.unrelated = (connection.unrelated - set(user_ids)) | set(snapshot.strangers)
        return [item.model_dump(mode="json") for item in snapshot.items]

    def unsubscribe(self, connection: Connection, user_ids: list[str]) -> None:
        for user_id in user_ids:
            self.watchers.unwatch(connection, user_id)
        connection.unrelated.difference_update(user_ids)

    def refresh_soon(self, connection: Connection) -> None:
        """Ask again which of its users the connection may see, because conversations came or went."""
        if not connection.refresh_pending:
            connection.refresh_pending = True
            self.tasks.spawn("presence-refresh", self._refresh_later(connection))

    async def _refresh_later(self, connection: Connection) -> None:
        await asyncio.sleep(REFRESH_WAIT_S)
        connection.refresh_pending = False
        await self.refresh(connection)

    async def refresh(self, connection: Connection) -> None:
        """Subscribe anew to everything, and send the state of those users of whom more or less may be seen now."""
        asked = [*connection.watching, *connection.unrelated]
        before, direct_before = set(connection.unrelated), set(connection.direct)
        if not asked or connection.closed:
            return
        try:
            items = await self.subscribe(connection, asked[: self.max_subscriptions])
        except AppError:
            for user_id in asked:  # when in doubt, send nothing more of them
                self.watchers.unwatch(connection, user_id)
            return
        for item in items:
            if item["user_id"] in (before ^ connection.unrelated) | (connection.direct - direct_before):
                connection.send(packets.presence_changed(item))
