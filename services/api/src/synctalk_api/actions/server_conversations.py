"""Conversations by the names that host apps give them: made, changed and deleted with a server key.

A name is reserved in the main store for a conversation that is not there yet; the conversation's row, which gets the
name as well, decides who of several at once made it. So whoever dies in between leaves a name that is free again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from synctalk_contracts.events.conversations import ConversationUpdated
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import Conversation, ServerConversation, ServerMember, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions.access import require_open
from synctalk_api.actions.blocks import Blocks
from synctalk_api.actions.conversations import (
    FIRST_CHANGE,
    created_event,
    delete_group,
    for_hosts,
    of_locked,
    publish_changed,
    publish_to,
    say,
)
from synctalk_api.actions.host_users import HostUsers
from synctalk_api.actions.lookups import direct_between
from synctalk_api.actions.membership import change_members
from synctalk_api.actions.names import Names
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import conversation_names, conversations, members, server_conversations, users
from synctalk_api.store.conversation_names import RESERVED_FOR, Place
from synctalk_api.store.conversations import Details, LockedConversation, NewConversation
from synctalk_api.store.server_conversations import HostView
from synctalk_api.store.stores import Stores

TRIES = 10
DETAILS = tuple(each.name for each in fields(Details))
OWN = ("peer", "role", "read_seq", "unread_count", "me")
"""What a conversation is to a member alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A conversation as a host app wants it."""

    external_id: str
    type: str
    details: Mapping[str, Any]
    """Those that are given, by name."""
    users: Sequence[User] | None
    """The members, all of them; None: those that there are."""
    owner_id: str | None
    """None: who it is, or the first one."""


@dataclass(frozen=True, slots=True)
class ServerConversations:
    stores: Stores
    host_users: HostUsers
    names: Names
    blocks: Blocks
    fanout: Fanout
    group_members_max: int

    async def put(
        self, name: str, kind: str, details: Mapping[str, Any], member_ids: Sequence[str] | None, owner: str | None
    ) -> tuple[ServerConversation, bool]:
        """Make the conversation of this name, or change it; return it, and whether it is new."""
        wanted = await self._wanted(name, kind, details, member_ids, owner)
        for _ in range(TRIES):
            put = self._put_direct if kind == rules.DIRECT else self._put_group
            done = await put(wanted)
            if done is not None:
                conversation_id, created = done
                return await self.get(conversation_id), created
        raise UnavailableError

    async def _wanted(
        self, name: str, kind: str, details: Mapping[str, Any], member_ids: Sequence[str] | None, owner: str | None
    ) -> Wanted:
        named = await self.host_users.named([*(member_ids or []), *([owner] if owner is not None else [])])
        if any(each not in named for each in member_ids or []):
            raise InvalidError.of("member_ids", "contains an unknown user")
        if owner is not None and owner not in named:
            raise InvalidError.of("owner", "must be one of the members")
        given = None if member_ids is None else list({named[each].id: named[each] for each in member_ids}.values())
        owner_id = None if owner is None else named[owner].id
        if given is not None and owner_id is not None and owner_id not in {user.id for user in given}:
            raise InvalidError.of("owner", "must be one of the members")
        if given is not None and len(given) > self.group_members_max:
            raise InvalidError.of("member_ids", f"must not bring the group above {self.group_members_max} members")
        return Wanted(name, kind, details, given, owner_id)

    # -- groups

    async def _put_group(self, wanted: Wanted) -> tuple[str, bool] | None:
        """Return the group and whether it is new; None: another call was quicker, and it is to be looked at again."""
        broadcast = Broadcast()
        if (named := await self.names.find(wanted.external_id)) is not None:
            async with self.stores.changing(named) as conn:
                locked = await server_conversations.lock(conn, named)
                if locked is None or locked.external_id != wanted.external_id:
                    return None
                await self._change(conn, broadcast, locked, wanted)
            await self.fanout.publish_and_wait(broadcast)
            return named, False
        _require_members(wanted)
        place = await self._reserve(wanted.external_id, Place(new_id(), rules.GROUP))
        if place is None:
            return None
        async with self.stores.changing(place) as conn:
            created = await self._create(conn, broadcast, _new_group(place, wanted), wanted.users or [])
        if not created:
            await self.stores.require_here(self.stores.of(place), [place])
            return None
        await self.fanout.publish_and_wait(broadcast)
        return place, True

    async def _change(self, conn: Connection, broadcast: Broadcast, locked: LockedConversation, wanted: Wanted) -> None:
        if locked.type != rules.GROUP:
            raise ConflictError("This conversation is of another type.")
        details = replace(locked.details, **wanted.details)
        if details != locked.details:
            locked = await _change_details(conn, broadcast, locked, details)
        present = await server_conversations.present(conn, locked.id)
        given = wanted.users
        await self._copied(conn, locked.id, given or [])
        changed = await change_members(
            conn,
            locked,
            present,
            list(present) if given is None else [user.id for user in given],
            wanted.owner_id,
            self.group_members_max,
        )
        broadcast.extend(changed)

    async def _copied(self, conn: Connection, conversation_id: str, given: Sequence[User]) -> None:
        """Let the conversation's store know the users."""
        if self.stores.of(conversation_id) is not self.stores.main and given:
            await users.add(conn, list(given))

    async def _create(
        self, conn: Connection, broadcast: Broadcast, new: NewConversation, given: Sequence[User]
    ) -> bool:
        """Create the conversation; False: it is there already, or its partition has been moved."""
        await self._copied(conn, new.id, given)
        if not await conversations.insert(conn, new):
            return False
        user_ids = [user.id for user in given]
        roles = {each: rules.first_role(new.type, is_creator=each == new.created_by) for each in user_ids}
        await members.add(conn, new.id, roles, [FIRST_CHANGE] * len(roles), new.created_at, None)
        await outbox.add(conn, [created_event(new, roles)])
        if new.details.system_messages:
            await say(conn, broadcast, new.id, SYSTEM_USER_ID, [{"type": "created"}], 0, FIRST_CHANGE)
        await publish_to(conn, broadcast, new.id, user_ids)
        return True

    # -- direct conversations

    async def _put_direct(self, wanted: Wanted) -> tuple[str, bool] | None:
        """The same for a direct conversation, which may be there without a name, and then gets this one."""
        _require_direct(wanted)
        if (named := await self.names.find(wanted.external_id)) is not None:
            await self._require_same(named, wanted)
            return named, False
        _require_members(wanted)
        one, other = (user.id for user in wanted.users or [])
        key = rules.direct_key(one, other)
        place = await direct_between(self.stores, one, other) or rules.direct_id(key)
        if await self._reserve(wanted.external_id, Place(place, rules.DIRECT)) is None:
            return None
        new = NewConversation(place, rules.DIRECT, Details(), key, one, utc_now(), 2, external_id=wanted.external_id)
        broadcast = Broadcast()
        async with self.stores.changing(place) as conn:
            created = await self._create(conn, broadcast, new, wanted.users or [])
            locked = None if created else await server_conversations.lock(conn, place)
            if locked is not None and locked.external_id is None:
                await _name(conn, broadcast, locked, wanted.external_id)
        if not created and locked is None:
            await self.stores.require_here(self.stores.of(place), [place])
            return None
        if locked is not None and locked.external_id not in (None, wanted.external_id):
            async with self.stores.main.postgres.connection() as conn:
                await conversation_names.release(conn, wanted.external_id, place)
            raise ConflictError("The conversation of these two has another name.")
        await self.fanout.publish_and_wait(broadcast)
        if created and await self.blocks.between(one, other):
            self.fanout.publish(await self.blocks.apply(one, other))
        return place, created

    async def _require_same(self, conversation_id: str, wanted: Wanted) -> None:
        """Raise ConflictError unless the conversation is a direct one of these two."""
        found = await self._view(conversation_id)
        if found.users is None:
            raise ConflictError("This conversation is of another type.")
        if wanted.users is not None and {user.id for user in wanted.users} != {user.id for user in found.users}:
            raise ConflictError("This is the direct conversation of two others.")

    # -- names

    async def _reserve(self, name: str, wanted: Place) -> str | None:
        """Return the id under which to make the conversation of this name; None: look again.

        Who was about to make another one under it may have died: after a minute the name is free. Raises
        ConflictError before that.
        """
        async with self.stores.main.postgres.connection() as conn:
            if await conversation_names.reserve(conn, name, wanted):
                return wanted.conversation_id
            kept = await conversation_names.find(conn, name)
        if kept is None or (is_named := await self.names.is_named(kept.conversation_id, name)):
            return None
        is_deleted = kept.type == rules.GROUP and is_named is False
        async with self.stores.main.postgres.connection() as conn:
            if not is_deleted and kept.type == wanted.type and (kept == wanted or kept.type == rules.GROUP):
                renewed = await conversation_names.renew(conn, name, kept.conversation_id)
                return kept.conversation_id if renewed else None
            reserved_before = None if is_deleted else utc_now() - RESERVED_FOR
            if await conversation_names.give(conn, name, kept.conversation_id, wanted, reserved_before):
                return wanted.conversation_id
        if is_deleted:
            return None
        raise ConflictError("Another conversation is being made under this name.")

    # -- the rest

    async def get(self, conversation_id: str) -> ServerConversation:
        """Return a conversation as server keys see it. Raises NotFoundError."""
        found = await self._view(conversation_id)
        both = None if found.users is None else await self.host_users.shown(found.users)
        shared = {name: getattr(found.shared, name) for name in Conversation.model_fields if name not in OWN}
        return ServerConversation(
            **shared, external_id=found.external_id, members=None if both is None else list(both.values())
        )

    async def _view(self, conversation_id: str) -> HostView:
        async with self.stores.reading(conversation_id) as conn:
            found = await server_conversations.view(conn, conversation_id)
            if found is None:
                raise NotFoundError
            return found

    async def delete(self, name: str) -> None:
        """Delete the group of this name for everybody."""
        place = await self.names.get(name)
        broadcast = Broadcast()
        async with self.stores.changing(place) as conn:
            locked = await _lock_named(conn, place, name)
            if locked.type != rules.GROUP:
                raise ForbiddenError("A direct conversation can't be deleted.")
            await delete_group(conn, broadcast, locked, SYSTEM_USER_ID)
        await self.fanout.publish_and_wait(broadcast)
        async with self.stores.main.postgres.connection() as conn:
            await conversation_names.release(conn, name, place)

    async def add_member(self, name: str, user_name: str) -> ServerMember:
        """Make a user a member of the group of this name; who is one already stays as they are."""
        named = await self.host_users.named([user_name])
        if user_name not in named:
            raise NotFoundError
        user = named[user_name]
        place = await self.names.get(name)
        async with self.stores.changing(place) as conn:
            locked = await _lock_group(conn, place, name)
            present = await server_conversations.present(conn, place)
            await self._copied(conn, place, [user])
            broadcast = await change_members(conn, locked, present, [*present, user.id], None, self.group_members_max)
            await publish_to(conn, broadcast, place, [user.id] if user.id in present else [])
            member = (await members.by_ids(conn, place, [user.id]))[user.id]
        await self.fanout.publish_and_wait(broadcast)
        (shown,) = await self.host_users.shown_members([member.to_model()])
        return shown

    async def remove_member(self, name: str, user_name: str) -> None:
        """Remove a member from the group of this name; a former one stays so."""
        named = await self.host_users.named([user_name])
        place = await self.names.get(name)
        if user_name not in named:
            raise NotFoundError
        user_id = named[user_name].id
        async with self.stores.changing(place) as conn:
            locked = await _lock_group(conn, place, name)
            if user_id not in await members.by_ids(conn, place, [user_id]):
                raise NotFoundError
            present = await server_conversations.present(conn, place)
            left = [each for each in present if each != user_id]
            broadcast = await change_members(conn, locked, present, left, None, self.group_members_max)
        await self.fanout.publish_and_wait(broadcast)


