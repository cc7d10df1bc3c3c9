"""How far people have got: watermarks that only rise, coalesced by person and conversation."""

from collections.abc import Sequence
from typing import cast

from synctalk_contracts.commands import MarkDelivered, MarkRead
from synctalk_contracts.models import Receipt
from synctalk_contracts.sockets import ReceiptUpdated
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_api.actions.access import require_member
from synctalk_api.actions.orders import Done, Order, Written
from synctalk_api.clients.fanout import Tidings
from synctalk_api.settings import Settings
from synctalk_api.store import members
from synctalk_api.store.members import Watermarks

Mark = MarkDelivered | MarkRead
Place = tuple[str, str]
"""conversation, person"""


async def raise_watermarks(postgres: Postgres, _: Settings, orders: Sequence[Order]) -> Written:
    """Raise what rises, in one statement; what does not is answered alike."""
    wanted: dict[Place, Watermarks] = {}
    origins: dict[Place, set[str | None]] = {}
    for order in orders:
        command = cast(Mark, order.command)
        place = _place(order)
        known = wanted.get(place, Watermarks(0, 0))
        read = command.seq if isinstance(command, MarkRead) else 0
        wanted[place] = Watermarks(max(known.delivered, command.seq), max(known.read, read))
        origins.setdefault(place, set()).add(order.connection_id)
    async with postgres.connection() as conn:
        rows = await members.raise_watermarks(conn, wanted, utc_now())
    tidings = Tidings()
    for row in rows:
        if row["delivered"] is not None:
            _tell(tidings, row["conversation_id"], row["user_id"], Watermarks(row["delivered"], row["read"]), origins)
    found = {(row["conversation_id"], row["user_id"]) for row in rows}
    return Written([Done() if _place(order) in found else NotFoundError() for order in orders], tidings)


def _place(order: Order) -> Place:
    return order.command.conversation_id, order.command.user_id


def _tell(
    tidings: Tidings, conversation_id: str, user_id: str, now: Watermarks, origins: dict[Place, set[str | None]]
) -> None:
    causes = origins[conversation_id, user_id]
    payload = {
        "conversation_id": conversation_id,
        "user_id": user_id,
        "delivered_seq": now.delivered,
        "read_seq": now.read,
    }
    tidings.in_room(
        conversation_id,
        ReceiptUpdated.EVENT,
        user_id,
        payload,
        origin=next(iter(causes)) if len(causes) == 1 else None,
    )


async def of_message(
    postgres: Postgres, asker_id: str, conversation_id: str, seq: int, after: str | None, limit: int
) -> list[Receipt]:
    """Which of the other members have got, and read, the message at `seq`; ascending user id, one more than `limit`."""
    async with postgres.connection() as conn:
        await require_member(conn, conversation_id, asker_id)
        rows = await members.receipts(conn, conversation_id, asker_id, seq, after, limit + 1)
    return [Receipt(user_id=row["user_id"], delivered=row["delivered"], read=row["read"]) for row in rows]
