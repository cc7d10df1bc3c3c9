"""Guests whom users have claimed: the user takes the guest's place in every conversation, one after the other.

Each is one transaction that notes itself in the guest's membership, so whatever dies goes on where it was, and doing it
again does nothing. A claim is looked at for a minute more: the guest may have been added somewhere meanwhile.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog
from synctalk_contracts.events.conversations import ConversationUpdated, MemberChanged
from synctalk_contracts.events.users import GuestClaimed
from synctalk_contracts.fanout import MemberReplaced
from synctalk_contracts.models import Role, User
from synctalk_runtime import outbox
from synctalk_runtime.background import Loop
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rights, rules
from synctalk_api.actions.blocks import Blocks
from synctalk_api.actions.conversations import for_hosts, publish_changed, publish_to
from synctalk_api.actions.lookups import direct_between
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import bans, claims, conversations, threads, users
from synctalk_api.store.claims import Claim, Place
from synctalk_api.store.conversations import Details
from synctalk_api.store.stores import Answers, Store, Stores

log = structlog.get_logger()

CONVERSATIONS_AT_ONCE = 100
IDLE_S = 5.0
STEP_S = 3.0
"""Shorter than the database lets a transaction be idle."""
AGAIN_S = 20.0
FAILED_S = 5.0
KEPT = timedelta(minutes=1)


class Claims:
    def __init__(self, stores: Stores, users: Users, blocks: Blocks, fanout: Fanout) -> None:
        self._stores = stores
        self._users = users
        self._blocks = blocks
        self._fanout = fanout
        self._loop = Loop("claims", self._give_next, IDLE_S)
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def request(self, claimed: GuestClaimed) -> None:
        """Note that the guest's conversations have to be given to the user. The guest is found by no search."""
        await self._users.set_deactivated(claimed.guest_id, deactivated=True)
        async with self._stores.main.postgres.transaction() as conn:
            await self._blocks.give(conn, claimed.guest_id, claimed.user_id)
            await claims.add(conn, claimed.guest_id, claimed.user_id)
        self._loop.wake()

    async def _give_next(self) -> bool:
        """Give some conversations of one guest; return whether there may be more."""
        async with self._stores.main.postgres.transaction() as conn:
            claim = await claims.take(conn)
            if claim is None:
                return False
            try:
                done = await self._give_some(claim)
            except Exception as error:  # others must not wait for it
                log.exception("claims.failed", guest_id=claim.guest_id, error=type(error).__name__)
                await claims.postpone(conn, claim.guest_id, FAILED_S)
                return True
            if not done:
                return True
            if utc_now() - claim.claimed_at < KEPT:
                await claims.postpone(conn, claim.guest_id, AGAIN_S)
            else:
                await claims.finish(conn, claim.guest_id)
        return True

    async def _give_some(self, claim: Claim) -> bool:
        """Give what there is time for; return whether nothing is left."""
        ends_at = asyncio.get_running_loop().time() + STEP_S
        found = await self._conversations(claim.guest_id)
        left = sorted({each for some in found.values for each in some})
        user = await self._users.get(claim.user_id) if left else None
        for conversation_id in left:
            assert user is not None
            await self._give(claim, user, conversation_id)
            if asyncio.get_running_loop().time() > ends_at:
                return False
        return found.complete and not left

    async def _conversations(self, guest_id: str) -> Answers[list[str]]:
        async def left(store: Store) -> list[str]:
            async with store.postgres.connection() as conn:
                return await claims.conversations(conn, guest_id, CONVERSATIONS_AT_ONCE)

        return await self._stores.everywhere(left)

    async def _give(self, claim: Claim, user: User, conversation_id: str) -> None:
        broadcast = Broadcast()
        async with self._stores.reading(conversation_id) as conn:
            peer_id = await claims.peer(conn, conversation_id, claim.guest_id)
        is_taken = peer_id is not None and await self._is_taken(claim.user_id, peer_id)
        async with self._stores.changing(conversation_id) as conn:
            if self._stores.of(conversation_id) is not self._stores.main:
                await users.add(conn, [user])
            given = await _give(conn, broadcast, claim, conversation_id, peer_id, is_taken=is_taken)
            # Before the commit, after which the conversation counts as given; again it changes nothing.
            async with self._stores.main.postgres.connection() as main:
                await claims.give_files(main, claim.guest_id, claim.user_id, given)
        await self._fanout.publish_and_wait(broadcast)
        if peer_id is not None and peer_id != claim.user_id:
            self._fanout.publish(await self._blocks.apply(claim.user_id, peer_id))

    async def _is_taken(self, user_id: str, peer_id: str) -> bool:
        """Return whether a direct conversation can't be the user's: they are its other side, or have one with that."""
        return peer_id == user_id or await direct_between(self._stores, user_id, peer_id) is not None


