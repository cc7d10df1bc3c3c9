"""Blocks: a blocked user cannot reach the other one directly, and gets no notice of it.

The main store has them, and the others have copies. In the direct conversation of the two they stand with the
memberships as well, since they decide there about every message; whoever changes either of them writes there what holds
then. Of a store that is away, `block_copies` does it when it is back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts.models import User
from synctalk_runtime.errors import InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions.lookups import direct_between
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import block_copies, blocks, conversations, members
from synctalk_api.store.block_copies import Pair
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Blocks:
    stores: Stores
    users: Users
    fanout: Fanout

    async def block(self, user_id: str, other_id: str) -> None:
        await self._require_other(user_id, other_id)
        async with self.stores.main.changes.transaction() as conn:
            await blocks.put(conn, user_id, other_id, utc_now())
            await self._note(conn, [(user_id, other_id)])
        await self._publish_where_possible(user_id, other_id)

    async def unblock(self, user_id: str, other_id: str) -> None:
        await self._require_other(user_id, other_id)
        async with self.stores.main.changes.transaction() as conn:
            await blocks.lift(conn, user_id, other_id)
            await self._note(conn, [(user_id, other_id)])
        await self._publish_where_possible(user_id, other_id)

    async def give(self, conn: Connection, guest_id: str, user_id: str) -> None:
        """Let the guest's blocks, and those of the guest, hold for the user who has claimed them."""
        await self._note(conn, await blocks.give(conn, guest_id, user_id))

    async def _note(self, conn: Connection, pairs: Sequence[Pair]) -> None:
        """Note for the stores beside the main one what has changed in it."""
        if self.stores.several:
            await block_copies.note(conn, [store.name for store in self.stores.all[1:]], pairs)

    async def page(self, user_id: str, after: str | None, limit: int) -> list[User]:
        """Return those whom the user has blocked, by ascending id, one more than `limit`."""
        async with self.stores.main.reads.connection() as conn:
            return await blocks.page(conn, user_id, after, limit + 1)

    async def blockers(self, user_id: str, others: Sequence[str]) -> set[str]:
        """Return those of the others who have blocked the user: to that user they are unknown."""
        if not others:
            return set()
        async with self.stores.main.postgres.connection() as conn:
            return await blocks.blockers(conn, user_id, others)

    async def apply(self, user_id: str, other_id: str) -> Broadcast:
        """Write into their direct conversation, where there is one, who has blocked whom; return what to publish.

        What holds is read under the conversation's lock, so the last to write has read the latest.
        """
        return await self._apply_at(await self._place(user_id, other_id), user_id, other_id)

    async def _place(self, user_id: str, other_id: str) -> str:
        """Return the id that says in which store their direct conversation is, if there is one."""
        if self.stores.several and (found := await direct_between(self.stores, user_id, other_id)) is not None:
            return found  # that of a claimed guest, with the id that it had
        return rules.direct_id(rules.direct_key(user_id, other_id))

    async def _apply_at(self, place: str, user_id: str, other_id: str) -> Broadcast:
        broadcast = Broadcast()
        async with self.stores.changing(place) as conn:
            conversation_id = await conversations.by_direct_key(conn, rules.direct_key(user_id, other_id))
            if conversation_id is None:
                await self.stores.require_here(self.stores.of(place), [place])
                return broadcast
            await conversations.lock_any(conn, conversation_id)
            found = await self.between(user_id, other_id)
            for each, peer in ((user_id, other_id), (other_id, user_id)):
                await members.set_blocks(
                    conn,
                    conversation_id,
                    each,
                    blocks_peer=(each, peer) in found,
                    blocked_by_peer=(peer, each) in found,
                )
            broadcast.rights_changed(conversation_id, user_id)
        return broadcast

    async def apply_late(self, user_id: str, other_id: str) -> None:
        """Do what was not possible when the one blocked the other, or lifted that."""
        await self._publish(await self.apply(user_id, other_id), other_id)

    async def between(self, user_id: str, other_id: str) -> set[tuple[str, str]]:
        """Return who of the two has blocked whom."""
        async with self.stores.main.postgres.connection() as conn:
            return await blocks.among(conn, [(user_id, other_id), (other_id, user_id)])

    async def _require_other(self, user_id: str, other_id: str) -> None:
        if user_id == other_id:
            raise InvalidError.of("user_id", "must be another user")
        if other_id not in await self.users.registered([other_id]):
            raise NotFoundError

    async def _publish_where_possible(self, user_id: str, other_id: str) -> None:
        """Apply it and publish that; a store that is away, beside the main one, has a note of it and does it later."""
        place = await self._place(user_id, other_id)
        try:
            broadcast = await self._apply_at(place, user_id, other_id)
        except UnavailableError:
            if self.stores.of(place) is self.stores.main:
                raise
            broadcast = Broadcast()
        await self._publish(broadcast, other_id)

    async def _publish(self, broadcast: Broadcast, other_id: str) -> None:
        broadcast.contacts_changed(other_id)
        await self.fanout.publish_and_wait(broadcast)
