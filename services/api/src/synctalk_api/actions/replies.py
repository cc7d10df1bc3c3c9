"""What a reply, its edit or its deletion does to its thread, in the same transaction: the root message, who follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from synctalk_contracts import sockets
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import ThreadSummary
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.store import members, threads
from synctalk_api.store.sending import Draft
from synctalk_api.store.threads import Cause, Changed, Place, Root

User = tuple[str, str, str]
"""conversation, thread, user"""


@dataclass(frozen=True, slots=True)
class Reply:
    draft: Draft
    seq: int
    change_seq: int
    origin: str | None
    """The socket that sent it."""


@dataclass(slots=True)
class Replied:
    """What replies have changed beside themselves, until it is published."""

    changed: Sequence[Changed] = ()
    states: Sequence[asyncpg.Record] = ()
    senders: dict[Place, str] = field(default_factory=dict)
    """Who caused the change of a root."""
    origins: dict[User, str | None] = field(default_factory=dict)

    hidden: dict[Place, list[str]] = field(default_factory=dict)
    """By thread the members for whom its root does not exist."""

    def publish(self, broadcast: Broadcast) -> None:
        publish_threads(broadcast, self.changed, self.senders, self.hidden)
        publish_states(broadcast, self.states, self.origins)


async def add_replies(conn: Connection, replies: Sequence[Reply], now: datetime) -> Replied:
    """Let the roots of these new messages say so, and those follow the threads whom they concern."""
    by_place: dict[Place, list[Reply]] = {}
    for reply in replies:
        assert reply.draft.thread_id is not None
        by_place.setdefault((reply.draft.conversation_id, reply.draft.thread_id), []).append(reply)
    if not by_place:
        return Replied()
    roots, time = await threads.roots(conn, list(by_place)), format_time(now)
    changed = [
        Changed(
            *place,
            its[-1].change_seq,
            rules.thread_after(roots[place].thread, [(reply.seq, reply.draft.sender_id) for reply in its], time),
        )
        for place, its in by_place.items()
    ]
    await threads.set_threads(conn, changed)
    causes = [(place, cause) for place, its in by_place.items() for cause in _causes(roots[place], its)]
    begun = await threads.begin(conn, causes)
    return Replied(
        changed,
        await threads.states(conn, begun),
        {place: its[-1].draft.sender_id for place, its in by_place.items()},
        _origins(replies),
        await _not_seeing(conn, roots),
    )


async def _not_seeing(conn: Connection, roots: Mapping[Place, Root]) -> dict[Place, list[str]]:
    hiding = {place: (place[0], root.seq) for place, root in roots.items() if root.hides}
    found = await members.not_seeing(conn, list(hiding.values())) if hiding else {}
    return {place: found[message] for place, message in hiding.items() if message in found}


def _origins(replies: Iterable[Reply]) -> dict[User, str | None]:
    """Return which socket knows the state of its user already: that of the only reply."""
    origins: dict[User, set[str | None]] = {}
    for reply in replies:
        draft = reply.draft
        origins.setdefault((draft.conversation_id, draft.thread_id or "", draft.sender_id), set()).add(reply.origin)
    return {user: next(iter(some)) for user, some in origins.items() if len(some) == 1}


def _causes(root: Root, replies: Sequence[Reply]) -> list[Cause]:
    """Return why users follow the thread after these replies, one cause for each."""
    causes: list[Cause] = []
    if root.thread is None:
        causes += [Cause(user_id, root.seq, again=False) for user_id in (root.sender_id, *root.mentions)]
    for reply in replies:
        causes += [Cause(user_id, reply.seq - 1) for user_id in reply.draft.mentions.user_ids]
        causes.append(Cause(reply.draft.sender_id, reply.seq - 1, read_seq=reply.seq))
    return merged(causes)


def merged(causes: Iterable[Cause]) -> list[Cause]:
    """Return one cause for each user: the earliest beginning, and up to where they have read in any case."""
    by_user: dict[str, Cause] = {}
    for cause in causes:
        known = by_user.get(cause.user_id, cause)
        by_user[cause.user_id] = Cause(
            cause.user_id,
            min(known.begin_seq, cause.begin_seq),
            max(known.read_seq, cause.read_seq),
            known.again or cause.again,
        )
    return list(by_user.values())


async def mention_in_threads(
    conn: Connection, broadcast: Broadcast, mentioned: Mapping[Place, Sequence[tuple[int, str]]]
) -> None:
    """Let those follow a thread whom edits of replies mention: (seq of the reply, user)."""
    causes = [
        (place, cause)
        for place, users in mentioned.items()
        for cause in merged(Cause(user_id, seq - 1) for seq, user_id in users)
    ]
    if causes:
        publish_states(broadcast, await threads.states(conn, await threads.begin(conn, causes)), {})


async def remove_replies(
    conn: Connection, broadcast: Broadcast, fewer: dict[Place, tuple[int, int]], senders: dict[Place, str]
) -> None:
    """Let roots say again what is in their threads after deletions: by thread the change, and how many there were."""
    if fewer:
        changed = await threads.recount(conn, fewer, rules.PARTICIPANTS_LISTED_MAX)
        publish_threads(broadcast, changed, senders, await _not_seeing(conn, await threads.roots(conn, list(fewer))))


def publish_threads(
    broadcast: Broadcast,
    changed: Iterable[Changed],
    senders: Mapping[Place, str],
    hidden: Mapping[Place, Sequence[str]],
) -> None:
    """Add to the broadcast what roots say now, for everybody in their rooms for whom they exist."""
    for each in changed:
        event = sockets.ThreadChangedToClient(
            conversation_id=each.conversation_id,
            thread_id=each.thread_id,
            thread=None if each.thread is None else ThreadSummary.model_validate(each.thread),
            change_seq=each.change_seq,
        )
        place = each.conversation_id, each.thread_id
        payload = event.model_dump(mode="json")
        broadcast.to_room(
            each.conversation_id,
            type(event),
            senders[place],
            payload,
            after=each.change_seq,
            hidden_from=hidden.get(place),
        )


def publish_states(broadcast: Broadcast, states: Iterable[asyncpg.Record], origins: Mapping[User, str | None]) -> None:
    """Add to the broadcast what threads are to users now, for their own sockets but the one that caused it."""
    for row in states:
        event = sockets.ThreadUpdatedToClient(
            **{name: row[name] for name in sockets.ThreadUpdatedToClient.model_fields}
        )
        user = event.conversation_id, event.thread_id, row["user_id"]
        broadcast.to_room(
            event.conversation_id,
            type(event),
            row["user_id"],
            event.model_dump(mode="json"),
            origin=origins.get(user),
        )