async def _give(
    conn: Connection, broadcast: Broadcast, claim: Claim, conversation_id: str, peer_id: str | None, *, is_taken: bool
) -> dict[str, str]:
    """Put the user in the guest's place, or end the direct conversation that they can't have.

    Returns the files that become the user's, by id the `client_message_id` of the message of each.
    """
    guest_id, user_id = claim.guest_id, claim.user_id
    locked = await claims.lock(conn, conversation_id)
    places = await claims.places(conn, conversation_id, [guest_id, user_id])
    guest = places.get(guest_id)
    if guest is None or guest.is_claimed:
        return {}
    if locked is None:  # the group has been deleted
        await claims.mark(conn, conversation_id, guest_id, user_id)
        return {}
    if is_taken:
        await _end_direct(conn, broadcast, claim, conversation_id, locked)
        return {}
    now, change_seq = utc_now(), locked["change_seq"] + 1
    given = await claims.give_messages(conn, conversation_id, guest_id, user_id, change_seq)
    await threads.give(conn, conversation_id, guest_id, user_id)
    recounted = {
        (conversation_id, thread_id): (change_seq, 0)
        for thread_id in await threads.of_sender(conn, conversation_id, user_id)
    }
    await threads.recount(conn, recounted, rules.PARTICIPANTS_LISTED_MAX)
    more_members = await _give_place(conn, claim, conversation_id, guest, places.get(user_id), change_seq)
    own = (await claims.places(conn, conversation_id, [user_id])).get(user_id)
    own = own if own is not None and own.is_present else None
    if own is None:
        await threads.unfollow_all(conn, conversation_id, user_id)
    key = None if peer_id is None else rules.direct_key(user_id, peer_id)
    await conversations.count_changes(conn, conversation_id, change_seq, now, more_members=more_members)
    await claims.reset(conn, conversation_id, change_seq, guest_id, user_id, key)
    numbers: dict[str, Any] = {"conversation_id": conversation_id, "change_seq": change_seq}
    events = [MemberChanged(user_id=guest_id, role=None, **numbers)] if guest.is_present else []
    if own is not None:
        events.append(MemberChanged(user_id=user_id, role=own.role, **numbers))
    await outbox.add(conn, events)
    replaced = MemberReplaced(
        replaced_id=guest_id,
        user_id=user_id,
        role=None if own is None else own.role,
        muted_until=None if own is None else own.muted_until,
    )
    broadcast.replaced(conversation_id, replaced, change_seq)
    if own is not None:
        await publish_to(conn, broadcast, conversation_id, [user_id])
    return given


async def _end_direct(
    conn: Connection, broadcast: Broadcast, claim: Claim, conversation_id: str, locked: asyncpg.Record
) -> None:
    """Leave the direct conversation to the guest, archived: its other side reads it."""
    now, change_seq = utc_now(), locked["change_seq"] + 1
    await claims.mark(conn, conversation_id, claim.guest_id, claim.user_id)
    await conversations.set_archived(conn, conversation_id, now, change_seq, now)
    updated = ConversationUpdated(
        conversation_id=conversation_id,
        title=None,
        change_seq=change_seq,
        conversation=for_hosts(
            conversation_id, locked["external_id"], rules.DIRECT, Details(), locked["created_at"], now
        ),
    )
    await outbox.add(conn, [updated])
    await publish_changed(conn, broadcast, conversation_id, claim.guest_id, change_seq=change_seq)


async def _give_place(
    conn: Connection, claim: Claim, conversation_id: str, guest: Place, own: Place | None, change_seq: int
) -> int:
    """Put the user in the guest's place, and return how many members more there are.

    Where the guest had left, or the user is banned, only the guest's membership ends.
    """
    now, place = utc_now(), (conversation_id, claim.guest_id, claim.user_id)
    if own is not None and own.is_present:
        role = max(own.role, guest.role, key=rights.ORDER.index) if guest.is_present else own.role
        await claims.give_to_member(conn, *place, role, change_seq)
    elif guest.is_present and not await _is_kept_out(conn, conversation_id, claim.user_id, guest.role, now):
        await claims.take_place(conn, *place, change_seq, now)
        return 0
    await claims.end(conn, *place, change_seq, now)
    return -1 if guest.is_present else 0


async def _is_kept_out(conn: Connection, conversation_id: str, user_id: str, role: Role, now: datetime) -> bool:
    """Return whether a ban keeps the user out. That of an owner, who could lift it, is lifted."""
    if not await bans.among(conn, conversation_id, [user_id], now):
        return False
    if role is Role.OWNER:
        await bans.lift(conn, conversation_id, user_id)
    return role is not Role.OWNER
