"""Receipts: watermarks that only rise, coalesced by user and conversation."""

from collections.abc import Sequence
from typing import cast

from synctalk_contracts import sockets
from synctalk_contracts.commands import MarkDelivered, MarkRead
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import Receipt
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_api.actions.access import require_reader
from synctalk_api.actions.commands import BatchResult, Command, CommandResult
from synctalk_api.actions.own_states import publish_own_state
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.store import watermarks
from synctalk_api.store.stores import Stores
from synctalk_api.store.watermarks import Watermarks

Mark = MarkDelivered | MarkRead
Place = tuple[str, str]
"""conversation, user"""


async def raise_watermarks(postgres: Postgres, commands: Sequence[Command]) -> BatchResult:
    """Raise the watermarks that rise, in one statement; a command that raises none succeeds alike."""
    wanted: dict[Place, Watermarks] = {}
    origins: dict[Place, set[str | None]] = {}
    for command in commands:
        mark = cast(Mark, command.payload)
        place = _place(command)
        known = wanted.get(place, Watermarks(0, 0))
        read = mark.seq if isinstance(mark, MarkRead) else 0
        wanted[place] = Watermarks(max(known.delivered, mark.seq), max(known.read, read))
        origins.setdefault(place, set()).add(command.connection_id)
    broadcast = Broadcast()
    async with postgres.connection() as conn:
        rows = await watermarks.raise_watermarks(conn, wanted, utc_now())
        for row in rows:
            if row["unmarked"]:
                await publish_own_state(conn, broadcast, row["conversation_id"], row["user_id"])
    for row in rows:
        if row["rose"]:
            now = Watermarks(row["delivered"], row["read"])
            _publish(broadcast, row["conversation_id"], row["user_id"], now, origins)
    found = {(row["conversation_id"], row["user_id"]) for row in rows}
    outcomes = [CommandResult() if _place(command) in found else NotFoundError() for command in commands]
    return BatchResult(outcomes, broadcast)


def _place(command: Command) -> Place:
    return command.payload.conversation_id, command.payload.user_id


def _publish(
    broadcast: Broadcast, conversation_id: str, user_id: str, now: Watermarks, origins: dict[Place, set[str | None]]
) -> None:
    causes = origins[conversation_id, user_id]
    event = sockets.ReceiptUpdatedToClient(
        conversation_id=conversation_id, user_id=user_id, delivered_seq=now.delivered, read_seq=now.read
    )
    broadcast.to_room(
        conversation_id,
        type(event),
        user_id,
        event.model_dump(mode="json"),
        origin=next(iter(causes)) if len(causes) == 1 else None,
    )


async def of_message(
    stores: Stores, user_id: str | None, conversation_id: str, seq: int, after: str | None, limit: int
) -> list[Receipt]:
    """Return who of the other members has got, and read, the message at `seq`: by user id, one more than `limit`.

    `user_id`: None is a server key, to whom all are others.
    """
    async with stores.reading(conversation_id) as conn:
        if seq <= await require_reader(conn, conversation_id, user_id):
            raise NotFoundError
        rows = await watermarks.receipts(conn, conversation_id, user_id or SYSTEM_USER_ID, seq, after, limit + 1)
    return [Receipt(user_id=row["user_id"], delivered=row["delivered"], read=row["read"]) for row in rows]
