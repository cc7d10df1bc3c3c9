"""The members of a group: add, remove, leave, roles. Each change takes one `change_seq` and is published with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts import sockets
from synctalk_contracts.events.conversations import MemberChanged
from synctalk_contracts.models import Member, Role
from synctalk_runtime import outbox
from synctalk_runtime.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rules
from synctalk_api.actions.access import lock_as_member, require_member
from synctalk_api.actions.conversations import publish_to
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.rules import Candidate
from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import LockedConversation


class _Changes:
    """The member changes of one transaction, numbered in sequence."""

    def __init__(self, locked: LockedConversation) -> None:
        self.change_seq = locked.change_seq
        self.broadcast = Broadcast()
        self._conversation_id = locked.id
        self._events: list[MemberChanged] = []

    def next(self, user_id: str, role: Role | None) -> int:
        """Record that the user has this role now (None: is gone), and return the number of the change."""
        self.change_seq += 1
        self._events.append(
            MemberChanged(conversation_id=self._conversation_id, user_id=user_id, role=role, change_seq=self.change_seq)
        )
        event = sockets.MemberChangedToClient(
            conversation_id=self._conversation_id, user_id=user_id, role=role, change_seq=self.change_seq
        )
        self.broadcast.to_room(
            self._conversation_id,
            type(event),
            user_id,
            event.model_dump(mode="json"),
            change_seq=self.change_seq,
        )
        return self.change_seq

    async def save(self, conn: Connection, *, more_members: int = 0) -> None:
        await conversations.count_changes(
            conn, self._conversation_id, self.change_seq, utc_now(), more_members=more_members
        )
        await outbox.add(conn, self._events)


@dataclass(frozen=True, slots=True)
class Members:
    postgres: Postgres
    reads: Postgres
    users: Users
    invitations: Invitations
    relay: OutboxRelay
    fanout: Fanout
    group_members_max: int

    async def page(self, actor_id: str, conversation_id: str, after: str | None, limit: int) -> list[Member]:
        """Return members by ascending user id, one more than `limit`."""
        async with self.reads.connection() as conn:
            await require_member(conn, conversation_id, actor_id)
            return [row.to_model() for row in await members.page(conn, conversation_id, after, limit + 1)]

    async def add(self, actor_id: str, conversation_id: str, user_ids: Sequence[str]) -> list[Member]:
        """Make the named users members and return them; those who are members already stay as they are."""
        named = list(dict.fromkeys(user_ids))
        await self.invitations.take_named(actor_id, len(named))
        await self._require_may_add(actor_id, conversation_id)
        registered = await self.users.registered(named)
        if any(user_id not in registered for user_id in named):
            raise InvalidError.of("user_ids", "contains an unknown user")
        await self.invitations.take_unrelated(actor_id, named)
        async with self.postgres.transaction() as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            before = await members.by_ids(conn, conversation_id, named)
            new = [u for u in named if u not in before or before[u].left_at is not None]
            if locked.members_count + len(new) > self.group_members_max:
                raise ConflictError(f"A group can have at most {self.group_members_max} members.")
            changes = _Changes(locked)
            if new:
                await self.invitations.require_space(conn, new)
                numbers = [changes.next(user_id, Role.MEMBER) for user_id in new]
                await members.add(conn, conversation_id, dict.fromkeys(new, Role.MEMBER), numbers, utc_now(), actor_id)
                await changes.save(conn, more_members=len(new))
            # Also to those who were members already: the process that added them may have died before it published.
            await publish_to(conn, changes.broadcast, conversation_id, named)
            after = await members.by_ids(conn, conversation_id, named)
        await self._publish(changes)
        return [after[user_id].to_model() for user_id in named]

    async def _require_may_add(self, actor_id: str, conversation_id: str) -> None:
        async with self.postgres.connection() as conn:
            found = await conversations.kind_and_role(conn, conversation_id, actor_id)
        if found is None:
            raise NotFoundError
        kind, _ = found
        if not rules.may_add_members(kind):
            raise ForbiddenError

    async def set_role(self, actor_id: str, conversation_id: str, user_id: str, role: Role) -> Member:
        """Give a member another role. Handing on `owner` makes the actor an admin: two changes."""
        async with self.postgres.transaction() as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            if not rules.may_set_roles(locked.type, locked.role):
                raise ForbiddenError
            member = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
            if member is None or member.left_at is not None:
                raise NotFoundError
            if member.role is role:
                return member.to_model()
            if user_id == actor_id:
                raise ConflictError("To transfer the group, make another member its owner.")
            changes = _Changes(locked)
            await members.set_role(conn, conversation_id, user_id, role, changes.next(user_id, role))
            if role is Role.OWNER:
                await members.set_role(conn, conversation_id, actor_id, Role.ADMIN, changes.next(actor_id, Role.ADMIN))
            await changes.save(conn)
            changed = (await members.by_ids(conn, conversation_id, [user_id]))[user_id]
        await self._publish(changes)
        return changed.to_model()

    async def remove(self, actor_id: str, conversation_id: str, user_id: str) -> None:
        """Remove a member, or leave when it is the actor. A former member stays one, and nothing changes."""
        if actor_id == user_id:
            await self._leave(user_id, conversation_id)
            return
        async with self.postgres.transaction() as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            member = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
            gone = member is not None and member.left_at is not None
            removed = Role.MEMBER if member is None or gone else member.role
            if not rules.may_remove(locked.type, locked.role, removed):
                raise ForbiddenError
            if member is None:
                raise NotFoundError
            if gone:
                return
            changes = _Changes(locked)
            await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), utc_now())
            await changes.save(conn, more_members=-1)
        await self._publish(changes)

    async def _leave(self, user_id: str, conversation_id: str) -> None:
        async with self.postgres.transaction() as conn:
            locked = await conversations.lock(conn, conversation_id, user_id)
            if locked is None:
                await _require_was_member(conn, conversation_id, user_id)
                return
            if not rules.may_leave(locked.type):
                raise ForbiddenError
            changes = _Changes(locked)
            await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), utc_now())
            if locked.role is Role.OWNER:
                await _hand_to_successor(conn, changes, conversation_id, user_id)
            await changes.save(conn, more_members=-1)
        await self._publish(changes)

    async def _publish(self, changes: _Changes) -> None:
        self.relay.wake()
        await self.fanout.publish_and_wait(changes.broadcast)


async def _require_was_member(conn: Connection, conversation_id: str, user_id: str) -> None:
    """Raise NotFoundError unless the user was a member once: leaving again succeeds as it did the first time."""
    if user_id not in await members.by_ids(conn, conversation_id, [user_id]):
        raise NotFoundError


async def _hand_to_successor(conn: Connection, changes: _Changes, conversation_id: str, leaver_id: str) -> None:
    remaining = [
        Candidate(row["user_id"], Role(row["role"]), row["joined_at"])
        for row in await members.others(conn, conversation_id, leaver_id)
    ]
    successor = rules.successor(remaining)
    if successor is not None:
        await members.set_role(conn, conversation_id, successor, Role.OWNER, changes.next(successor, Role.OWNER))
