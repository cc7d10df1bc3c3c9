"""Who is in a group: adding, removing, leaving, roles. Each member's change takes one `change_seq` and is told so."""

from collections.abc import Sequence

from synctalk_contracts.events.conversations import MemberChanged
from synctalk_contracts.models import Member, Role
from synctalk_contracts.sockets import MemberChanged as MemberChangedToClient
from synctalk_runtime import outbox
from synctalk_runtime.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions import users
from synctalk_api.actions.access import locked_by_member, require_member
from synctalk_api.clients.fanout import Tidings
from synctalk_api.parts import Parts
from synctalk_api.rules import Candidate
from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import LockedConversation


class _Changes:
    """The member changes of one transaction, numbered in order."""

    def __init__(self, locked: LockedConversation) -> None:
        self.change_seq = locked.change_seq
        self.tidings = Tidings()
        self._conversation_id = locked.id
        self._events: list[MemberChanged] = []

    def next(self, user_id: str, role: Role | None) -> int:
        """The number of this change, which will be told."""
        self.change_seq += 1
        self._events.append(
            MemberChanged(conversation_id=self._conversation_id, user_id=user_id, role=role, change_seq=self.change_seq)
        )
        told = MemberChangedToClient(
            conversation_id=self._conversation_id, user_id=user_id, role=role, change_seq=self.change_seq
        )
        self.tidings.in_room(
            self._conversation_id,
            told.EVENT,
            user_id,
            told.model_dump(mode="json"),
            change_seq=self.change_seq,
        )
        return self.change_seq

    async def save(self, conn: Connection, *, more_members: int = 0) -> None:
        await conversations.count_changes(
            conn, self._conversation_id, self.change_seq, utc_now(), more_members=more_members
        )
        await outbox.add(conn, self._events)

    async def tell(self, parts: Parts) -> None:
        """After the commit."""
        parts.relay.wake()
        await parts.fanout.tell_now(self.tidings)


async def page(parts: Parts, asker_id: str, conversation_id: str, after: str | None, limit: int) -> list[Member]:
    """Ascending user id, one more than `limit`."""
    async with parts.postgres.connection() as conn:
        await require_member(conn, conversation_id, asker_id)
        return [row.to_model() for row in await members.page(conn, conversation_id, after, limit + 1)]


async def add(parts: Parts, asker_id: str, conversation_id: str, user_ids: Sequence[str]) -> list[Member]:
    """Those named are members now; who was one already is left as they are."""
    named = list(dict.fromkeys(user_ids))
    await _require_may_add(parts, asker_id, conversation_id)
    registered = await users.known(parts, named)
    if any(user_id not in registered for user_id in named):
        raise InvalidError.of("user_ids", "names somebody who is not registered")
    async with parts.postgres.transaction() as conn:
        locked = await locked_by_member(conn, conversation_id, asker_id)
        before = await members.by_ids(conn, conversation_id, named)
        new = [u for u in named if u not in before or before[u].left_at is not None]
        if locked.members_count + len(new) > parts.settings.group_members_max:
            raise ConflictError(f"A group has {parts.settings.group_members_max} members at most.")
        changes = _Changes(locked)
        if new:
            numbers = [changes.next(user_id, Role.MEMBER) for user_id in new]
            await members.add(conn, conversation_id, dict.fromkeys(new, Role.MEMBER), numbers, utc_now())
            await changes.save(conn, more_members=len(new))
            views = await conversations.views(conn, [(conversation_id, user_id) for user_id in new])
            for user_id, view in zip(new, views, strict=True):
                changes.tidings.to_person(user_id, view)
        after = await members.by_ids(conn, conversation_id, named)
    if new:
        await changes.tell(parts)
    return [after[user_id].to_model() for user_id in named]


async def _require_may_add(parts: Parts, asker_id: str, conversation_id: str) -> None:
    async with parts.postgres.connection() as conn:
        standing = await conversations.kind_and_role(conn, conversation_id, asker_id)
    if standing is None:
        raise NotFoundError
    if not rules.may_add_members(standing[0]):
        raise ForbiddenError


async def set_role(parts: Parts, asker_id: str, conversation_id: str, user_id: str, role: Role) -> Member:
    """Handing on `owner` makes the giver an admin: two changes."""
    async with parts.postgres.transaction() as conn:
        locked = await locked_by_member(conn, conversation_id, asker_id)
        if not rules.may_set_roles(locked.type, locked.role):
            raise ForbiddenError
        member = (await members.by_ids(conn, conversation_id, [user_id])).get(user_id)
        if member is None or member.left_at is not None:
            raise NotFoundError
        if member.role is role:
            return member.to_model()
        if user_id == asker_id:
            raise ConflictError("An owner hands the group on by making somebody else its owner.")
        changes = _Changes(locked)
        await members.set_role(conn, conversation_id, user_id, role, changes.next(user_id, role))
        if role is Role.OWNER:
            await members.set_role(conn, conversation_id, asker_id, Role.ADMIN, changes.next(asker_id, Role.ADMIN))
        await changes.save(conn)
        changed = (await members.by_ids(conn, conversation_id, [user_id]))[user_id]
    await changes.tell(parts)
    return changed.to_model()


async def remove(parts: Parts, asker_id: str, conversation_id: str, user_id: str) -> None:
    """Removing oneself is leaving. Who is gone already stays gone, and nothing changes."""
    if asker_id == user_id:
        await _leave(parts, user_id, conversation_id)
        return
    async with parts.postgres.transaction() as conn:
        locked = await locked_by_member(conn, conversation_id, asker_id)
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
    await changes.tell(parts)


async def _leave(parts: Parts, user_id: str, conversation_id: str) -> None:
    async with parts.postgres.transaction() as conn:
        locked = await conversations.lock(conn, conversation_id, user_id)
        if locked is None:
            await _require_was_member(conn, conversation_id, user_id)
            return
        if not rules.may_leave(locked.type):
            raise ForbiddenError
        changes = _Changes(locked)
        await members.mark_gone(conn, conversation_id, user_id, changes.next(user_id, None), utc_now())
        if locked.role is Role.OWNER:
            await _hand_to_heir(conn, changes, conversation_id, user_id)
        await changes.save(conn, more_members=-1)
    await changes.tell(parts)


async def _require_was_member(conn: Connection, conversation_id: str, user_id: str) -> None:
    """A repeated leaving is answered as the first was; a stranger learns nothing."""
    if user_id not in await members.by_ids(conn, conversation_id, [user_id]):
        raise NotFoundError


async def _hand_to_heir(conn: Connection, changes: _Changes, conversation_id: str, leaver_id: str) -> None:
    remaining = [
        Candidate(row["user_id"], Role(row["role"]), row["joined_at"])
        for row in await members.others(conn, conversation_id, leaver_id)
    ]
    heir = rules.heir(remaining)
    if heir is not None:
        await members.set_role(conn, conversation_id, heir, Role.OWNER, changes.next(heir, Role.OWNER))
