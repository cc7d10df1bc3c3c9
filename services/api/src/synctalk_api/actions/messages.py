"""Send messages in batches: one statement, whatever the size of the batch, and a few more where there are replies.

The database locks, drops repeats, gives the numbers and writes messages, counters, watermarks and outbox in one round
trip. Repeats are dropped before numbers are given, so they leave no gap. Each message is encoded once, around the place
of its numbers: the same text is in the reply, the fan-out and the event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import cast

import asyncpg
import orjson
from synctalk_contracts import sockets
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.ids import format_time
from synctalk_runtime.errors import (
    AppError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rules
from synctalk_api.actions.access import archived, blocking, muted
from synctalk_api.actions.commands import BatchResult, Command, CommandResult, Outcome
from synctalk_api.actions.forwards import Source, sources_of
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.mentions import NOBODY, mentions_in, permitted
from synctalk_api.actions.replies import Reply, add_replies
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.errors import ClientMessageIdReusedError
from synctalk_api.rules import Mentions
from synctalk_api.store import messages, sending
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.sending import Draft
from synctalk_api.store.stores import Stores

OTHER_CONTENT = ("metadata", "forward", "file_ids", "thread_id", "also_in_conversation")
"""The fields beside `body` and `reply_to` that distinguish one message from another; empty ones say nothing."""


@dataclass(frozen=True, slots=True)
class _First:
    """The first command of a batch with its key: conversation, sender, client_message_id."""

    n: int
    """Its position in the batch."""
    payload: SendMessage
    digest: bytes


async def send(postgres: Postgres, commands: Sequence[Command], *, stores: Stores, live: LiveTexts) -> BatchResult:
    """Store the new messages; a repeated one has the result of the first time."""
    firsts, duplicates = _split_duplicates(commands)
    sources = await sources_of(stores, [first.payload for first in firsts])
    in_threads = any(first.payload.thread_id is not None for first in firsts)
    async with postgres.transaction() if in_threads else postgres.connection() as conn:
        said = [(f.payload.conversation_id, "" if commands[f.n].stream_id else f.payload.body) for f in firsts]
        meant = await mentions_in(conn, said)
        senders = [(first.payload.conversation_id, first.payload.user_id) for first in firsts]
        mentions = await permitted(conn, senders, meant)
        now = utc_now()
        time = format_time(now)
        drafts = [
            _draft(first, mentioned, sources.get(n), time, commands[first.n])
            for n, (first, mentioned) in enumerate(zip(firsts, mentions, strict=True))
        ]
        deadlines = [commands[first.n].deadline for first in firsts]
        rows = {row["n"]: row for row in await sending.send(conn, drafts, deadlines, now)}
        repeated = await _repeated(conn, drafts, rows)
        replies = [
            Reply(draft, rows[n]["seq"], rows[n]["change_seq"], commands[firsts[n].n].connection_id)
            for n, draft in enumerate(drafts)
            if draft.thread_id is not None and n in rows and rows[n]["seq"] is not None
        ]
        replied = await add_replies(conn, replies, now)
    repeated = await live.in_rows(repeated)
    outcomes: list[Outcome | None] = [None] * len(commands)
    broadcast = Broadcast()
    for n, (first, draft) in enumerate(zip(firsts, drafts, strict=True)):
        refusal = error if isinstance(error := sources.get(n), AppError) else None
        outcomes[first.n] = _outcome(draft, rows.get(n), repeated, refusal, commands[first.n], broadcast)
    for n, first in duplicates:
        outcomes[n] = _outcome_of_duplicate(_digest(commands[n]), first, outcomes[first.n])
    replied.publish(broadcast)
    return BatchResult(cast(list[Outcome], outcomes), broadcast)


def _split_duplicates(commands: Sequence[Command]) -> tuple[list[_First], list[tuple[int, _First]]]:
    """Return each key's first command, and the positions of those that repeat one of the same batch."""
    firsts: dict[tuple[str, str, str], _First] = {}
    duplicates = []
    for n, command in enumerate(commands):
        payload = cast(SendMessage, command.payload)
        key = (payload.conversation_id, payload.user_id, payload.client_message_id)
        if key in firsts:
            duplicates.append((n, firsts[key]))
        else:
            firsts[key] = _First(n, payload, _digest(command))
    return list(firsts.values()), duplicates


