"""The list of a group's members as a server key wants it: who comes, who goes, and who owns the group then."""

from collections.abc import Mapping, Sequence

from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import Role
from synctalk_runtime.errors import ConflictError, InvalidError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions.access import require_open
from synctalk_api.actions.conversations import publish_to
from synctalk_api.actions.member_changes import MemberChanges
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.rules import Candidate
from synctalk_api.store import members, server_conversations
from synctalk_api.store.conversations import LockedConversation
from synctalk_api.store.server_conversations import Present


async def change_members(
    conn: Connection,
    locked: LockedConversation,
    present: Mapping[str, Present],
    wanted: Sequence[str],
    owner_id: str | None,
    most: int,
) -> Broadcast:
    """Make these users the members of a group that is locked, and return what to publish.

    `owner_id`: None leaves the owner; where they go, the group is handed on as when an owner leaves. Bans are lifted:
    the host app decides.
    """
    coming = [each for each in dict.fromkeys(wanted) if each not in present]
    going = [each for each in present if each not in set(wanted)]
    before = next((each for each, member in present.items() if member.role is Role.OWNER), None)
    owner = owner_id or _owner(present, coming, going, before)
    if owner_id is not None and owner_id not in wanted:
        raise InvalidError.of("owner", "must be one of the members")
    changes = MemberChanges(locked)
    if not coming and not going and owner == before:
        return changes.broadcast
    require_open(locked.archived_at)
    if len(present) + len(coming) - len(going) > most:
        raise ConflictError(f"A group can have at most {most} members.")
    now = utc_now()
    if coming:
        await server_conversations.lift_bans(conn, locked.id, coming)
        known = await members.by_ids(conn, locked.id, coming)
        roles = {each: Role.OWNER if each == owner else Role.MEMBER for each in coming}
        muted = {each: member.muted_until for each, member in known.items() if each != owner}
        numbers = {each: changes.next(each, roles[each], muted.get(each)) for each in coming}
        await members.add(conn, locked.id, roles, list(numbers.values()), now, None)
        if owner in known:
            await members.set_muted(conn, locked.id, owner, None, numbers[owner])
        changes.say(SYSTEM_USER_ID, {"type": "member_added", "user_ids": coming, "by": SYSTEM_USER_ID})
    if going:
        left = [changes.next(each, None) for each in going]
        await server_conversations.end(conn, locked.id, going, left, now)
        changes.say(SYSTEM_USER_ID, {"type": "member_removed", "user_ids": going, "by": SYSTEM_USER_ID})
    if owner is not None and owner != before and owner in present:
        change_seq = changes.next(owner, Role.OWNER)
        await members.set_role(conn, locked.id, owner, Role.OWNER, change_seq)
        await members.set_muted(conn, locked.id, owner, None, change_seq)
    if before is not None and before != owner and before not in going:
        await members.set_role(conn, locked.id, before, Role.ADMIN, changes.next(before, Role.ADMIN))
    await changes.save(conn, more_members=len(coming) - len(going))
    await publish_to(conn, changes.broadcast, locked.id, coming)
    return changes.broadcast


def _owner(
    present: Mapping[str, Present], coming: Sequence[str], going: Sequence[str], before: str | None
) -> str | None:
    """Return who owns the group when nobody is named: who does, else their successor, else the first who comes."""
    if before is not None and before not in going:
        return before
    remaining = [
        Candidate(each, member.role, member.joined_at) for each, member in present.items() if each not in going
    ]
    return rules.successor(remaining) or next(iter(coming), None)
