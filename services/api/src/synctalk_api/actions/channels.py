"""Public groups: list them, and come into one without being added."""

from dataclasses import dataclass, replace

import asyncpg
from synctalk_contracts.models import Conversation, Role
from synctalk_runtime.errors import ConflictError, ForbiddenError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import terms
from synctalk_api.actions.access import require_open
from synctalk_api.actions.conversations import publish_to, view_of
from synctalk_api.actions.member_changes import MemberChanges
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.store import bans, channels, conversations, members, users
from synctalk_api.store.channels import Place
from synctalk_api.store.conversations import PUBLIC, LockedConversation
from synctalk_api.store.stores import Store, Stores


@dataclass(frozen=True, slots=True)
class Channels:
    stores: Stores
    users: Users
    fanout: Fanout
    group_members_max: int

    async def page(
        self, user_id: str, search: str | None, place: Place | None, limit: int
    ) -> tuple[list[asyncpg.Record], Place | None]:
        """Return public groups, most members first, and where the next page begins (None: there is none)."""
        query = None if search is None else terms.query(search)
        if search is not None and query is None:
            return [], None
        tsquery = None if query is None else query.tsquery.replace(terms.PLACE, "")
        start = place or Place(utc_now())

        async def page(store: Store) -> list[asyncpg.Record]:
            async with store.reads.connection() as conn:
                return list(await channels.page(conn, user_id, start, tsquery, limit + 1))

        answers = await self.stores.everywhere(page)
        found = {row["id"]: row for rows in answers.values for row in rows}
        listed = sorted(found.values(), key=lambda row: (row["rank"], row["id"]), reverse=True)
        shown = listed[:limit]
        if len(listed) <= limit:
            return shown, None
        return shown, replace(start, rank=shown[-1]["rank"], conversation_id=shown[-1]["id"])

    async def join(self, user_id: str, conversation_id: str) -> Conversation:
        """Make the user a member of a public group; a member of any group stays one."""
        registered = await self.users.registered([user_id])
        if user_id not in registered:
            raise NotFoundError
        async with self.stores.changing(conversation_id) as conn:
            locked = await conversations.lock_group(conn, conversation_id)
            if locked is None:
                return await view_of(conn, conversation_id, user_id)
            if self.stores.of(conversation_id) is not self.stores.main:
                await users.add(conn, list(registered.values()))
            changes = MemberChanges(locked)
            if user_id not in await members.present(conn, conversation_id, [user_id]):
                if locked.details.visibility != PUBLIC:
                    raise NotFoundError
                require_open(locked.archived_at)
                await admit(conn, locked, changes, user_id, self.group_members_max)
            await publish_to(conn, changes.broadcast, conversation_id, [user_id])
            view = await view_of(conn, conversation_id, user_id)
        await self.fanout.publish_and_wait(changes.broadcast)
        return view


async def admit(
    conn: Connection, locked: LockedConversation, changes: MemberChanges, user_id: str, members_max: int
) -> None:
    """Make a user who comes by themselves a member. Raises ForbiddenError for the banned, ConflictError when full."""
    now = utc_now()
    if await bans.among(conn, locked.id, [user_id], now):
        raise ForbiddenError("You are banned from this group.")
    if locked.members_count >= members_max:
        raise ConflictError(f"A group can have at most {members_max} members.")
    former = (await members.by_ids(conn, locked.id, [user_id])).get(user_id)
    change_seq = changes.next(user_id, Role.MEMBER, None if former is None else former.muted_until)
    await members.add(conn, locked.id, {user_id: Role.MEMBER}, [change_seq], now, None)
    changes.say(user_id, {"type": "member_added", "user_ids": [user_id], "by": user_id})
    await changes.save(conn, more_members=1)