def _draft(first: _First, mentioned: Mentions, source: Source | AppError | None, time: str, command: Command) -> Draft:
    trace, files, by_host = command.traceparent, command.files, command.by_host
    if isinstance(source, Source):
        # A body beside what is forwarded is the message hook's.
        said = first.payload.model_copy(update={"body": first.payload.body or source.body})
        return Draft.of(said, first.digest, NOBODY, time, trace, source.shown, files=files)
    return Draft.of(
        first.payload,
        first.digest,
        mentioned,
        time,
        trace,
        files=files,
        sendable=source is None,
        by_host=by_host,
        silent=command.silent,
        stream_id=command.stream_id,
    )


def _digest(command: Command) -> bytes:
    payload = command.given or cast(SendMessage, command.payload)
    others = {name: value for name in OTHER_CONTENT if (value := getattr(payload, name))}
    if payload.forward is not None:
        others["forward"] = payload.forward.model_dump()
    if command.stream_id is not None:
        others["streaming"] = True
    return rules.digest(payload.body, payload.reply_to, others)


def _outcome(
    draft: Draft,
    row: asyncpg.Record | None,
    repeated: dict[tuple[str, int], MessageRow],
    refusal: AppError | None,
    command: Command,
    broadcast: Broadcast,
) -> Outcome:
    if row is None:
        return NotFoundError()
    if row["late"]:
        return UnavailableError()
    if row["repeated_seq"] is not None:
        if not row["repeated_alike"]:
            return ClientMessageIdReusedError()
        return republish(repeated[draft.conversation_id, row["repeated_seq"]], command, broadcast)
    if (refused := refusal or _refusal(row, by_host=command.by_host)) is not None:
        return refused
    encoded = draft.to_json(row["seq"], row["change_seq"])
    broadcast.to_room(
        draft.conversation_id,
        sockets.MessageNewToClient,
        draft.sender_id,
        orjson.Fragment(encoded),
        change_seq=row["change_seq"],
        origin=command.connection_id,
    )
    return CommandResult(encoded)


def _refusal(row: asyncpg.Record, *, by_host: bool) -> AppError | None:
    """Return the reason why a message that is no repeat was not written; None: it was."""
    if row["barred"] is not None:
        return _barred(row, by_host=by_host)
    if not row["reply_found"]:
        return InvalidError.of("reply_to", "must be the id of a message in this conversation")
    if not row["thread_found"]:
        return InvalidError.of("thread_id", "must be the id of a message in this conversation that is in no thread")
    if row["wait_s"] is not None and row["wait_s"] > 0:
        wait_s = ceil(row["wait_s"] * 1000) / 1000
        return RateLimitedError("Slow mode is on.", details={"limit": "slow_mode"}, retry_after=wait_s)
    return None


def _barred(row: asyncpg.Record, *, by_host: bool) -> AppError:
    match row["barred"]:
        case "blocked":
            return NotFoundError() if not by_host else ForbiddenError("The other user has blocked the sender.")
        case "blocking":
            return blocking()
        case "archived":
            return archived(row["archived_at"])
        case "muted":
            return muted(row["muted_until"])
        case _:
            return ForbiddenError("Only moderators and admins can send messages here.")


async def _repeated(
    conn: Connection, drafts: Sequence[Draft], rows: dict[int, asyncpg.Record]
) -> dict[tuple[str, int], MessageRow]:
    """Return the messages that were sent before, as they are now."""
    places = [(drafts[n].conversation_id, row["repeated_seq"]) for n, row in rows.items() if row["repeated_alike"]]
    return await messages.by_seqs(conn, places) if places else {}


def republish(row: MessageRow, command: Command, broadcast: Broadcast) -> CommandResult:
    """Publish the message as it is once more, and return it as the result of a repeat.

    The process that made the latest change may have died before it was published; a room that has had it drops it by
    its number.
    """
    encoded = row.to_json()
    broadcast.to_room(
        row.conversation_id,
        _event_of(row),
        row.sender_id,
        orjson.Fragment(encoded),
        change_seq=row.change_seq,
        origin=command.connection_id,
    )
    return CommandResult(encoded, changed=False)


def _event_of(row: MessageRow) -> type[sockets.ToClient]:
    if row.deleted_at is not None:
        return sockets.MessageDeletedToClient
    changed = row.edited_at is not None or row.reactions or row.pinned_at is not None or row.previews
    return sockets.MessageUpdatedToClient if changed else sockets.MessageNewToClient


def _outcome_of_duplicate(digest: bytes, first: _First, outcome: Outcome | None) -> Outcome:
    if digest == first.digest:
        return replace(outcome, changed=False) if isinstance(outcome, CommandResult) else cast(Outcome, outcome)
    if isinstance(outcome, CommandResult):
        return ClientMessageIdReusedError()
    return UnavailableError()  # the key is still free: sent again, this one may have it
