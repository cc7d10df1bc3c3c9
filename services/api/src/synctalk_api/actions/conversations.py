"""Conversations: begin one, list them, change its details."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from synctalk_contracts import sockets
from synctalk_contracts.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberAtCreation,
    MemberChanged,
)
from synctalk_contracts.models import Conversation, HostConversation, Role, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rights, rules
from synctalk_api.actions.access import lock_as_member, require_open
from synctalk_api.actions.blocks import Blocks
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.lookups import direct_between
from synctalk_api.actions.system_messages import system_message
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.rights import Operation
from synctalk_api.store import (
    conversation_lists,
    conversation_names,
    conversations,
    deletion,
    members,
    own_views,
    system_messages,
    users,
)
from synctalk_api.store.conversation_lists import ListPosition
from synctalk_api.store.conversations import Details, LockedConversation, NewConversation
from synctalk_api.store.stores import Store, Stores

FIRST_CHANGE = 1
VIEWS_AT_ONCE = 100
VIEWS_MAX = 100
"""Members of a group whose changes are published as each of them sees it: of 10,000 that would take seconds in the
transaction, and megabytes on their way to each gateway."""
DESCRIBING = ("description", "posting", "slow_mode_s")
"""What moderators may change of a group."""


@dataclass(frozen=True, slots=True)
class Conversations:
    stores: Stores
    users: Users
    blocks: Blocks
    invitations: Invitations
    fanout: Fanout
    group_members_max: int
    live: LiveTexts

    async def begin_direct(self, user_id: str, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
        """Return the one direct conversation of these two users, and whether it is new.

        Two users who begin it at the same time get the same one.
        """
        others = _others(user_id, member_ids)
        if len(others) != 1:
            raise InvalidError.of("member_ids", "must contain exactly one other user for a direct conversation")
        await self.invitations.take_named(user_id, 1)
        registered = await self._require_registered(user_id, others)
        await self.invitations.take_unrelated(user_id, others)
        if self.stores.several and (found := await direct_between(self.stores, user_id, others[0])) is not None:
            # Its key keeps it the only one in its store, but that of a claimed guest may lie in another one.
            return await self.get(user_id, found), False
        key = rules.direct_key(user_id, others[0])
        view, created = await self._begin(_new(rules.DIRECT, Details(), key, user_id, 2), registered)
        if created and await self.blocks.between(user_id, others[0]):
            self.fanout.publish(await self.blocks.apply(user_id, others[0]))
        return view, created

    async def begin_group(self, user_id: str, details: Details, member_ids: Sequence[str]) -> tuple[Conversation, bool]:
        others = _others(user_id, member_ids)
        most = self.group_members_max
        if len(others) + 1 > most:
            raise InvalidError.of("member_ids", f"must not bring the group above {most} members")
        await self.invitations.take_named(user_id, len(others))
        registered = await self._require_registered(user_id, others)
        await self.invitations.take_group(user_id)
        await self.invitations.take_unrelated(user_id, others)
        await self.invitations.require_space(others)
        return await self._begin(_new(rules.GROUP, details, None, user_id, len(others) + 1), registered)

    async def _require_registered(self, user_id: str, others: Sequence[str]) -> dict[str, User]:
        """Return the users by id, `user_id` first."""
        registered = await self.users.eligible([user_id, *others])
        unknown = await self.blocks.blockers(user_id, others)
        if any(member_id not in registered or member_id in unknown for member_id in others):
            raise InvalidError.of("member_ids", "contains an unknown user")
        if user_id not in registered:
            raise NotFoundError
        return {each: registered[each] for each in [user_id, *others]}

    async def _begin(self, new: NewConversation, registered: Mapping[str, User]) -> tuple[Conversation, bool]:
        """Create the conversation, or find the direct one that exists."""
        user_ids = list(registered)
        roles = {user_id: rules.first_role(new.type, is_creator=user_id == new.created_by) for user_id in user_ids}
        broadcast = Broadcast()
        async with self.stores.changing(new.id) as conn:
            if self.stores.of(new.id) is not self.stores.main:
                await users.add(conn, list(registered.values()))
            created = await conversations.insert(conn, new)
            if created:
                inviter = new.created_by if new.type == rules.GROUP else None
                await members.add(conn, new.id, roles, [FIRST_CHANGE] * len(roles), new.created_at, inviter)
                await outbox.add(conn, [created_event(new, roles)])
                if new.details.system_messages:
                    await say(conn, broadcast, new.id, new.created_by, [{"type": "created"}], 0, FIRST_CHANGE)
            conversation_id, is_theirs = (new.id, True) if created else await _existing(conn, new)
            # An existing one is published once more: the process that created it may have died before. A gateway
            # whose user is in it already drops that.
            await publish_to(conn, broadcast, conversation_id, user_ids if is_theirs else [])
            view = await view_of(conn, conversation_id, new.created_by)
        await self.fanout.publish_and_wait(broadcast)
        return view, created

    async def get(self, user_id: str, conversation_id: str) -> Conversation:
        async with self.stores.reading(conversation_id) as conn:
            found = await view_of(conn, conversation_id, user_id)
        [view] = await self.live.in_conversations([found])
        return view

    async def page(
        self, user_id: str, position: ListPosition | None, limit: int, *, hidden: bool = False
    ) -> tuple[list[Conversation], ListPosition | None]:
        """Return a page of those that are hidden or not, newest activity first, and where the next one begins.

        None: there is none.
        """
        return await self.stores.again(partial(self._page, user_id, position, limit, hidden))

    async def _page(
        self, user_id: str, position: ListPosition | None, limit: int, hidden: bool
    ) -> tuple[list[Conversation], ListPosition | None]:
        started_at = utc_now()

        async def page(store: Store) -> list[tuple[str, datetime]]:
            async with store.reads.connection() as conn:
                return await conversation_lists.page(conn, user_id, position, limit + 1, hidden=hidden)

        found = await self.stores.everywhere(page)
        store_of = {conversation_id: store for store, some in found.by_store.items() for conversation_id, _ in some}
        places = sorted({place for some in found.values for place in some}, key=lambda p: (p[1], p[0]), reverse=True)
        shown = places[:limit]
        items = await self._views(user_id, {conversation_id: store_of[conversation_id] for conversation_id, _ in shown})
        return items, ListPosition.after(shown, position, started_at) if len(places) > limit else None

    async def _views(self, user_id: str, store_of: Mapping[str, Store]) -> list[Conversation]:
        """Return the conversations as the user sees them, in this sequence; those they are not in are left out.

        Raises MovedError when one has been moved from its store meanwhile.
        """

        async def views(store: Store) -> list[Conversation]:
            wanted = [conversation_id for conversation_id, of in store_of.items() if of is store]
            async with store.reads.connection() as conn:
                found = await conversations.views(conn, [(conversation_id, user_id) for conversation_id in wanted])
            if len(found) < len(wanted):
                await self.stores.require_here(store, set(wanted) - {view.id for view in found})
            return found

        found = await self.stores.each(dict.fromkeys(store_of.values()), views)
        by_id = {view.id: view for view in await self.live.in_conversations([v for some in found.values for v in some])}
        return [by_id[conversation_id] for conversation_id in store_of if conversation_id in by_id]

    async def change_details(self, user_id: str, conversation_id: str, fields: Mapping[str, Any]) -> Conversation:
        """Give a group other details, by name; what it has already changes nothing."""
        needed = {Operation.DESCRIBE if name in DESCRIBING else Operation.CHANGE_DETAILS for name in fields}
        broadcast = Broadcast()
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, user_id)
            if locked.type == rules.DIRECT and fields.keys() - {"title"}:
                raise InvalidError.of(min(fields.keys() - {"title"}), "cannot be set in a direct conversation")
            if not all(rights.may(each, locked.type, locked.role) for each in needed or (Operation.CHANGE_DETAILS,)):
                raise ForbiddenError
            details = replace(locked.details, **fields)
            if details == locked.details:
                return await view_of(conn, conversation_id, user_id)
            require_open(locked.archived_at)
            change_seq = locked.change_seq + 1
            now = utc_now()
            await conversations.set_details(conn, conversation_id, details, change_seq, now)
            event = ConversationUpdated(
                conversation_id=conversation_id,
                title=details.title,
                change_seq=change_seq,
                conversation=for_hosts(
                    conversation_id, locked.external_id, locked.type, details, locked.created_at, now
                ),
            )
            await outbox.add(conn, [event])
            await publish_changed(conn, broadcast, conversation_id, user_id, change_seq=change_seq)
            if details.system_messages:
                changed = {name for name in fields if getattr(details, name) != getattr(locked.details, name)}
                said = rules.changes_of_details(changed, details.title)
                await say(conn, broadcast, conversation_id, user_id, said, locked.last_seq, change_seq)
            view = await view_of(conn, conversation_id, user_id)
        await self.fanout.publish_and_wait(broadcast)
        return view

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Delete a group for everybody: one change, by which all of them are gone."""
        broadcast = Broadcast()
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, user_id)
            if not rights.may(Operation.DELETE_GROUP, locked.type, locked.role):
                raise ForbiddenError
            await delete_group(conn, broadcast, locked, user_id)
        await self.fanout.publish_and_wait(broadcast)
        if locked.external_id is not None:
            async with self.stores.main.postgres.connection() as conn:
                await conversation_names.release(conn, locked.external_id, conversation_id)

    async def set_archived(self, user_id: str, conversation_id: str, *, archived: bool) -> None:
        """Archive a group, or take it out of the archive; what is so already changes nothing."""
        broadcast = Broadcast()
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, user_id)
            if not rights.may(Operation.ARCHIVE, locked.type, locked.role):
                raise ForbiddenError
            if (locked.archived_at is not None) == archived:
                return
            now, change_seq = utc_now(), locked.change_seq + 1
            await conversations.set_archived(conn, conversation_id, now if archived else None, change_seq, now)
            event = ConversationUpdated(
                conversation_id=conversation_id,
                title=locked.details.title,
                change_seq=change_seq,
                conversation=of_locked(locked, now),
            )
            await outbox.add(conn, [event])
            await publish_changed(conn, broadcast, conversation_id, user_id, change_seq=change_seq)
            if locked.details.system_messages:
                said = [{"type": "archived" if archived else "unarchived"}]
                await say(conn, broadcast, conversation_id, user_id, said, locked.last_seq, change_seq)
        await self.fanout.publish_and_wait(broadcast)


