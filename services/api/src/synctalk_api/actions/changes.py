"""Edit, delete, pin and react to messages in batches.

The messages are read under their conversations' locks, changed here by one command after the other, and written back by
one statement. Each state is published with a `change_seq` of its own. When the number of pins changes, the conversation
is published as well, once for a transaction and without a number, since the message has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import asyncpg
import orjson
from synctalk_contracts import sockets
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.messages import MessageCompleted, MessageDeleted, MessageUpdated
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Role
from synctalk_runtime.errors import (
    AppError,
    NotFoundError,
    UnavailableError,
)
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rights, rules
from synctalk_api.actions.access import require_open, require_unmuted
from synctalk_api.actions.changed_message import ENDING, Change, Circumstances, Locked, changed_by, reaction_of
from synctalk_api.actions.commands import (
    BatchResult,
    Command,
    CommandResult,
    EndedStream,
    FinishStream,
    Outcome,
    PinMessage,
    ShowPreviews,
)
from synctalk_api.actions.conversations import publish_changed
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.mentions import mentions_in
from synctalk_api.actions.messages import republish
from synctalk_api.actions.replies import mention_in_threads, remove_replies
from synctalk_api.actions.system_messages import system_message
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.rights import Operation
from synctalk_api.rules import Mentions
from synctalk_api.store import (
    conversations,
    members,
    message_changes,
    messages,
    outbox,
    previews,
    search,
    system_messages,
)
from synctalk_api.store.message_changes import MessageChanges, Reaction, Replaced
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.threads import Place


async def change(postgres: Postgres, commands: Sequence[Command], *, kinds_max: int, live: LiveTexts) -> BatchResult:
    """Carry out the commands that are allowed.

    What is so already succeeds without a change. `kinds_max` bounds the different emoji on one message.
    """
    wanted = [cast(Change, command.payload) for command in commands]
    async with postgres.transaction() as conn:
        locked = await message_changes.lock_for_change(
            conn,
            [c.conversation_id for c in wanted],
            [c.user_id for c in wanted],
            [command.deadline for command in commands],
        )
        places = {n: (c.conversation_id, c.message_id) for n, c in enumerate(wanted) if n in locked}
        allowed = list(places.values())
        asked = [reaction_of(c) for c in wanted if isinstance(c, AddReaction | RemoveReaction)]
        before = await live.in_rows(await message_changes.for_change(conn, allowed, len(asked))) if allowed else {}
        reacted = await message_changes.reacted(conn, asked) if asked else set()
        edits = [(c.conversation_id, c.body if isinstance(c, EditMessage | FinishStream) else "") for c in wanted]
        mentions = await mentions_in(conn, edits)
        senders = await _roles_of_senders(conn, wanted, locked, before)
        hiding = {place for n, place in places.items() if locked[n]["hides"] and place in before}
        hidden = await _not_seeing(conn, [before[place] for place in sorted(hiding)])
        changing = _Changing(before, senders, reacted, utc_now(), kinds_max, hidden)
        for n, command in enumerate(commands):
            row = locked.get(n)
            if row is None or (row["blocked_by_peer"] and not isinstance(wanted[n], ENDING)):
                changing.outcomes.append(NotFoundError())
            elif row["late"]:
                changing.outcomes.append(UnavailableError())
            else:
                changing.take(command, wanted[n], Locked.of(row, Role(row["role"])), mentions[n])
        await _write(conn, changing, before)
    return BatchResult(changing.outcomes, changing.broadcast, changing.ended)


async def interrupt(conn: Connection, end: FinishStream) -> Broadcast:
    """End a stream whose writer has fallen silent, and return what is to be published.

    Raises NotFoundError where there is no such message. One that is streamed no longer stays as it is.
    """
    if not await messages.by_ids(conn, [(end.conversation_id, end.message_id)]):
        raise NotFoundError
    return await change_of_senders(conn, end.conversation_id, [end])


async def change_of_senders(
    conn: Connection, conversation_id: str, commands: Sequence[DeleteMessage | ShowPreviews | FinishStream]
) -> Broadcast:
    """Change messages for their senders, who need not be members any more, and return what is to be published.

    Raises NotFoundError where the conversation is not in this store.
    """
    locked = Locked.of(await conversations.lock_any(conn, conversation_id), Role.MEMBER)
    before = await message_changes.for_change(conn, [(conversation_id, each.message_id) for each in commands], 0)
    hidden = await _not_seeing(conn, list(before.values())) if locked.hides else {}
    texts = [(conversation_id, each.body if isinstance(each, FinishStream) else "") for each in commands]
    changing = _Changing(before, {}, set(), utc_now(), 0, hidden)
    for wanted, mentions in zip(commands, await mentions_in(conn, texts), strict=True):
        changing.take(Command(wanted), wanted, locked, mentions)
    await _write(conn, changing, before)
    return changing.broadcast


async def change_by_host(conn: Connection, wanted: EditMessage | DeleteMessage) -> BatchResult:
    """Change a message as a server key may, which is any, also one of the group itself."""
    place = wanted.conversation_id, wanted.message_id
    locked = Locked.of(await conversations.lock_any(conn, wanted.conversation_id), Role.OWNER)
    before = await message_changes.for_change(conn, [place], 0)
    edits = [(wanted.conversation_id, wanted.body if isinstance(wanted, EditMessage) else "")]
    (mentions,) = await mentions_in(conn, edits)
    hidden = await _not_seeing(conn, list(before.values())) if locked.hides else {}
    changing = _Changing(before, {}, set(), utc_now(), 0, hidden)
    if place in before:
        wanted = wanted.model_copy(update={"user_id": before[place].sender_id})
    changing.take(Command(wanted, by_host=True), wanted, locked, mentions)
    await _write(conn, changing, before)
    return BatchResult(changing.outcomes, changing.broadcast)


async def _write(conn: Connection, changing: "_Changing", before: dict[tuple[str, str], MessageRow]) -> None:
    changes = changing.changes()
    if changes.rows:
        await message_changes.write_changes(conn, changes, changing.now)
        await previews.write(
            conn, [row for row in changes.rows if row.previews != before[row.conversation_id, row.id].previews]
        )
        await system_messages.insert(conn, changing.system, changing.now)
        await search.reindex(
            conn, [row for row in changes.rows if search.differs(row, before[row.conversation_id, row.id])]
        )
        await mention_in_threads(conn, changing.broadcast, changing.mentioned_in_threads())
        await remove_replies(conn, changing.broadcast, changing.fewer, changing.deleted_by)
    for conversation_id, user_id in changing.pinned_by.items():
        await publish_changed(conn, changing.broadcast, conversation_id, user_id)


async def _not_seeing(conn: Connection, rows: Sequence[MessageRow]) -> dict[str, list[str]]:
    """Return by message the members for whom it does not exist."""
    if not rows:  # as everywhere but where there are such members
        return {}
    found = await members.not_seeing(conn, [(row.conversation_id, row.seq) for row in rows])
    return {row.id: found[place] for row in rows if (place := (row.conversation_id, row.seq)) in found}


async def _roles_of_senders(
    conn: Connection,
    wanted: Sequence[Change],
    locked: Mapping[int, asyncpg.Record],
    before: Mapping[tuple[str, str], MessageRow],
) -> dict[tuple[str, str], Role]:
    """Return by (conversation, user) the roles that decide whether a message may be deleted; mostly there are none."""
    asked = {
        (c.conversation_id, before[c.conversation_id, c.message_id].sender_id)
        for n, c in enumerate(wanted)
        if isinstance(c, DeleteMessage)
        and n in locked
        and (c.conversation_id, c.message_id) in before
        and rights.depends_on_other(Operation.DELETE_MESSAGE, locked[n]["type"], Role(locked[n]["role"]))
    }
    return await members.roles_of(conn, sorted(asked)) if asked else {}


class _Changing:
    """The messages of one transaction while commands change them."""

    def __init__(
        self,
        before: dict[tuple[str, str], MessageRow],
        senders: dict[tuple[str, str], Role],
        reacted: set[Reaction],
        now: datetime,
        kinds_max: int,
        hidden: dict[str, list[str]],
    ) -> None:
        self.now = now
        self._hidden = hidden
        """By message the members for whom it does not exist."""
        self.outcomes: list[Outcome] = []
        self.broadcast = Broadcast()
        self._before = before
        self._states = dict(before)
        self._senders = senders
        self._reacted_before = reacted
        self._reacted: dict[Reaction, int] = dict.fromkeys(reacted, 0)
        self._counts: dict[str, int] = {}
        self._pins: dict[str, int] = {}
        self._replaced: list[Replaced] = []
        self.pinned_by: dict[str, str] = {}
        """Who changed the number of pins last, by conversation."""
        self.system: list[MessageRow] = []
        """What groups say of the changes, in messages of their own."""
        self._last_seqs: dict[str, int] = {}
        self.fewer: dict[Place, tuple[int, int]] = {}
        """By thread the latest deletion of a reply, and how many there were."""
        self.deleted_by: dict[Place, str] = {}
        self._events: list[tuple[str, str]] = []
        self._kinds_max = kinds_max
        self.ended: list[EndedStream] = []

    def take(self, command: Command, wanted: Change, locked: Locked, mentions: Mentions) -> None:
        place = (wanted.conversation_id, wanted.message_id)
        state = self._states.get(place)
        if state is None or state.seq <= locked.begins_after:
            self.outcomes.append(NotFoundError())
            return
        reacted = isinstance(wanted, AddReaction | RemoveReaction) and reaction_of(wanted) in self._reacted
        try:
            sender = self._senders.get((state.conversation_id, state.sender_id), Role.MEMBER)
            pins = self._pins.get(wanted.conversation_id, locked.pins_count)
            given = Circumstances(
                locked, sender, self.now, mentions, self._kinds_max, reacted, pins, by_host=command.by_host
            )
            changed = changed_by(wanted, state, given)
            if changed is not state and not isinstance(wanted, ENDING):
                require_open(locked.archived_at)
                require_unmuted(locked.muted_until, self.now)
        except AppError as error:
            self.outcomes.append(error)
            return
        if changed is state:
            self.outcomes.append(self._unchanged(state, command))
            return
        number = self._counts.get(wanted.conversation_id, locked.change_seq) + 1
        self._notereaction_of(wanted, number)
        self._note_pin(wanted, state, changed, locked.pins_count)
        if isinstance(wanted, EditMessage):
            self._replaced.append(Replaced(state.conversation_id, state.id, number, state.body))
        if changed.deleted_at is not None and state.thread_id is not None:
            thread = state.conversation_id, state.thread_id
            self.fewer[thread] = number, self.fewer.get(thread, (0, 0))[1] + 1
            self.deleted_by[thread] = wanted.user_id
        if state.streaming and not changed.streaming:
            self.ended.append(EndedStream(state.id, state.sender_id))
        self._counts[wanted.conversation_id] = number
        self._states[place] = changed = replace(changed, change_seq=number)
        self._publish(command, shown(changed))
        if isinstance(wanted, PinMessage) and locked.system_messages:
            self._say(wanted, locked, {"type": "pinned", "message_id": wanted.message_id})

    def _say(self, wanted: Change, locked: Locked, what: dict[str, str]) -> None:
        """Let the group say what has just been done to one of its messages."""
        place = wanted.conversation_id
        self._counts[place] = number = self._counts[place] + 1
        self._last_seqs[place] = seq = self._last_seqs.get(place, locked.last_seq) + 1
        row = system_message(self.broadcast, place, wanted.user_id, what, seq=seq, change_seq=number, now=self.now)
        self.system.append(row)

    def _unchanged(self, state: MessageRow, command: Command) -> Outcome:
        if state is self._before[state.conversation_id, state.id]:
            return republish(shown(state), command, self.broadcast)
        return CommandResult(shown(state).to_json(), changed=False)

    def _notereaction_of(self, command: Change, change_seq: int) -> None:
        if isinstance(command, AddReaction):
            self._reacted[reaction_of(command)] = change_seq
        elif isinstance(command, RemoveReaction):
            self._reacted.pop(reaction_of(command), None)

    def _note_pin(self, command: Change, before: MessageRow, after: MessageRow, pins: int) -> None:
        more = (after.pinned_at is not None) - (before.pinned_at is not None)
        if more:
            self._pins[command.conversation_id] = self._pins.get(command.conversation_id, pins) + more
            self.pinned_by[command.conversation_id] = command.user_id

    def _publish(self, command: Command, row: MessageRow) -> None:
        deleted = row.deleted_at is not None
        encoded = row.to_json()
        message = orjson.Fragment(encoded)
        self.outcomes.append(CommandResult(encoded))
        event = MessageDeleted if deleted else MessageUpdated
        self._note_event(event, message, command)
        if isinstance(command.payload, FinishStream) and not deleted:
            self._note_event(MessageCompleted, message, command)
        self.broadcast.to_room(
            row.conversation_id,
            sockets.MessageDeletedToClient if deleted else sockets.MessageUpdatedToClient,
            command.payload.user_id,
            message,
            change_seq=row.change_seq,
            origin=command.connection_id,
            hidden_from=self._hidden.get(row.id),
        )

    def mentioned_in_threads(self) -> dict[Place, list[tuple[int, str]]]:
        """Return by thread whom edits of replies mention that did not before."""
        found: dict[Place, list[tuple[int, str]]] = {}
        for place, row in self._states.items():
            if row.thread_id is not None and (more := set(row.mentions) - set(self._before[place].mentions)):
                thread = row.conversation_id, row.thread_id
                found.setdefault(thread, []).extend((row.seq, user_id) for user_id in more)
        return found

    def _note_event(self, event: type[Event], message: orjson.Fragment, command: Command) -> None:
        self._events.append(outbox.row(event, {"message": message}, format_time(self.now), command.traceparent))

    def changes(self) -> MessageChanges:
        rows = [state for place, state in self._states.items() if state is not self._before[place]]
        deleted = [row for row in rows if row.deleted_at is not None]
        gone = {row.id for row in deleted}
        places = {(row.conversation_id, row.seq): (self._before[row.conversation_id, row.id], row) for row in rows}
        return MessageChanges(
            rows=rows,
            unmentioned=[
                (*place, each)
                for place, (before, after) in places.items()
                for each in before.mentioned - after.mentioned
            ],
            mentioned=[
                (*place, each)
                for place, (before, after) in places.items()
                for each in after.mentioned - before.mentioned
            ],
            taken_back=[r for r in self._reacted_before if r not in self._reacted and r[1] not in gone],
            reacted={
                r: change_seq
                for r, change_seq in self._reacted.items()
                if r not in self._reacted_before and r[1] not in gone
            },
            deleted=deleted,
            replaced=[each for each in self._replaced if each.message_id not in gone],
            unused_files=[file["id"] for row in deleted for file in self._before[row.conversation_id, row.id].files],
            counts=self._counts,
            pins=self._pins,
            events=self._events,
        )


def shown(row: MessageRow) -> MessageRow:
    """Return the message listing only the first users who reacted, as clients see it."""
    # More of them were read, in case some of the first take their reaction back.
    most = rules.listed_max(len(row.reaction_counts))
    return replace(row, reactions={emoji: user_ids[:most] for emoji, user_ids in row.reactions.items()})
