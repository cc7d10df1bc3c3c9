"""Store what came from the bus, in one transaction: a statement for each kind, however many events.

A message only waits here; who gets it is decided when its delay is over (`schedule.py`). So a membership that arrives a
little after the message still counts, and one that arrives later makes the message due again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.conversations import ConversationCreated, MemberChanged
from synctalk_contracts.events.messages import MessageCompleted, MessageCreated, MessageDeleted
from synctalk_contracts.events.receipts import ReceiptRead, ThreadRead
from synctalk_contracts.models import Message
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_runtime.telemetry import traceparent

from synctalk_notifier.actions.metrics import RECEIVED
from synctalk_notifier.kinds import MembershipChange
from synctalk_notifier.rules import fold_memberships
from synctalk_notifier.store import incoming, members, pushes
from synctalk_notifier.store.incoming import EVERYBODY
from synctalk_notifier.store.pushes import Reader
from synctalk_notifier.wording import MAX_TEXT_CHARS


async def store_events(postgres: Postgres, delay: timedelta, events: Sequence[Event]) -> None:
    """Store these events. Repeated and late ones change nothing that newer ones said."""
    now = utc_now()
    async with postgres.transaction() as conn:
        await _store_memberships(conn, events, now)
        await _store_messages(conn, events, now, delay)
        await _store_reads(conn, events, now)
        await _store_deletions(conn, events, now)


async def _store_memberships(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    changes = [change for event in events for change in _membership_changes(event)]
    if changes:
        await apply_memberships(conn, changes, now)


async def apply_memberships(conn: Connection, changes: Sequence[MembershipChange], now: datetime) -> None:
    """Apply changes that are newer than what is stored; messages still kept are scheduled for the new members too."""
    await members.apply(conn, fold_memberships(changes))
    joined = sorted({change.conversation_id for change in changes if change.present})
    if joined:
        await incoming.make_due_again(conn, joined, now)


def _membership_changes(event: Event) -> list[MembershipChange]:
    match event:
        case ConversationCreated():
            return [
                MembershipChange(
                    event.conversation_id, member.user_id, True, event.change_seq, direct=event.type == "direct"
                )
                for member in event.members
            ]
        case MemberChanged():
            present = event.role is not None
            return [MembershipChange(event.conversation_id, event.user_id, present, event.change_seq)]
        case _:
            return []


async def _store_messages(conn: Connection, events: Sequence[Event], now: datetime, delay: timedelta) -> None:
    """Store the new messages; the delay counts from when the newest was written, not from when it was received.

    A streamed one is new when it is complete.
    """
    written = [
        event.message
        for event in events
        if isinstance(event, MessageCompleted) or (isinstance(event, MessageCreated) and not event.silent)
    ]
    created = [message for message in written if message.system is None and not message.streaming]
    if created:
        is_streamed = any(isinstance(event, MessageCompleted) for event in events)
        due_at = (now if is_streamed else max(message.created_at for message in created)) + delay
        await incoming.add(conn, [_incoming(message) for message in created], now, due_at, traceparent())
        RECEIVED.inc(len(created))


def _incoming(message: Message) -> incoming.IncomingMessage:
    return incoming.IncomingMessage(
        id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        change_seq=message.change_seq,
        sender_id=message.sender_id,
        mentions=[*message.mentions, EVERYBODY] if message.mention_all else message.mentions,
        text=message.body[:MAX_TEXT_CHARS],
        thread_id=message.thread_id,
        also_in_conversation=message.also_in_conversation,
    )


async def _store_reads(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Withdraw pushes of what was read."""
    reads: dict[Reader, int] = {}
    for event in events:
        for reader, seq in _reads(event):
            reads[reader] = max(seq, reads.get(reader, 0))
    if reads:
        await pushes.withdraw_read(conn, reads, now)


def _reads(event: Event) -> list[tuple[Reader, int]]:
    """Return who has read what; whoever writes a message has read up to it, in the conversation, its thread or both."""
    match event:
        case ReceiptRead():
            return [(Reader(event.conversation_id, None, event.user_id), event.read_seq)]
        case ThreadRead():
            return [(Reader(event.conversation_id, event.thread_id, event.user_id), event.read_seq)]
        case MessageCreated(message=message) if message.system is None:
            threads = {message.thread_id} | ({None} if message.also_in_conversation else set())
            return [(Reader(message.conversation_id, thread, message.sender_id), message.seq) for thread in threads]
        case _:
            return []


async def _store_deletions(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    deleted = sorted({(e.message.conversation_id, e.message.seq) for e in events if isinstance(e, MessageDeleted)})
    if deleted:
        await pushes.withdraw_deleted(conn, deleted, now)