async def delete_group(conn: Connection, broadcast: Broadcast, locked: LockedConversation, user_id: str) -> None:
    """Delete a group that is locked, in one change by which nobody is in it any more."""
    now, change_seq = utc_now(), locked.change_seq + 1
    gone = await members.end_all(conn, locked.id, change_seq, now)
    await deletion.empty(conn, locked.id, change_seq, now)
    changed = [
        MemberChanged(conversation_id=locked.id, user_id=each, role=None, change_seq=change_seq) for each in gone
    ]
    await outbox.add(conn, [*changed, ConversationDeleted(conversation=of_locked(locked, now), change_seq=change_seq)])
    event = sockets.ConversationRemovedToClient(id=locked.id)
    broadcast.to_room(locked.id, type(event), user_id, event.model_dump(mode="json"), change_seq=change_seq)


async def say(
    conn: Connection,
    broadcast: Broadcast,
    conversation_id: str,
    user_id: str,
    said: Sequence[Mapping[str, Any]],
    last_seq: int,
    change_seq: int,
) -> None:
    """Let the group say what the user did, in messages after these numbers."""
    now = utc_now()
    rows = [
        system_message(broadcast, conversation_id, user_id, what, seq=last_seq + n, change_seq=change_seq + n, now=now)
        for n, what in enumerate(said, 1)
    ]
    await system_messages.insert(conn, rows, now)