async def _lock_named(conn: Connection, conversation_id: str, name: str) -> LockedConversation:
    locked = await server_conversations.lock(conn, conversation_id)
    if locked is None or locked.external_id != name:
        raise NotFoundError
    return locked


async def _lock_group(conn: Connection, conversation_id: str, name: str) -> LockedConversation:
    locked = await _lock_named(conn, conversation_id, name)
    if locked.type != rules.GROUP:
        raise ForbiddenError("A direct conversation has the same two members always.")
    return locked


def _require_members(wanted: Wanted) -> None:
    """Raise InvalidError when the members that a new conversation has to have are not given."""
    if wanted.users is None:
        raise InvalidError.of("member_ids", "Field required")
    if not wanted.users:
        raise InvalidError.of("member_ids", "must contain at least one user")


def _require_direct(wanted: Wanted) -> None:
    if wanted.users is not None and len(wanted.users) != 2:
        raise InvalidError.of("member_ids", "must contain exactly two users for a direct conversation")
    given = [*wanted.details, *(["owner"] if wanted.owner_id is not None else [])]
    if given:
        raise InvalidError.of(given[0], "must be left out for a direct conversation")


def _new_group(conversation_id: str, wanted: Wanted) -> NewConversation:
    _require_members(wanted)
    given = wanted.users or []
    return NewConversation(
        id=conversation_id,
        type=rules.GROUP,
        details=Details(**wanted.details),
        direct_key=None,
        created_by=wanted.owner_id or given[0].id,
        created_at=utc_now(),
        members_count=len(given),
        external_id=wanted.external_id,
    )


