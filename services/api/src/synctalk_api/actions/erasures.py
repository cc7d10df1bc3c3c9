"""Erase users whom a host app's backend has deleted: their names at once, their messages one portion after the other.

A deleted message goes as any does: with its text, its place in searches, and an event to everybody who sees it. Each
store's messages go by themselves, so one that is away keeps nothing of the others waiting. Every process takes part,
each with another user; where one stops, the next goes on.
"""

import asyncio
from dataclasses import replace
from functools import partial

import structlog
from synctalk_contracts.commands import DeleteMessage
from synctalk_contracts.events.users import ErasureCompleted, ErasureRequested
from synctalk_contracts.models import EraseMode
from synctalk_runtime import outbox
from synctalk_runtime.background import Loop
from synctalk_runtime.errors import UnavailableError

from synctalk_api.actions.changes import change_of_senders
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.store import erasures
from synctalk_api.store.erasures import Part
from synctalk_api.store.stores import Store, Stores

log = structlog.get_logger()

CONVERSATIONS_AT_ONCE = 100
MESSAGES_AT_ONCE = 100
IDLE_S = 10.0
STEP_S = 3.0
"""Shorter than the database lets a transaction be idle."""
FAILED_S = 5.0


class Erasures:
    def __init__(self, stores: Stores, users: Users, fanout: Fanout) -> None:
        self._stores = stores
        self._users = users
        self._fanout = fanout
        self._loops = [Loop(f"erasures.{store.name}", partial(self._erase_next, store), IDLE_S) for store in stores.all]

    async def start(self) -> None:
        for loop in self._loops:
            await loop.start()

    async def stop(self) -> None:
        for loop in self._loops:
            await loop.stop()

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
        for loop in self._loops:
            loop.wake()

    async def _erase_next(self, store: Store) -> bool:
        """Erase some messages of one user in the store; return whether more can be erased now."""
        async with self._stores.main.postgres.transaction() as conn:
            part = await erasures.take(conn, store.name)
            if part is None:
                return await erasures.begin(conn, store.name)
            try:
                after = await self._erase_in(store, part)
            except Exception as error:  # others must not wait for it
                bug = None if isinstance(error, UnavailableError) else error
                log.warning("erasures.postponed", user_id=part.user_id, store=store.name, exc_info=bug)
                await erasures.postpone(conn, store.name, part.user_id, FAILED_S)
                return False
            if after is not None:
                await erasures.continue_from(conn, store.name, replace(part, after=after))
                return True
            done = await erasures.end_part(conn, store.name, part.user_id, [each.name for each in self._stores.all])
            if done:
                await outbox.add(conn, [ErasureCompleted(user_id=part.user_id, mode=EraseMode.MESSAGES)])
        if done:
            self._stores.main.relay.wake()
            log.info("erasures.done", user_id=part.user_id)
        return True

    async def _erase_in(self, store: Store, part: Part) -> str | None:
        """Erase in some conversations, and return up to which one they are done; None: all of the store's are."""
        ends_at, after = asyncio.get_running_loop().time() + STEP_S, part.after
        async with store.postgres.connection() as conn:
            found = await erasures.conversations(conn, part.user_id, after, CONVERSATIONS_AT_ONCE)
        for conversation_id in found:
            while await self._erase_some(store, conversation_id, part.user_id):
                if asyncio.get_running_loop().time() > ends_at:
                    return after
            after = conversation_id
            if asyncio.get_running_loop().time() > ends_at:
                return after
        return after if len(found) == CONVERSATIONS_AT_ONCE else None

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
