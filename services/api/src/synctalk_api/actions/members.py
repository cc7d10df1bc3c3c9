"""The members of a group: add, remove, leave, roles. Each change takes one `change_seq` and is published with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts.models import Member, Role
from synctalk_runtime.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rights, rules
from synctalk_api.actions.access import lock_as_member, require_open, require_reader, require_unmuted
from synctalk_api.actions.blocks import Blocks
from synctalk_api.actions.conversations import publish_to
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.member_changes import MemberChanges
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.rights import Operation
from synctalk_api.rules import Candidate
from synctalk_api.store import bans, conversations, members, users
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Members:
    stores: Stores
    users: Users
    blocks: Blocks
    invitations: Invitations
    fanout: Fanout
    group_members_max: int

    async def page(self, actor_id: str | None, conversation_id: str, after: str | None, limit: int) -> list[Member]:
        """Return members by ascending user id, one more than `limit`."""
        async with self.stores.reading_much(conversation_id, actor_id) as conn:
            await require_reader(conn, conversation_id, actor_id)
            return [row.to_model() for row in await members.page(conn, conversation_id, after, limit + 1)]

    async def add(self, actor_id: str, conversation_id: str, user_ids: Sequence[str]) -> list[Member]:
        """Make the named users members and return them; those who are members already stay as they are."""
        named = list(dict.fromkeys(user_ids))
        await self.invitations.take_named(actor_id, len(named))
        new = await self._require_may_add(actor_id, conversation_id, named)
        registered = await self.users.eligible(named)
        unknown = await self.blocks.blockers(actor_id, new)
        if any(user_id not in registered or user_id in unknown for user_id in named):
            raise InvalidError.of("user_ids", "contains an unknown user")
        await self.invitations.take_unrelated(actor_id, named)
        await self.invitations.require_space(new)
        async with self.stores.changing(conversation_id) as conn:
            if self.stores.of(conversation_id) is not self.stores.main:
                await users.add(conn, [registered[user_id] for user_id in named])
            locked = await lock_as_member(conn, conversation_id, actor_id)
            before = await members.by_ids(conn, conversation_id, named)
            new = [u for u in named if u not in before or before[u].left_at is not None]
            now = utc_now()
            if new:
                require_open(locked.archived_at)
                require_unmuted(locked.muted_until, now)
            if banned := await bans.among(conn, conversation_id, new, now):
                raise ForbiddenError("Some of these users are banned from this group.", details={"user_ids": banned})
            if locked.members_count + len(new) > self.group_members_max:
                raise ConflictError(f"A group can have at most {self.group_members_max} members.")
            changes = MemberChanges(locked)
            if new:
                muted = {user_id: before[user_id].muted_until for user_id in new if user_id in before}
                numbers = [changes.next(user_id, Role.MEMBER, muted.get(user_id)) for user_id in new]
                await members.add(conn, conversation_id, dict.fromkeys(new, Role.MEMBER), numbers, now, actor_id)
                changes.say(actor_id, {"type": "member_added", "user_ids": new, "by": actor_id})
                await changes.save(conn, more_members=len(new))
            # Also to those who were members already: the process that added them may have died before it published.
            await publish_to(conn, changes.broadcast, conversation_id, named)
            after = await members.by_ids(conn, conversation_id, named)
        await self._publish(changes)
        return [after[user_id].to_model() for user_id in named]

    async def _require_may_add(self, actor_id: str, conversation_id: str, named: Sequence[str]) -> list[str]:
        """Return those of the named users who are no members yet."""
        async with self.stores.changing(conversation_id) as conn:
            found = await conversations.kind_and_role(conn, conversation_id, actor_id)
            if found is None:
                raise NotFoundError
            kind, role = found
            if not rights.may(Operation.ADD_MEMBERS, kind, role):
                raise ForbiddenError
            present = await members.present(conn, conversation_id, named)
        return [user_id for user_id in named if user_id not in present]

    async def set_role(self, actor_id: str, conversation_id: str, user_id: str, role: Role) -> Member:
        """Give a member another role. Handing on `owner` makes the actor an admin: two changes."""
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            if not rights.may(Operation.SET_ROLES, locked.type, locked.role):
                raise ForbiddenError
            member = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
            if member is None or member.left_at is not None:
                raise NotFoundError
            if member.role is role:
                return member.to_model()
            if user_id == actor_id:
                raise ConflictError("To transfer the group, make another member its owner.")
            require_open(locked.archived_at)
            changes = MemberChanges(locked)
            # Nobody could lift the mute of an owner.
            change_seq = changes.next(user_id, role, None if role is Role.OWNER else member.muted_until)
            await members.set_role(conn, conversation_id, user_id, role, change_seq)
            if role is Role.OWNER:
                await members.set_muted(conn, conversation_id, user_id, None, change_seq)
                change_seq = changes.next(actor_id, Role.ADMIN, locked.muted_until)
                await members.set_role(conn, conversation_id, actor_id, Role.ADMIN, change_seq)
            await changes.save(conn)
            changed = (await members.by_ids(conn, conversation_id, [user_id]))[user_id]
        await self._publish(changes)
        return changed.to_model()

    async def remove(self, actor_id: str, conversation_id: str, user_id: str) -> None:
        """Remove a member, or leave when it is the actor. A former member stays one, and nothing changes."""
        if actor_id == user_id:
            await self._leave(user_id, conversation_id)
            return
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            member = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
            gone = member is not None and member.left_at is not None
            removed = Role.MEMBER if member is None or gone else member.role
            if not rights.may_to(Operation.REMOVE_MEMBER, locked.type, locked.role, removed):
                raise ForbiddenError
            if member is None:
                raise NotFoundError
            if gone:
                return
            changes = MemberChanges(locked)
            await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), utc_now())
            changes.say(actor_id, {"type": "member_removed", "user_ids": [user_id], "by": actor_id})
            await changes.save(conn, more_members=-1)
        await self._publish(changes)

    async def _leave(self, user_id: str, conversation_id: str) -> None:
        async with self.stores.changing(conversation_id) as conn:
            locked = await conversations.lock(conn, conversation_id, user_id)
            if locked is None:
                await _require_was_member(conn, conversation_id, user_id)
                return
            if not rights.may(Operation.LEAVE, locked.type, locked.role):
                raise ForbiddenError
            changes = MemberChanges(locked)
            await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), utc_now())
            if locked.role is Role.OWNER:
                await _hand_to_successor(conn, changes, conversation_id, user_id)
            changes.say(user_id, {"type": "member_left"})
            await changes.save(conn, more_members=-1)
        await self._publish(changes)

    async def _publish(self, changes: MemberChanges) -> None:
        await self.fanout.publish_and_wait(changes.broadcast)


async def _require_was_member(conn: Connection, conversation_id: str, user_id: str) -> None:
    """Raise NotFoundError unless the user was a member once: leaving again succeeds as it did the first time."""
    if user_id not in await members.by_ids(conn, conversation_id, [user_id]):
        raise NotFoundError


async def _hand_to_successor(conn: Connection, changes: MemberChanges, conversation_id: str, leaver_id: str) -> None:
    remaining = [
        Candidate(row["user_id"], Role(row["role"]), row["joined_at"])
        for row in await members.others(conn, conversation_id, leaver_id)
    ]
    successor = rules.successor(remaining)
    if successor is not None:
        change_seq = changes.next(successor, Role.OWNER)
        await members.set_role(conn, conversation_id, successor, Role.OWNER, change_seq)
        await members.set_muted(conn, conversation_id, successor, None, change_seq)
