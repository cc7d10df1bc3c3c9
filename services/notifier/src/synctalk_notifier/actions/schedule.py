"""Turn messages whose delay is over into pushes to the devices that want them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_notifier import rules
from synctalk_notifier.store import incoming, members, pushes
from synctalk_notifier.store.incoming import IncomingBatch, IncomingMessage
from synctalk_notifier.store.members import Reachable
from synctalk_notifier.store.pushes import NewPush

BATCHES = 5
ROWS = 2_000
"""Maximum rows of one insert: a group of a thousand makes many from one message."""


async def schedule_due(postgres: Postgres) -> int:
    """Schedule pushes for messages that are due. Return how many batches there were."""
    now = utc_now()
    async with postgres.transaction() as conn:
        batches = await incoming.take_due(conn, now, BATCHES)
        conversation_ids = sorted({m.conversation_id for batch in batches for m in batch.messages})
        if not conversation_ids:
            return len(batches)
        reachable = await members.reachable(conn, conversation_ids)
        new = _pushes(batches, reachable, now)
        while rows := list(islice(new, ROWS)):
            await pushes.add(conn, rows, now)
    return len(batches)


def _pushes(batches: Iterable[IncomingBatch], reachable: Iterable[Reachable], now: datetime) -> Iterator[NewPush]:
    devices: dict[str, list[Reachable]] = defaultdict(list)
    for device in reachable:
        devices[device.conversation_id].append(device)
    for batch in batches:
        for message in batch.messages:
            for device in devices.get(message.conversation_id, ()):
                if _is_for(message, device, now):
                    yield NewPush(
                        device.user_id,
                        device.device_id,
                        message.conversation_id,
                        message.seq,
                        message.id,
                        batch.traceparent,
                    )


def _is_for(message: IncomingMessage, device: Reachable, now: datetime) -> bool:
    if device.user_id == message.sender_id or device.joined_seq >= message.change_seq:
        return False
    mentioned = device.user_id in message.mentions
    return rules.wants_push(device.level, device.muted_until, mentioned=mentioned, now=now)
