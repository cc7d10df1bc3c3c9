"""Conversations: begin one, list them, rename."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts import sockets
from synctalk_contracts.events.conversations import ConversationCreated, ConversationUpdated, MemberAtCreation
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.models import Conversation, Role
from synctalk_runtime import outbox
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rules
from synctalk_api.actions.access import lock_as_member
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import ListSnapshot, NewConversation

FIRST_CHANGE = 1
VIEWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Conversations:
    postgres: Postgres
    reads: Postgres
    users: Users
    invitations: Invitations
    relay: OutboxRelay
    fanout: Fanout
    group_members_max: int

    async def begin_direct(self, user_id: str, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
        """Return the one direct conversation of these two users, and whether it is new.

        Two users who begin it at the same time get the same one.
        """
        others = _others(user_id, member_ids)
        if len(others) != 1:
            raise InvalidError.of("member_ids", "must contain exactly one other user for a direct conversation")
        await self.invitations.take_named(user_id, 1)
        await self._require_registered(user_id, others)
        await self.invitations.take_unrelated(user_id, others)
        key = rules.direct_key(user_id, others[0])
        new = _new(rules.DIRECT, None, key, user_id, 2)
        return await self._begin(new, [user_id, *others])

    async def begin_group(self, user_id: str, title: str, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
        others = _others(user_id, member_ids)
        most = self.group_members_max
        if len(others) + 1 > most:
            raise InvalidError.of("member_ids", f"must not bring the group above {most} members")
        await self.invitations.take_named(user_id, len(others))
        await self._require_registered(user_id, others)
        await self.invitations.take_group(user_id)
        await self.invitations.take_unrelated(user_id, others)
        new = _new(rules.GROUP, title, None, user_id, len(others) + 1)
        return await self._begin(new, [user_id, *others])

    async def _require_registered(self, user_id: str, others: Sequence[str]) -> None:
        registered = await self.users.registered([user_id, *others])
        if any(member_id not in registered for member_id in others):
            raise InvalidError.of("member_ids", "contains an unknown user")
        if user_id not in registered:
            raise NotFoundError

    async def _begin(self, new: NewConversation, user_ids: list[str]) -> tuple[Conversation, bool]:
        """Create the conversation, or find the direct one that exists. The first of `user_ids` is the creator."""
        roles = {user_id: rules.first_role(new.type, is_creator=user_id == new.created_by) for user_id in user_ids}
        broadcast = Broadcast()
        async with self.postgres.transaction() as conn:
            created = await conversations.insert(conn, new)
            if created:
                inviter = new.created_by if new.type == rules.GROUP else None
                if inviter is not None:
                    await self.invitations.require_space(conn, user_ids[1:])
                await members.add(conn, new.id, roles, [FIRST_CHANGE] * len(roles), new.created_at, inviter)
                await outbox.add(conn, [_created(new, roles)])
            conversation_id = new.id if created else await _existing(conn, new)
            # An existing one is published once more: the process that created it may have died before. A gateway
            # whose user is in it already drops that.
            await publish_to(conn, broadcast, conversation_id, user_ids)
            view = await _view(conn, conversation_id, new.created_by)
        self.relay.wake()
        await self.fanout.publish_and_wait(broadcast)
        return view, created

    async def get(self, user_id: str, conversation_id: str) -> Conversation:
        async with self.reads.connection() as conn:
            return await _view(conn, conversation_id, user_id)

    async def page(
        self, user_id: str, snapshot: ListSnapshot | None, position: tuple[datetime, str] | None, limit: int
    ) -> tuple[list[Conversation], ListSnapshot, tuple[datetime, str] | None]:
        """Return a page, newest activity first, its snapshot, and where the next page begins (None: there is none)."""
        async with self.reads.snapshot() as conn:
            if snapshot is None:
                snapshot = ListSnapshot(utc_now(), await conversations.snapshot(conn))
            places = await conversations.page(conn, user_id, snapshot, position, limit + 1)
            shown = places[:limit]
            items = await conversations.views(conn, [(conversation_id, user_id) for conversation_id, _ in shown])
        if len(places) <= limit:
            return items, snapshot, None
        conversation_id, at = shown[-1]
        return items, snapshot, (at, conversation_id)

    async def rename(self, user_id: str, conversation_id: str, title: str | None) -> Conversation:
        """Give a group another title; None, or the title it has, changes nothing."""
        broadcast = Broadcast()
        async with self.postgres.transaction() as conn:
            locked = await lock_as_member(conn, conversation_id, user_id)
            if not rules.may_rename(locked.type, locked.role):
                raise ForbiddenError
            if title is None or title == locked.title:
                return await _view(conn, conversation_id, user_id)
            change_seq = locked.change_seq + 1
            await conversations.rename(conn, conversation_id, title, change_seq, utc_now())
            event = ConversationUpdated(conversation_id=conversation_id, title=title, change_seq=change_seq)
            await outbox.add(conn, [event])
            view = await _view(conn, conversation_id, user_id)
            broadcast.to_room(
                conversation_id,
                sockets.ConversationUpdatedToClient,
                user_id,
                view.model_dump(mode="json"),
                change_seq=change_seq,
                views=await _views_of_members(conn, conversation_id),
            )
        self.relay.wake()
        await self.fanout.publish_and_wait(broadcast)
        return view


async def publish_to(conn: Connection, broadcast: Broadcast, conversation_id: str, user_ids: Sequence[str]) -> None:
    """Add the conversation to the broadcast for each of these members, as that member sees it."""
    # In pieces, so that a large group does not block the loop.
    for at in range(0, len(user_ids), VIEWS_AT_ONCE):
        some = user_ids[at : at + VIEWS_AT_ONCE]
        views = await conversations.views(conn, [(conversation_id, user_id) for user_id in some])
        for user_id, view in zip(some, views, strict=True):
            broadcast.to_user(user_id, view)


def _new(kind: str, title: str | None, direct_key: str | None, user_id: str, members_count: int) -> NewConversation:
    conversation_id = new_id() if direct_key is None else rules.direct_id(direct_key)
    return NewConversation(conversation_id, kind, title, direct_key, user_id, utc_now(), members_count)


def _others(user_id: str, member_ids: Sequence[str]) -> list[str]:
    return [member_id for member_id in dict.fromkeys(member_ids) if member_id != user_id]


async def _existing(conn: Connection, new: NewConversation) -> str:
    assert new.direct_key is not None
    found = await conversations.by_direct_key(conn, new.direct_key)
    assert found is not None, "the constraint found it"
    return found


def _created(new: NewConversation, roles: dict[str, Role]) -> ConversationCreated:
    return ConversationCreated(
        conversation_id=new.id,
        type="direct" if new.type == rules.DIRECT else "group",
        title=new.title,
        created_by=new.created_by,
        created_at=new.created_at,
        members=[MemberAtCreation(user_id=user_id, role=role) for user_id, role in roles.items()],
        change_seq=FIRST_CHANGE,
    )


async def _view(conn: Connection, conversation_id: str, user_id: str) -> Conversation:
    views = await conversations.views(conn, [(conversation_id, user_id)])
    if not views:
        raise NotFoundError
    return views[0]


async def _views_of_members(conn: Connection, conversation_id: str) -> dict[str, dict[str, int | str]]:
    return {
        row["user_id"]: MemberView(
            read_seq=row["read_seq"], unread_count=row["unread_count"], role=Role(row["role"])
        ).model_dump(mode="json")
        for row in await members.views(conn, conversation_id)
    }
