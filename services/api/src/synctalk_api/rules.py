"""Decide what is allowed, due or enough: pure functions, to which the time comes as `now`.

Every user here is a member already: others get `not_found` before any rule is asked.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
import regex
from synctalk_contracts.ids import MENTION_ALL
from synctalk_contracts.links import links_of
from synctalk_contracts.models import Role
from synctalk_contracts.topology import PARTITIONS

from synctalk_api import terms

GROUP = "group"
DIRECT = "direct"

UNTIL_LIFTED = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
"""The end of what has none."""


def may_edit(user_id: str, sender_id: str) -> bool:
    return user_id == sender_id


PINS_MAX = 250


def may_forward(*, deleted: bool, system: bool, streaming: bool) -> bool:
    return not deleted and not system and not streaming


def shows_source(conversation_id: str, into: str, *, public: bool) -> bool:
    """Return whether whoever reads a forwarded message may know where it is from: from the same, or a public group."""
    return public or conversation_id == into


PARTICIPANTS_LISTED_MAX = 5


def thread_after(before: Mapping[str, Any] | None, replies: Sequence[tuple[int, str]], time: str) -> dict[str, Any]:
    """Return the `ThreadSummary` of a thread after more replies at this time: (seq, sender), ascending."""
    known = before or {"reply_count": 0, "participant_ids": []}
    participants = dict.fromkeys([*known["participant_ids"], *(sender_id for _, sender_id in replies)])
    return {
        "reply_count": known["reply_count"] + len(replies),
        "last_reply_at": time,
        "last_seq": replies[-1][0],
        "participant_ids": list(participants)[:PARTICIPANTS_LISTED_MAX],
    }


@dataclass(frozen=True, slots=True)
class Candidate:
    user_id: str
    role: Role
    joined_at: datetime


SUCCESSION = (Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.MEMBER)


def successor(remaining: Sequence[Candidate]) -> str | None:
    """Return who becomes owner when the owner leaves: the earliest admin, else moderator, else member.

    None: nobody is left.
    """
    ordered = sorted(remaining, key=lambda c: (SUCCESSION.index(c.role), c.joined_at, c.user_id))
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
    return _id_of(max(user_id[:13] for user_id in key.split(":")), key)


def copy_id(file_id: str, message: Sequence[str]) -> str:
    """Return the id of a file's copy in the message that its name says: a repeat has the same."""
    return _id_of(file_id[:13], " ".join((file_id, *message)))


def _id_of(moment: str, text: str) -> str:
    hashed = hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
    variant = "89ab"[int(hashed[3], 16) % 4]
    return f"{moment}-7{hashed[:3]}-{variant}{hashed[4:7]}-{hashed[7:19]}"


def digest(body: str, reply_to: str | None, others: Mapping[str, Any]) -> bytes:
    """Hash what a message says, to distinguish a repeat from another message with the same `client_message_id`.

    `others` are the fields that do not have their defaults, so that a message from before there were such has the same
    hash.
    """
    said = f"{reply_to or ''}\0{body}".encode()
    if others:
        said += b"\0" + orjson.dumps(others, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(said, digest_size=16).digest()


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


@dataclass(frozen=True, slots=True)
class Mentions:
    user_ids: list[str]
    all: bool = False
    """Everybody is mentioned; whether the sender may is for the rights to say."""


def mentioned(candidates: list[list[str]], members: Mapping[str, str]) -> Mentions:
    """Return the members that are meant, in the sequence of their names. `members` has ids by username.

    The name that mentions everybody is never a member's, whoever had it before.
    """
    known = {**members, MENTION_ALL: MENTION_ALL}
    meant = (next((known[name] for name in names if name in known), None) for names in candidates)
    found = dict.fromkeys(each for each in meant if each is not None)
    return Mentions([each for each in found if each != MENTION_ALL], MENTION_ALL in found)


def kept_previews(previews: Sequence[dict[str, Any]], body: str) -> list[dict[str, Any]]:
    """Return the previews of links that the text still has."""
    if not previews:
        return []
    links = links_of(body)
    return [preview for preview in previews if preview["url"] in links]


def system_body(what: Mapping[str, Any]) -> str:
    """Return what a system message says to clients that know none: without names, which change and are erased."""
    match what:
        case {"type": "member_added", "user_ids": [user_id], "by": by} if user_id == by:
            return "A member joined."
        case {"type": "member_added" | "member_removed" as kind, "user_ids": user_ids}:
            done = kind.removeprefix("member_")
            return f"A member was {done}." if len(user_ids) == 1 else f"{len(user_ids)} members were {done}."
        case {"type": "renamed", "title": title}:
            return f"The group was renamed to “{title}”."
        case {"type": kind}:
            return _SYSTEM_BODIES[kind]
    raise ValueError(what)


_SYSTEM_BODIES = {
    "created": "The group was created.",
    "member_left": "A member left.",
    "described": "The description was changed.",
    "pinned": "A message was pinned.",
    "archived": "The group was archived.",
    "unarchived": "The group is no longer archived.",
    "settings": "The settings were changed.",
}


def changes_of_details(names: Collection[str], title: str | None) -> list[dict[str, Any]]:
    """Return what a group says of a change of its details, by their names."""
    said: list[dict[str, Any]] = []
    if "title" in names:
        said.append({"type": "renamed", "title": title})
    if "description" in names:
        said.append({"type": "described"})
    if set(names) - {"title", "description"}:
        said.append({"type": "settings"})
    return said


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


def lead(limit: int) -> int:
    """Return how many messages of a page around one come before that one."""
    return (limit - 1) // 2


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


def is_count(text: str) -> bool:
    """Return whether it is a number of bytes or seconds, in digits."""
    return text.isascii() and text.isdigit() and len(text) <= 15


_FAMILIES = {"image": {"image"}, "audio": {"audio", "video"}, "video": {"audio", "video"}}
"""By what a client says of a file, what it may be: a container of sound and one of pictures look alike."""


def type_fits(claimed: str, found: str) -> bool:
    """Return whether a file may be of this type, as a client says that it is of the other one.

    Who says that something is a picture, a sound or a video has to send one; all else is what its bytes say.
    """
    families = _FAMILIES.get(claimed.split("/", maxsplit=1)[0])
    return families is None or found.split("/", maxsplit=1)[0] in families
