"""Turn messages whose delay is over into pushes, for the devices of those who are away.

Who has a device and wants the push is read from the own tables, a portion of the members at a time; presence says who
of them uses the app now or is at `dnd`; only the pushes of the others are written. No transaction is open while
presence is asked: a batch is claimed instead, and one whose process died is scheduled again, which adds what is
missing.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_notifier import rules
from synctalk_notifier.actions.metrics import PUSHES, RETRIES
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.store import incoming, members, pushes
from synctalk_notifier.store.incoming import EVERYBODY, IncomingBatch, IncomingMessage
from synctalk_notifier.store.members import Reachable
from synctalk_notifier.store.pushes import NewPush

BATCHES = 5
CLAIM_S = 15.0
"""How long a process may work on a batch before another takes it over."""
CONVERSATIONS, MEMBERS = 20, 2_000
"""Maximum conversations, and members with a device, in one read: what is in memory does not grow with a group."""
ROWS = 2_000
"""Maximum rows of one insert."""
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose delay is over."""

    message: IncomingMessage
    traceparent: str | None
    followers: frozenset[str] = frozenset()
    """Of the thread, where the message is in one alone."""


DueByConversation = dict[str, list[Due]]


@dataclass(frozen=True, slots=True)
class Scheduling:
    postgres: Postgres
    upstreams: Upstreams

    async def schedule_due(self) -> int:
        """Schedule pushes for messages that are due. Return how many batches there were.

        While presence does not answer they are due again a moment later.
        """
        now = utc_now()
        async with self.postgres.connection() as conn:
            batches = await incoming.claim_due(conn, now, now + timedelta(seconds=CLAIM_S), BATCHES)
        if batches:
            try:
                await self._schedule(batches, now)
            except UnavailableError:
                await self._postpone(batches)
                return 0
        return len(batches)

    async def _schedule(self, batches: Sequence[IncomingBatch], now: datetime) -> None:
        messages, unknown = await self._by_conversation(batches)
        unread = dict.fromkeys(sorted(messages), members.BEFORE_ALL)
        while unread:
            asked = dict(islice(unread.items(), CONVERSATIONS))
            limit = MEMBERS // len(asked)
            async with self.postgres.connection() as conn:
                reachable = await members.reachable(conn, asked, limit)
            for conversation_id, user_ids in _users(asked, reachable).items():
                if len(user_ids) < limit:
                    del unread[conversation_id]
                else:
                    unread[conversation_id] = max(user_ids)
            await self._add_for_away(messages, reachable, now)
        async with self.postgres.transaction() as conn:
            await self._put_off(conn, unknown)
            await incoming.finish(conn, batches)

    async def _put_off(self, conn: Connection, unknown: Sequence[tuple[IncomingBatch, IncomingMessage]]) -> None:
        """Let those of which is not known who follows their threads wait by themselves."""
        if not unknown:
            return
        RETRIES.labels("upstream").inc(len(unknown))
        for batch in {batch.id: batch for batch, _ in unknown}.values():
            theirs = [message for of, message in unknown if of is batch]
            await incoming.add(conn, theirs, batch.received_at, _soon(), batch.traceparent)

    async def _add_for_away(self, messages: DueByConversation, reachable: Iterable[Reachable], now: datetime) -> None:
        """Add the pushes of those who are away. One who leaves after the delay was there when it ended."""
        concerned = [device for device in reachable if next(_pushes(messages, [device], now), None) is not None]
        user_ids = sorted({device.user_id for device in concerned})
        unwanted = await self.upstreams.unwanted(user_ids) if user_ids else {}
        for decision in set(unwanted.values()):
            theirs = [device for device in concerned if unwanted.get(device.user_id) is decision]
            PUSHES.labels("message", decision.value).inc(sum(1 for _ in _pushes(messages, theirs, now)))
        new = _pushes(messages, [device for device in concerned if device.user_id not in unwanted], now)
        while rows := list(islice(new, ROWS)):
            async with self.postgres.transaction() as conn:
                await pushes.add(conn, rows, now)

    async def _by_conversation(
        self, batches: Iterable[IncomingBatch]
    ) -> tuple[DueByConversation, list[tuple[IncomingBatch, IncomingMessage]]]:
        """Return the messages, those in threads with who follows these, and those of which this is not known now."""
        threads = sorted({m.thread for batch in batches for m in batch.messages if m.thread is not None})
        followers = dict(zip(threads, await self.upstreams.followers(threads), strict=True)) if threads else {}
        messages: DueByConversation = defaultdict(list)
        unknown: list[tuple[IncomingBatch, IncomingMessage]] = []
        for batch in batches:
            for message in batch.messages:
                follow = frozenset() if message.thread is None else followers[message.thread]
                if follow is None:
                    unknown.append((batch, message))
                else:
                    messages[message.conversation_id].append(Due(message, batch.traceparent, follow))
        return messages, unknown

    async def _postpone(self, batches: Sequence[IncomingBatch]) -> None:
        RETRIES.labels("upstream").inc(len(batches))
        async with self.postgres.connection() as conn:
            await incoming.postpone(conn, batches, _soon())


def _soon() -> datetime:
    return utc_now() + timedelta(seconds=RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311


def _users(asked: Iterable[str], reachable: Iterable[Reachable]) -> dict[str, set[str]]:
    """Return by conversation whom the devices belong to."""
    users: dict[str, set[str]] = {conversation_id: set() for conversation_id in asked}
    for device in reachable:
        users[device.conversation_id].add(device.user_id)
    return users


def _pushes(messages: DueByConversation, devices: Iterable[Reachable], now: datetime) -> Iterator[NewPush]:
    """Make the pushes that the settings of the devices' users allow."""
    for device in devices:
        if rules.is_quiet(device.quiet_hours, now):
            continue
        for due in messages[device.conversation_id]:
            if _is_for(due, device, now):
                message = due.message
                yield NewPush(
                    device.user_id,
                    device.device_id,
                    message.conversation_id,
                    message.seq,
                    message.id,
                    due.traceparent,
                    message.text,
                    message.thread_id,
                    message.also_in_conversation,
                )


def _is_for(due: Due, device: Reachable, now: datetime) -> bool:
    message = due.message
    if device.user_id == message.sender_id or device.joined_seq >= message.change_seq:
        return False
    mentioned = device.user_id in message.mentions
    if message.thread is not None and not mentioned and device.user_id not in due.followers:
        return False
    meant = device.direct or mentioned or EVERYBODY in message.mentions
    return rules.wants_push(device.level, device.muted_until, meant=meant, now=now)
