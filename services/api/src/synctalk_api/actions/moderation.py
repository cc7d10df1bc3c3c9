"""Moderation: ban from a group, and mute in it. Only those of lower roles, by the table of rights."""

from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import Role
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rights, rules
from synctalk_api.actions.access import lock_as_member, require_open
from synctalk_api.actions.member_changes import MemberChanges
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.rights import Operation
from synctalk_api.store import bans, conversations, members, users
from synctalk_api.store.bans import BanRow
from synctalk_api.store.conversations import LockedConversation
from synctalk_api.store.members import MemberRow
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Moderation:
    stores: Stores
    users: Users
    fanout: Fanout

    async def ban(self, actor_id: str, conversation_id: str, user_id: str, reason: str, until: datetime | None) -> None:
        """Keep the user out, who is removed if a member; again: another reason and end. None: until it is lifted."""
        registered = await self.users.registered([user_id])
        now = utc_now()
        until = _in_future(until, now)
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            member = await _member(conn, conversation_id, user_id)
            role = Role.MEMBER if member is None else member.role
            if not rights.may_to(Operation.BAN, locked.type, locked.role, role):
                raise ForbiddenError
            if user_id not in registered:
                raise NotFoundError
            if self.stores.of(conversation_id) is not self.stores.main:
                await users.add(conn, list(registered.values()))
            await bans.put(conn, conversation_id, user_id, actor_id, reason, until, now)
            changes = MemberChanges(locked)
            if member is not None:
                await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), now)
                changes.say(actor_id, {"type": "member_removed", "user_ids": [user_id], "by": actor_id})
                await changes.save(conn, more_members=-1)
        await self.fanout.publish_and_wait(changes.broadcast)

    async def lift_ban(self, actor_id: str, conversation_id: str, user_id: str) -> None:
        """Let the user in again, without making them a member."""
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            if not rights.may(Operation.BAN, locked.type, locked.role):
                raise ForbiddenError
            await bans.lift(conn, conversation_id, user_id)

    async def bans(self, actor_id: str, conversation_id: str, after: str | None, limit: int) -> list[BanRow]:
        """Return those who are banned now, by ascending user id, one more than `limit`."""
        async with self.stores.reading(conversation_id) as conn:
            found = await conversations.kind_and_role(conn, conversation_id, actor_id)
            if found is None:
                raise NotFoundError
            if not rights.may(Operation.BAN, *found):
                raise ForbiddenError
            return await bans.page(conn, conversation_id, utc_now(), after, limit + 1)

    async def mute(self, actor_id: str, conversation_id: str, user_id: str, until: datetime | None) -> None:
        """Let the member read and not write until then. None: until it is lifted."""
        ending = _in_future(until, utc_now()) or rules.UNTIL_LIFTED
        await self._mute(actor_id, conversation_id, user_id, ending)

    async def unmute(self, actor_id: str, conversation_id: str, user_id: str) -> None:
        await self._mute(actor_id, conversation_id, user_id, None)

    async def _mute(self, actor_id: str, conversation_id: str, user_id: str, until: datetime | None) -> None:
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            member = await _member(conn, conversation_id, user_id)
            _require_may_mute(locked, member)
            if member is None:
                raise NotFoundError
            if member.muted_until == until:
                return
            require_open(locked.archived_at)
            changes = MemberChanges(locked)
            change_seq = changes.next(user_id, member.role, until)
            await members.set_muted(conn, conversation_id, user_id, until, change_seq)
            await changes.save(conn)
        await self.fanout.publish_and_wait(changes.broadcast)


def _require_may_mute(locked: LockedConversation, member: MemberRow | None) -> None:
    role = Role.MEMBER if member is None else member.role
    if not rights.may_to(Operation.MUTE, locked.type, locked.role, role):
        raise ForbiddenError


async def _member(conn: Connection, conversation_id: str, user_id: str) -> MemberRow | None:
    """Return the user who is a member now."""
    found = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
    return None if found is None or found.left_at is not None else found


def _in_future(until: datetime | None, now: datetime) -> datetime | None:
    """Return the time as it is stored. Raises InvalidError when it has passed."""
    if until is None:
        return None
    stored = until.replace(microsecond=until.microsecond // 1000 * 1000)
    if stored <= now:
        raise InvalidError.of("until", "must be in the future")
    return stored