async def _change_details(
    conn: Connection, broadcast: Broadcast, locked: LockedConversation, details: Details
) -> LockedConversation:
    """Give the group other details, and return it as it is then."""
    require_open(locked.archived_at)
    now, change_seq = utc_now(), locked.change_seq + 1
    await conversations.set_details(conn, locked.id, details, change_seq, now)
    about = for_hosts(locked.id, locked.external_id, locked.type, details, locked.created_at, now)
    event = ConversationUpdated(
        conversation_id=locked.id, title=details.title, change_seq=change_seq, conversation=about
    )
    await outbox.add(conn, [event])
    await publish_changed(conn, broadcast, locked.id, SYSTEM_USER_ID, change_seq=change_seq)
    said: list[dict[str, Any]] = []
    if details.system_messages:
        changed = {name for name in DETAILS if getattr(details, name) != getattr(locked.details, name)}
        said = rules.changes_of_details(changed, details.title)
        await say(conn, broadcast, locked.id, SYSTEM_USER_ID, said, locked.last_seq, change_seq)
    return replace(locked, details=details, change_seq=change_seq + len(said), last_seq=locked.last_seq + len(said))


async def _name(conn: Connection, broadcast: Broadcast, locked: LockedConversation, name: str) -> None:
    """Give a direct conversation its name."""
    now, change_seq = utc_now(), locked.change_seq + 1
    await server_conversations.name(conn, locked.id, name, change_seq, now)
    named = replace(locked, external_id=name)
    event = ConversationUpdated(
        conversation_id=locked.id, title=None, change_seq=change_seq, conversation=of_locked(named, now)
    )
    await outbox.add(conn, [event])
    await publish_changed(conn, broadcast, locked.id, SYSTEM_USER_ID, change_seq=change_seq)
