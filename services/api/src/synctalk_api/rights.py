"""The rights: who may do what in which kind of conversation. The one table decides everywhere; docs/rights.md is made
of it.

Every user here is a member already: others get `not_found` before any right is asked. What needs no right, since it is
about oneself (reading, reacting, editing one's own message), isn't in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from synctalk_contracts.models import Role

from synctalk_api.rules import DIRECT, GROUP

ORDER = (Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER)
"""Ascending."""


class Operation(StrEnum):
    ADD_MEMBERS = "add members"
    LEAVE = "leave"
    CHANGE_DETAILS = "change the title, the picture, the metadata, the visibility"
    DESCRIBE = "change the description, who may send, slow mode"
    ARCHIVE = "archive, take out of the archive"
    SEND_AS_ADMIN = "send where only admins may"
    SEND_AT_ONCE = "send without waiting in slow mode"
    SET_ROLES = "set roles, hand the group on"
    REMOVE_MEMBER = "remove a member"
    DELETE_MESSAGE = "delete a message of another member"
    MENTION_ALL = "mention everybody (`@all`)"
    PIN = "pin and unpin messages"
    SEE_REVISIONS = "see what another member's message said before"
    INVITE = "make, see and delete invites"
    DELETE_GROUP = "delete the group"
    BAN = "ban a user, lift bans, see them"
    MUTE = "mute a member"


class Reach(Enum):
    """To whom a right extends; `ALL` also where an operation is about nobody in particular."""

    NONE = "no"
    SMALL = "in a group of up to 20"
    BELOW = "of lower roles"
    ALL = "yes"


NONE, SMALL, BELOW, ALL = Reach.NONE, Reach.SMALL, Reach.BELOW, Reach.ALL

SMALL_GROUP_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class Right:
    direct: Reach
    """Of both in a direct conversation; the others are of the roles in a group."""
    member: Reach
    moderator: Reach
    admin: Reach
    owner: Reach

    def reach(self, kind: str, role: Role) -> Reach:
        if kind == DIRECT:
            return self.direct
        return (self.member, self.moderator, self.admin, self.owner)[ORDER.index(role)]


RIGHTS: Mapping[Operation, Right] = {
    Operation.ADD_MEMBERS: Right(NONE, ALL, ALL, ALL, ALL),
    Operation.LEAVE: Right(NONE, ALL, ALL, ALL, ALL),
    Operation.CHANGE_DETAILS: Right(NONE, NONE, NONE, ALL, ALL),
    Operation.DESCRIBE: Right(NONE, NONE, ALL, ALL, ALL),
    Operation.ARCHIVE: Right(NONE, NONE, NONE, ALL, ALL),
    Operation.SEND_AS_ADMIN: Right(ALL, NONE, ALL, ALL, ALL),
    Operation.SEND_AT_ONCE: Right(ALL, NONE, ALL, ALL, ALL),
    Operation.SET_ROLES: Right(NONE, NONE, NONE, NONE, ALL),
    Operation.REMOVE_MEMBER: Right(NONE, NONE, NONE, BELOW, BELOW),
    Operation.DELETE_MESSAGE: Right(NONE, NONE, BELOW, ALL, ALL),
    Operation.MENTION_ALL: Right(NONE, SMALL, ALL, ALL, ALL),
    Operation.PIN: Right(ALL, SMALL, ALL, ALL, ALL),
    Operation.SEE_REVISIONS: Right(NONE, NONE, ALL, ALL, ALL),
    Operation.INVITE: Right(NONE, NONE, NONE, ALL, ALL),
    Operation.DELETE_GROUP: Right(NONE, NONE, NONE, NONE, ALL),
    Operation.BAN: Right(NONE, NONE, BELOW, BELOW, BELOW),
    Operation.MUTE: Right(NONE, NONE, BELOW, BELOW, BELOW),
}


def may(operation: Operation, kind: str, role: Role, members_count: int | None = None) -> bool:
    """Return whether one may do it; where the size of the group decides, `members_count` has to be given."""
    reach = RIGHTS[operation].reach(kind, role)
    if reach is SMALL:
        return members_count is not None and members_count <= SMALL_GROUP_MEMBERS
    return reach is not NONE


def roles(operation: Operation) -> list[Role]:
    """Return the roles that may do it in a group, where a statement has to know them."""
    return [role for role in ORDER if may(operation, GROUP, role)]


def depends_on_other(operation: Operation, kind: str, role: Role) -> bool:
    """Return whether the other user's role decides."""
    return RIGHTS[operation].reach(kind, role) is BELOW


def may_to(operation: Operation, kind: str, role: Role, other: Role) -> bool:
    """Return whether one may do it to another user, who has that role; who is no member counts as `member`."""
    reach = RIGHTS[operation].reach(kind, role)
    return reach is ALL or (reach is BELOW and ORDER.index(other) < ORDER.index(role))
