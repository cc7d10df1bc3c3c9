"""Conversations: begin one, list them, rename."""

from collections.abc import Sequence
from datetime import datetime

from synctalk_contracts.events.conversations import ConversationCreated, ConversationUpdated, MemberAtCreation
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.models import Conversation, Role
from synctalk_runtime import outbox
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions import users
from synctalk_api.actions.access import locked_by_member
from synctalk_api.clients.fanout import Tidings
from synctalk_api.parts import Parts
from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import NewConversation, Walk

FIRST_CHANGE = 1


async def begin_direct(parts: Parts, user_id: str, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
    """The one direct conversation of these two; True when it is new. Two who begin at once get the same."""
    others = _others(user_id, member_ids)
    if len(others) != 1:
        raise InvalidError.of("member_ids", "a direct conversation is with one other person")
    await _require_known(parts, user_id, others)
    key = rules.direct_key(user_id, others[0])
    new = _new(rules.DIRECT, None, key, user_id, 2)
    return await _begin(parts, new, [user_id, *others])


async def begin_group(parts: Parts, user_id: str, title: str, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
    others = _others(user_id, member_ids)
    most = parts.settings.group_members_max
    if len(others) + 1 > most:
        raise InvalidError.of("member_ids", f"a group has {most} members at most")
    await _require_known(parts, user_id, others)
    new = _new(rules.GROUP, title, None, user_id, len(others) + 1)
    return await _begin(parts, new, [user_id, *others])


def _new(kind: str, title: str | None, direct_key: str | None, user_id: str, members_count: int) -> NewConversation:
    return NewConversation(new_id(), kind, title, direct_key, user_id, utc_now(), members_count)


def _others(user_id: str, member_ids: Sequence[str]) -> list[str]:
    return [member_id for member_id in dict.fromkeys(member_ids) if member_id != user_id]


async def _require_known(parts: Parts, user_id: str, others: Sequence[str]) -> None:
    registered = await users.known(parts, [user_id, *others])
    if any(member_id not in registered for member_id in others):
        raise InvalidError.of("member_ids", "names somebody who is not registered")
    if user_id not in registered:
        raise NotFoundError


async def _begin(parts: Parts, new: NewConversation, user_ids: list[str]) -> tuple[Conversation, bool]:
    """The first member is the asker."""
    roles = {user_id: rules.first_role(new.type, is_creator=user_id == new.created_by) for user_id in user_ids}
    async with parts.postgres.transaction() as conn:
        if not await conversations.insert(conn, new):
            assert new.direct_key is not None
            existing = await conversations.by_direct_key(conn, new.direct_key)
            assert existing is not None, "the constraint found it"
            return (await conversations.views(conn, [(existing, new.created_by)]))[0], False
        await members.add(conn, new.id, roles, [FIRST_CHANGE] * len(roles), new.created_at)
        await outbox.add(conn, [_created(new, roles)])
        views = await conversations.views(conn, [(new.id, user_id) for user_id in user_ids])
    tidings = Tidings()
    for user_id, view in zip(user_ids, views, strict=True):
        tidings.to_person(user_id, view)
    parts.relay.wake()
    await parts.fanout.tell_now(tidings)
    return views[0], True


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


async def get(parts: Parts, user_id: str, conversation_id: str) -> Conversation:
    async with parts.postgres.connection() as conn:
        return await _view(conn, conversation_id, user_id)


async def _view(conn: Connection, conversation_id: str, user_id: str) -> Conversation:
    views = await conversations.views(conn, [(conversation_id, user_id)])
    if not views:
        raise NotFoundError
    return views[0]


async def page(
    parts: Parts, user_id: str, walk: Walk | None, position: tuple[datetime, str] | None, limit: int
) -> tuple[list[Conversation], Walk, tuple[datetime, str] | None]:
    """Newest activity first: the items, the walk, and where the next page begins (None: nowhere)."""
    async with parts.postgres.snapshot() as conn:
        if walk is None:
            walk = Walk(utc_now(), await conversations.snapshot(conn))
        places = await conversations.page(conn, user_id, walk, position, limit + 1)
        shown = places[:limit]
        items = await conversations.views(conn, [(conversation_id, user_id) for conversation_id, _ in shown])
    if len(places) <= limit:
        return items, walk, None
    conversation_id, at = shown[-1]
    return items, walk, (at, conversation_id)


async def rename(parts: Parts, user_id: str, conversation_id: str, title: str | None) -> Conversation:
    """None, or the title it has: nothing changes."""
    tidings = Tidings()
    async with parts.postgres.transaction() as conn:
        locked = await locked_by_member(conn, conversation_id, user_id)
        if not rules.may_rename(locked.type, locked.role):
            raise ForbiddenError
        if title is None or title == locked.title:
            return await _view(conn, conversation_id, user_id)
        change_seq = locked.change_seq + 1
        await conversations.rename(conn, conversation_id, title, change_seq, utc_now())
        event = ConversationUpdated(conversation_id=conversation_id, title=title, change_seq=change_seq)
        await outbox.add(conn, [event])
        view = await _view(conn, conversation_id, user_id)
        tidings.in_room(
            conversation_id,
            "conversation:updated",
            user_id,
            view.model_dump(mode="json"),
            change_seq=change_seq,
            views=await _views_of_members(conn, conversation_id),
        )
    parts.relay.wake()
    await parts.fanout.tell_now(tidings)
    return view


async def _views_of_members(conn: Connection, conversation_id: str) -> dict[str, dict[str, int | str]]:
    return {
        row["user_id"]: MemberView(
            read_seq=row["read_seq"], unread_count=row["unread_count"], role=Role(row["role"])
        ).model_dump(mode="json")
        for row in await members.views(conn, conversation_id)
    }
