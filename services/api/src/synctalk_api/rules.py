"""Decide what is allowed, due or enough: pure functions, to which the time comes as `now`.

Every user here is a member already: others get `not_found` before any rule is asked.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import regex
from synctalk_contracts.models import Role
from synctalk_contracts.topology import PARTITIONS

from synctalk_api import terms

GROUP = "group"
DIRECT = "direct"


def may_edit(user_id: str, sender_id: str) -> bool:
    return user_id == sender_id


def may_delete(user_id: str, role: Role, sender_id: str) -> bool:
    return user_id == sender_id or role in (Role.ADMIN, Role.OWNER)


def may_rename(kind: str, role: Role) -> bool:
    return kind == GROUP and role in (Role.ADMIN, Role.OWNER)


def may_add_members(kind: str) -> bool:
    return kind == GROUP


def may_leave(kind: str) -> bool:
    return kind == GROUP


def may_remove(kind: str, role: Role, removed: Role) -> bool:
    """Return whether a member may remove another one, whose role is `removed`."""
    if kind != GROUP:
        return False
    if removed is Role.MEMBER:
        return role in (Role.ADMIN, Role.OWNER)
    return removed is Role.ADMIN and role is Role.OWNER


def may_set_roles(kind: str, role: Role) -> bool:
    return kind == GROUP and role is Role.OWNER


@dataclass(frozen=True, slots=True)
class Candidate:
    user_id: str
    role: Role
    joined_at: datetime


def successor(remaining: Sequence[Candidate]) -> str | None:
    """Return who becomes owner when the owner leaves: the earliest admin, else member; None: nobody is left."""
    ordered = sorted(remaining, key=lambda c: (c.role is not Role.ADMIN, c.joined_at, c.user_id))
    return ordered[0].user_id if ordered else None


def first_role(kind: str, *, is_creator: bool) -> Role:
    """Return the role at creation. In a direct conversation both are members."""
    return Role.OWNER if kind == GROUP and is_creator else Role.MEMBER


def direct_key(one: str, other: str) -> str:
    """Return a key that is the same for both users; its uniqueness makes their direct conversation the only one."""
    return ":".join(sorted((one, other)))


def direct_id(key: str) -> str:
    """Return the id of the direct conversation with this key: whoever knows the two users knows it, without a look-up.

    It has the form of a UUIDv7 (RFC 9562, section 5.7): the time of the younger of the two accounts, then a hash.
    """
    moment = max(user_id[:13] for user_id in key.split(":"))
    hashed = hashlib.blake2b(key.encode(), digest_size=10).hexdigest()
    variant = "89ab"[int(hashed[3], 16) % 4]
    return f"{moment}-7{hashed[:3]}-{variant}{hashed[4:7]}-{hashed[7:19]}"


def digest(body: str, reply_to: str | None) -> bytes:
    """Hash what a message says, to distinguish a repeat from another message with the same `client_message_id`."""
    return hashlib.blake2b(f"{reply_to or ''}\0{body}".encode(), digest_size=16).digest()


_CODE = regex.compile(r"```.+?```|`[^`\n]++`", regex.DOTALL)
_ADDRESS = regex.compile(r"(?:://|\bwww\.|\bmailto:)[^\s<>\"。，、；：！？「」『』（）《》【】]*+", regex.IGNORECASE)
_MENTION = regex.compile(r"(?<![\w.@/\\+=&#%~$-])@([A-Za-z0-9_.-]{3,}+)(?![\w@/\\])")
MIN_USERNAME_CHARS, MAX_USERNAME_CHARS = 3, 32
MAX_MENTIONS = 100


def mention_candidates(body: str) -> list[list[str]]:
    """Return for each `@name` the usernames it may mean, the longest first: `@ada.` is `ada.`, or `ada` and a stop.

    A mention stands by itself: not in code, not in an address, not on a word of any script.
    """
    prose = _ADDRESS.sub(" ", _CODE.sub(" ", body))
    found: dict[str, list[str]] = {}
    for match in _MENTION.finditer(prose):
        name = match[1].lower()
        shortest = max(len(name.rstrip("._-")), MIN_USERNAME_CHARS)
        longest = min(len(name), MAX_USERNAME_CHARS)
        if shortest <= longest and name[:longest] not in found:
            found[name[:longest]] = [name[:n] for n in range(longest, shortest - 1, -1)]
        if len(found) == MAX_MENTIONS:
            break
    return list(found.values())


def mentioned(candidates: list[list[str]], members: dict[str, str]) -> list[str]:
    """Return the ids of the members that are meant, in the sequence of their names. `members` has ids by username."""
    ids = (next((members[name] for name in names if name in members), None) for names in candidates)
    return list(dict.fromkeys(user_id for user_id in ids if user_id is not None))


MAX_PHRASE_CHARS = 64
MAX_PHRASES = 32


def folded(text: str) -> str:
    """Return the text without regard to case, accents and composition; runs of white space are one."""
    return " ".join(terms.fold(text).split())


def phrases(username: str, display_name: str) -> list[str]:
    """Return what a search for this user may begin with: the username, and the display name from each of its units on.

    A unit is a word, a part of a hyphenated one, or a character of a script that is written without spaces.
    """
    name = folded(display_name)
    beginnings = [name[unit.start :] for unit in islice(terms.units(name), MAX_PHRASES)]
    return sorted({phrase[:MAX_PHRASE_CHARS] for phrase in (folded(username), name, *beginnings) if phrase})


def listed_max(kinds: int) -> int:
    """Return how many users are listed for each emoji of a message with so many kinds of them."""
    return max(1, min(100, 500 // max(1, kinds)))


def reach(found: Sequence[int], limit: int, change_seq: int) -> int:
    """Return the `change_seq` that the first `limit` rows reach; `found` is ascending and one more than `limit`."""
    return change_seq if len(found) <= limit else found[limit] - 1


def must_reset(cursor: int, change_seq: int, reset_after: int) -> bool:
    """Return whether a client must load anew: that is cheaper, or its cursor is beyond all that was ever written."""
    return cursor > change_seq or change_seq - cursor > reset_after


def share_partitions(owners: Sequence[str], processes: Sequence[str]) -> list[str]:
    """Return who owns each partition: fair shares, in which as few as possible change their owner.

    `owners` are those of today, empty when there are none. Without any process it stays as it is.
    """
    if not processes:
        return list(owners)
    owned = Counter(owners)
    least, larger = divmod(PARTITIONS, len(processes))
    most_first = sorted(processes, key=lambda process: (-owned[process], process))
    free = {process: least + (place < larger) for place, process in enumerate(most_first)}
    shared: list[str | None] = [None] * PARTITIONS
    for partition, owner in enumerate(owners):
        if free.get(owner, 0) > 0:
            free[owner] -= 1
            shared[partition] = owner
    takers = (process for process in most_first for _ in range(free[process]))
    return [owner if owner is not None else next(takers) for owner in shared]
