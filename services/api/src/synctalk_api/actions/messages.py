"""Sending messages in batches: one statement, whatever the size of the batch.

The database locks, drops repeats, gives the numbers and writes messages, counters, watermarks and outbox in one round
trip. Repeats are dropped before numbers are given, so they leave no gap. Each message is encoded once, around the place
of its numbers: the same text is in the ack, the fan-out and the event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import asyncpg
import orjson
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.ids import format_time
from synctalk_runtime.errors import InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rules
from synctalk_api.actions.mentions import mentions_in
from synctalk_api.actions.orders import Done, Order, Outcome, Written
from synctalk_api.clients.fanout import Tidings
from synctalk_api.errors import ClientMessageIdReusedError
from synctalk_api.settings import Settings
from synctalk_api.store import messages
from synctalk_api.store.messages import Draft


@dataclass(frozen=True, slots=True)
class _First:
    """An order that is the first of this batch to use its name: conversation, sender, client_message_id."""

    n: int
    command: SendMessage
    digest: bytes


async def send(postgres: Postgres, _: Settings, orders: Sequence[Order]) -> Written:
    """Store what is new, answer what is repeated as the first time, refuse what may not be."""
    firsts, twins = _parted(orders)
    async with postgres.connection() as conn:
        mentions = await mentions_in(conn, [(first.command.conversation_id, first.command.body) for first in firsts])
        now = utc_now()
        time = format_time(now)
        drafts = [
            Draft.of(first.command, first.digest, mentioned, time, orders[first.n].traceparent)
            for first, mentioned in zip(firsts, mentions, strict=True)
        ]
        rows = {row["n"]: row for row in await messages.send(conn, drafts, now)}
        repeated = await _repeated(conn, drafts, rows)
    outcomes: list[Outcome | None] = [None] * len(orders)
    tidings = Tidings()
    for n, (first, draft) in enumerate(zip(firsts, drafts, strict=True)):
        outcomes[first.n] = _outcome(draft, rows.get(n), repeated, orders[first.n], tidings)
    for n, first in twins:
        outcomes[n] = _as_twin(_digest(orders[n]), first, outcomes[first.n])
    return Written(cast(list[Outcome], outcomes), tidings)


def _parted(orders: Sequence[Order]) -> tuple[list[_First], list[tuple[int, _First]]]:
    """Each name's first order, and those that repeat one of the same batch."""
    firsts: dict[tuple[str, str, str], _First] = {}
    twins = []
    for n, order in enumerate(orders):
        command = cast(SendMessage, order.command)
        name = (command.conversation_id, command.user_id, command.client_message_id)
        if name in firsts:
            twins.append((n, firsts[name]))
        else:
            firsts[name] = _First(n, command, _digest(order))
    return list(firsts.values()), twins


def _digest(order: Order) -> bytes:
    command = cast(SendMessage, order.command)
    return rules.digest(command.body, command.reply_to)


def _outcome(
    draft: Draft,
    row: asyncpg.Record | None,
    repeated: dict[tuple[str, int], bytes],
    order: Order,
    tidings: Tidings,
) -> Outcome:
    if row is None:
        return NotFoundError()
    if row["repeated_seq"] is not None:
        if not row["repeated_alike"]:
            return ClientMessageIdReusedError()
        return Done(repeated[draft.conversation_id, row["repeated_seq"]], changed=False)
    if not row["reply_found"]:
        return InvalidError.of("reply_to", "names no message of this conversation")
    encoded = draft.to_json(row["seq"], row["change_seq"])
    tidings.in_room(
        draft.conversation_id,
        "message:new",
        draft.sender_id,
        orjson.Fragment(encoded),
        change_seq=row["change_seq"],
        origin=order.connection_id,
    )
    return Done(encoded)


async def _repeated(
    conn: Connection, drafts: Sequence[Draft], rows: dict[int, asyncpg.Record]
) -> dict[tuple[str, int], bytes]:
    """The messages, as they are now, that were sent before."""
    places = [(drafts[n].conversation_id, row["repeated_seq"]) for n, row in rows.items() if row["repeated_alike"]]
    if not places:
        return {}
    return {place: message.to_json() for place, message in (await messages.by_seqs(conn, places)).items()}


def _as_twin(digest: bytes, first: _First, outcome: Outcome | None) -> Outcome:
    if digest == first.digest:
        return Done(outcome.message, changed=False) if isinstance(outcome, Done) else cast(Outcome, outcome)
    if isinstance(outcome, Done):
        return ClientMessageIdReusedError()
    return UnavailableError()  # the name is still free: sent again, this one may have it
