"""What is allowed, due or enough: pure functions, no waiting, the time comes in as `now`.

Everybody here is a member already: who is none gets `not_found` before any rule is asked.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import Role

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
    """Remove somebody else."""
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


def heir(remaining: Sequence[Candidate]) -> str | None:
    """Who becomes owner when the owner leaves: the longest-standing admin, else member; None: nobody is left."""
    ordered = sorted(remaining, key=lambda c: (c.role is not Role.ADMIN, c.joined_at, c.user_id))
    return ordered[0].user_id if ordered else None


def first_role(kind: str, *, is_creator: bool) -> Role:
    """In a direct conversation nobody is above the other."""
    return Role.OWNER if kind == GROUP and is_creator else Role.MEMBER


def direct_key(one: str, other: str) -> str:
    """The same for both: what makes a direct conversation the only one of its two people."""
    return ":".join(sorted((one, other)))


def digest(body: str, reply_to: str | None) -> bytes:
    """Of what a message says when it is sent: tells a repeat from another message under the same name."""
    return hashlib.blake2b(f"{reply_to or ''}\0{body}".encode(), digest_size=16).digest()


_MENTION = re.compile(r"(?<![A-Za-z0-9_.@-])@([A-Za-z0-9_.-]{3,64})")
MAX_MENTIONS = 100


def mention_candidates(body: str) -> list[list[str]]:
    """For each `@name` the usernames it may mean, the longest first: `@ada.` is `ada.`, or `ada` and a stop."""
    found: dict[str, list[str]] = {}
    for match in _MENTION.finditer(body):
        name = match.group(1).lower()
        names = [name]
        while name[-1] in "._-" and len(name) > 3:
            name = name[:-1]
            names.append(name)
        found.setdefault(names[0], [n for n in names if len(n) <= 32])
        if len(found) == MAX_MENTIONS:
            break
    return list(found.values())


def mentioned(candidates: list[list[str]], members: dict[str, str]) -> list[str]:
    """The ids of those meant, in the order named. `members` has the ids by username."""
    ids = (next((members[name] for name in names if name in members), None) for names in candidates)
    return list(dict.fromkeys(user_id for user_id in ids if user_id is not None))


MAX_PHRASE_CHARS = 64
MAX_PHRASES = 16


def folded(text: str) -> str:
    """Without regard to case and to how characters are composed; runs of white space are one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def phrases(username: str, display_name: str) -> list[str]:
    """What a search for this person may begin with: the username, and the display name from each of its words on."""
    words = folded(display_name).split(" ")[:MAX_PHRASES]
    beginnings = [" ".join(words[n:]) for n in range(len(words))]
    return sorted({p[:MAX_PHRASE_CHARS] for p in (folded(username), *beginnings) if p})


def reach(found: Sequence[int], limit: int, change_seq: int) -> int:
    """How far an answer reaches that holds the first `limit` of `found` (ascending, one more than the limit asked)."""
    return change_seq if len(found) <= limit else found[limit] - 1


def must_reset(cursor: int, change_seq: int, reset_after: int) -> bool:
    """Loading anew is cheaper, or the cursor is of a future that never was."""
    return cursor > change_seq or change_seq - cursor > reset_after
