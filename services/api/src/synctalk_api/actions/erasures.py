"""Erase users whom a host app's backend has deleted: their names at once, their messages one portion after the other.

A deleted message goes as any does: with its text, its place in searches, and an event to everybody who sees it. Every
process takes part, each with another user; where one stops, the next goes on.
"""

import asyncio
from dataclasses import replace

import structlog
from synctalk_contracts.commands import DeleteMessage
from synctalk_contracts.events.users import ErasureCompleted, ErasureRequested
from synctalk_contracts.models import EraseMode
from synctalk_runtime import outbox
from synctalk_runtime.background import Loop

from synctalk_api.actions.changes import change_of_senders
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.store import erasures
from synctalk_api.store.erasures import Erasure
from synctalk_api.store.stores import Store, Stores

log = structlog.get_logger()

CONVERSATIONS_AT_ONCE = 100
MESSAGES_AT_ONCE = 100
IDLE_S = 10.0
STEP_S = 3.0
"""Shorter than the database lets a transaction be idle."""
NIL_ID = "00000000-0000-0000-0000-000000000000"


class Erasures:
    def __init__(self, stores: Stores, users: Users, fanout: Fanout) -> None:
        self._stores = stores
        self._users = users
        self._fanout = fanout
        self._loop = Loop("erasures", self._erase_next, IDLE_S)
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def request(self, asked: ErasureRequested) -> None:
        """Do what was asked for, or note it to be done."""
        await self._users.set_deactivated(asked.user_id, deactivated=True)
        if asked.mode is EraseMode.AUTHOR:
            shown = asked.user.model_dump(include={"username", "display_name", "avatar_url", "metadata"})
            await self._users.update_profile(asked.user_id, shown)
            async with self._stores.main.postgres.transaction() as conn:
                await outbox.add(conn, [ErasureCompleted(user_id=asked.user_id, mode=asked.mode)])
            self._stores.main.relay.wake()
            return
        async with self._stores.main.postgres.transaction() as conn:
            await erasures.add(conn, asked.user_id)
        self._loop.wake()

    async def _erase_next(self) -> bool:
        """Erase some messages of one user; return whether there may be more."""
        async with self._stores.main.postgres.transaction() as conn:
            found = await erasures.take(conn)
            if found is None:
                return False
            left = [store for store in self._stores.all if store.name not in found.stores]
            if left:
                await erasures.continue_from(conn, await self._erase_in(left[0], found))
                return True
            await erasures.finish(conn, found.user_id)
            await outbox.add(conn, [ErasureCompleted(user_id=found.user_id, mode=EraseMode.MESSAGES)])
        self._stores.main.relay.wake()
        log.info("erasures.done", user_id=found.user_id)
        return True

    async def _erase_in(self, store: Store, erasure: Erasure) -> Erasure:
        """Erase in some conversations, and return from where to go on."""
        ends_at = asyncio.get_running_loop().time() + STEP_S
        async with store.postgres.connection() as conn:
            found = await erasures.conversations(conn, erasure.user_id, erasure.after, CONVERSATIONS_AT_ONCE)
        for conversation_id in found:
            while await self._erase_some(store, conversation_id, erasure.user_id):
                if asyncio.get_running_loop().time() > ends_at:
                    return erasure
            erasure = replace(erasure, after=conversation_id)
            if asyncio.get_running_loop().time() > ends_at:
                return erasure
        if len(found) == CONVERSATIONS_AT_ONCE:
            return erasure
        return replace(erasure, stores=[*erasure.stores, store.name], after=NIL_ID)

    async def _erase_some(self, store: Store, conversation_id: str, user_id: str) -> bool:
        """Erase some of the user's messages in a conversation; return whether there may be more."""
        async with store.changes.transaction() as conn:
            ids = await erasures.messages(conn, conversation_id, user_id, MESSAGES_AT_ONCE)
            deletions = [
                DeleteMessage(conversation_id=conversation_id, user_id=user_id, message_id=message_id)
                for message_id in ids
            ]
            broadcast = await change_of_senders(conn, conversation_id, deletions) if deletions else None
        if broadcast is not None:
            store.relay.wake()
            self._fanout.publish(broadcast)
        return len(ids) == MESSAGES_AT_ONCE
