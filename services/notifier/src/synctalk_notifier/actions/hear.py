"""What came from the bus, written down in one transaction: a statement for each kind, however many events.

A message is only put on hold here; to whom it goes is decided when the hold ends (`decide.py`). So a membership that
is heard a little after the message still counts, and one that is heard later still makes the message due again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.conversations import ConversationCreated, MemberChanged
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection
from synctalk_runtime.telemetry import traceparent

from synctalk_notifier.actions.metrics import HEARD
from synctalk_notifier.kinds import MembershipChange
from synctalk_notifier.parts import Parts
from synctalk_notifier.rules import fold_memberships
from synctalk_notifier.store import heard, members, pushes


async def hear(parts: Parts, events: Sequence[Event]) -> None:
    """Repeated and late events change nothing that newer ones said."""
    now = utc_now()
    async with parts.postgres.transaction() as conn:
        await _hear_memberships(conn, events, now)
        await _hear_messages(conn, events, now, timedelta(seconds=parts.settings.push_hold_s))
        await _hear_reads(conn, events, now)
        await _hear_deletions(conn, events, now)


async def _hear_memberships(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    changes = [change for event in events for change in _membership_changes(event)]
    if not changes:
        return
    await members.apply(conn, fold_memberships(changes))
    came = sorted({change.conversation_id for change in changes if change.present})
    if came:
        await heard.make_due_again(conn, came, now)


def _membership_changes(event: Event) -> list[MembershipChange]:
    match event:
        case ConversationCreated():
            return [
                MembershipChange(event.conversation_id, member.user_id, True, event.change_seq)
                for member in event.members
            ]
        case MemberChanged():
            present = event.role is not None
            return [MembershipChange(event.conversation_id, event.user_id, present, event.change_seq)]
        case _:
            return []


async def _hear_messages(conn: Connection, events: Sequence[Event], now: datetime, hold: timedelta) -> None:
    """The hold counts from the writing of the newest, not from when it was heard."""
    created = [event for event in events if isinstance(event, MessageCreated)]
    if created:
        due_at = max(event.message.created_at for event in created) + hold
        await heard.add(conn, [_heard(event) for event in created], now, due_at, traceparent())
        HEARD.inc(len(created))


def _heard(event: MessageCreated) -> heard.HeardMessage:
    message = event.message
    return heard.HeardMessage(
        id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        change_seq=message.change_seq,
        sender_id=message.sender_id,
        mentions=message.mentions,
    )


async def _hear_reads(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Who writes has read up to there."""
    reads: dict[tuple[str, str], int] = {}
    for event in events:
        match event:
            case ReceiptRead():
                pair, seq = (event.conversation_id, event.user_id), event.read_seq
            case MessageCreated():
                pair, seq = (event.message.conversation_id, event.message.sender_id), event.message.seq
            case _:
                continue
        reads[pair] = max(seq, reads.get(pair, 0))
    if reads:
        await pushes.withdraw_read(conn, reads, now)


async def _hear_deletions(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    deleted = sorted({(e.message.conversation_id, e.message.seq) for e in events if isinstance(e, MessageDeleted)})
    if deleted:
        await pushes.withdraw_deleted(conn, deleted, now)
