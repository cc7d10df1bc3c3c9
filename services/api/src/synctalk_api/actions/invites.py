"""Invites: links by which users come into a group without being added, as often and as long as they are good for."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from synctalk_contracts.models import Conversation
from synctalk_contracts.topology import partition_of
from synctalk_runtime.errors import ConflictError, ForbiddenError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rights
from synctalk_api.actions.access import lock_as_member, require_open
from synctalk_api.actions.channels import admit
from synctalk_api.actions.conversations import publish_to, view_of
from synctalk_api.actions.member_changes import MemberChanges
from synctalk_api.actions.users import Users
from synctalk_api.clients.fanout import Fanout
from synctalk_api.rights import Operation
from synctalk_api.store import conversations, invites, members, users
from synctalk_api.store.conversations import LockedConversation
from synctalk_api.store.invites import Invite, Preview
from synctalk_api.store.stores import Stores

CODE_BYTES = 16
"""The group's partition, and 15 that nobody guesses."""


@dataclass(frozen=True, slots=True)
class Invites:
    stores: Stores
    users: Users
    fanout: Fanout
    group_members_max: int
    invites_max: int

    async def create(
        self, actor_id: str, conversation_id: str, expires_in_s: int | None, max_uses: int | None
    ) -> Invite:
        now = utc_now()
        expires_at = None if expires_in_s is None else now + timedelta(seconds=expires_in_s)
        invite = Invite(_new_code(conversation_id), conversation_id, actor_id, now, expires_at, max_uses)
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            if not rights.may(Operation.INVITE, locked.type, locked.role):
                raise ForbiddenError
            require_open(locked.archived_at)
            if await invites.count(conn, conversation_id, now) >= self.invites_max:
                raise ConflictError(f"A group can have at most {self.invites_max} invites.")
            await invites.add(conn, invite)
        return invite

    async def page(
        self, actor_id: str, conversation_id: str, after: tuple[datetime, str], limit: int
    ) -> Sequence[Invite]:
        """Return the live invites into a group, oldest first, one more than `limit`."""
        async with self.stores.reading(conversation_id) as conn:
            found = await conversations.kind_and_role(conn, conversation_id, actor_id)
            if found is None:
                raise NotFoundError
            if not rights.may(Operation.INVITE, *found):
                raise ForbiddenError
            return await invites.page(conn, conversation_id, utc_now(), after, limit + 1)

    async def delete(self, actor_id: str, conversation_id: str, code: str) -> None:
        async with self.stores.changing(conversation_id) as conn:
            locked = await lock_as_member(conn, conversation_id, actor_id)
            if not rights.may(Operation.INVITE, locked.type, locked.role):
                raise ForbiddenError
            await invites.delete(conn, conversation_id, code)

    async def preview(self, code: str) -> Preview:
        """Return what is shown of a group to everybody who has the code of a live invite."""
        async with self.stores.reading_partition(_partition_of(code)) as conn:
            found = await invites.preview(conn, code, utc_now())
            if found is None:
                raise NotFoundError
            return found

    async def accept(self, user_id: str, code: str) -> Conversation:
        """Make the user a member, which takes a use of the invite; who is one already needs none."""
        registered = await self.users.registered([user_id])
        if user_id not in registered:
            raise NotFoundError
        conversation_id = await self._conversation_of(code)
        async with self.stores.changing(conversation_id) as conn:
            locked, invite = await _lock(conn, conversation_id, code)
            if self.stores.of(conversation_id) is not self.stores.main:
                await users.add(conn, list(registered.values()))
            changes = MemberChanges(locked)
            if user_id not in await members.present(conn, conversation_id, [user_id]):
                reserved = await invites.is_reserved(conn, code, user_id)
                if locked.archived_at is not None or (invite.used_up and not reserved):
                    raise NotFoundError
                await admit(conn, locked, changes, user_id, self.group_members_max)
                await invites.spend(conn, invite, user_id, reserved=reserved)
            await publish_to(conn, changes.broadcast, conversation_id, [user_id])
            view = await view_of(conn, conversation_id, user_id)
        await self.fanout.publish_and_wait(changes.broadcast)
        return view

    async def use(self, user_id: str, code: str) -> None:
        """Take a use for a user who is about to register and accepts afterwards; again it takes no other."""
        conversation_id = await self._conversation_of(code)
        async with self.stores.changing(conversation_id) as conn:
            locked, invite = await _lock(conn, conversation_id, code)
            if await invites.is_reserved(conn, code, user_id):
                return
            if invite.used_up or locked.archived_at is not None:
                raise NotFoundError
            await invites.reserve(conn, invite, user_id)

    async def _conversation_of(self, code: str) -> str:
        async with self.stores.reading_partition(_partition_of(code)) as conn:
            invite = await invites.by_code(conn, code)
            if invite is None:
                raise NotFoundError
            return invite.conversation_id


async def _lock(conn: Connection, conversation_id: str, code: str) -> tuple[LockedConversation, Invite]:
    """Lock the group, and with it the uses of its invites. Raises NotFoundError when this one is over."""
    locked = await conversations.lock_group(conn, conversation_id)
    invite = None if locked is None else await invites.by_code(conn, code)
    if locked is None or invite is None or invite.expired(utc_now()):
        raise NotFoundError
    return locked, invite


def _new_code(conversation_id: str) -> str:
    raw = bytes([partition_of(conversation_id)]) + secrets.token_bytes(CODE_BYTES - 1)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _partition_of(code: str) -> int:
    """Return where the group of an invite lies. Raises NotFoundError for what is no code."""
    try:
        raw = base64.b64decode(code + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFoundError from None
    if len(raw) != CODE_BYTES:
        raise NotFoundError
    return raw[0]