async def publish_to(conn: Connection, broadcast: Broadcast, conversation_id: str, user_ids: Sequence[str]) -> None:
    """Add the conversation to the broadcast for each of these members, as that member sees it."""
    # In pieces, so that a large group does not block the loop.
    for at in range(0, len(user_ids), VIEWS_AT_ONCE):
        some = user_ids[at : at + VIEWS_AT_ONCE]
        views = await conversations.views(conn, [(conversation_id, user_id) for user_id in some])
        for user_id, view in zip(some, views, strict=True):
            broadcast.to_user(user_id, view)


async def publish_changed(
    conn: Connection, broadcast: Broadcast, conversation_id: str, user_id: str, *, change_seq: int | None = None
) -> None:
    """Add the conversation, which this user has changed, to the broadcast as each member sees it.

    Without a number: it changed with something else that has it. In a large group most members are not connected, and
    who is only gateways know: they ask for these.
    """
    event = sockets.ConversationUpdatedToClient
    if await conversations.members_count(conn, conversation_id) > VIEWS_MAX:
        broadcast.to_room(conversation_id, event, user_id, {}, change_seq=change_seq)
        return
    views = await own_views.views(conn, conversation_id)
    for view in await conversations.views(conn, [(conversation_id, each) for each in list(views)[:1]]):
        shared = view.model_dump(mode="json")
        broadcast.to_room(
            conversation_id,
            event,
            user_id,
            shared,
            change_seq=change_seq,
            after=view.change_seq if change_seq is None else None,
            views=views,
        )


def _new(kind: str, details: Details, direct_key: str | None, user_id: str, members_count: int) -> NewConversation:
    conversation_id = new_id() if direct_key is None else rules.direct_id(direct_key)
    return NewConversation(conversation_id, kind, details, direct_key, user_id, utc_now(), members_count)


def _others(user_id: str, member_ids: Sequence[str]) -> list[str]:
    return [member_id for member_id in dict.fromkeys(member_ids) if member_id != user_id]


async def _existing(conn: Connection, new: NewConversation) -> tuple[str, bool]:
    """Return the direct conversation, and whether it is still of these two; else the other one is a claimed guest."""
    if new.direct_key is None:  # as below: nothing else refuses a new id
        raise UnavailableError
    if (found := await conversations.by_direct_key(conn, new.direct_key)) is not None:
        return found, True
    found = await conversations.with_other_key(conn, new.id)
    if found is None:  # the partition has just been moved to another store
        raise UnavailableError
    return found, False


def created_event(new: NewConversation, roles: dict[str, Role]) -> ConversationCreated:
    return ConversationCreated(
        conversation_id=new.id,
        type="direct" if new.type == rules.DIRECT else "group",
        title=new.details.title,
        created_by=new.created_by,
        created_at=new.created_at,
        members=[MemberAtCreation(user_id=user_id, role=role) for user_id, role in roles.items()],
        change_seq=FIRST_CHANGE,
        conversation=for_hosts(new.id, new.external_id, new.type, new.details, new.created_at, new.created_at),
    )


def of_locked(locked: LockedConversation, updated_at: datetime) -> HostConversation:
    """Return the conversation for hosts, with its details as they were."""
    return for_hosts(locked.id, locked.external_id, locked.type, locked.details, locked.created_at, updated_at)


def for_hosts(
    conversation_id: str,
    external_id: str | None,
    kind: str,
    details: Details,
    created_at: datetime,
    updated_at: datetime,
) -> HostConversation:
    return HostConversation(
        id=conversation_id,
        external_id=external_id,
        type="direct" if kind == rules.DIRECT else "group",
        title=details.title,
        metadata=details.metadata,
        created_at=created_at,
        updated_at=updated_at,
    )


async def view_of(conn: Connection, conversation_id: str, user_id: str) -> Conversation:
    """Return the conversation as the member sees it. Raises NotFoundError when the user is no member."""
    views = await conversations.views(conn, [(conversation_id, user_id)])
    if not views:
        raise NotFoundError
    return views[0]
