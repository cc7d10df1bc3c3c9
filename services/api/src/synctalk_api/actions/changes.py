"""Edit, delete, pin and react to messages in batches.

The messages are read under their conversations' locks, changed here by one command after the other, and written back by
one statement. Each state is published with a `change_seq` of its own. When the number of pins changes, the conversation
is published as well, once for a transaction and without a number, since the message has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import asyncpg
import orjson
from synctalk_contracts import sockets
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.messages import MessageCompleted, MessageDeleted, MessageUpdated
from synctalk_contracts.ids import format_time
from synctalk_contracts.links import links_of
from synctalk_contracts.models import Role
from synctalk_contracts.text import shows_something
from synctalk_runtime.errors import (
    AppError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rights, rules
from synctalk_api.actions.access import require_open, require_unmuted
from synctalk_api.actions.commands import (
    BatchResult,
    Command,
    CommandResult,
    EndedStream,
    FinishStream,
    Outcome,
    PinMessage,
    ShowPreviews,
    UnpinMessage,
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

Change = (
    EditMessage | DeleteMessage | AddReaction | RemoveReaction | PinMessage | UnpinMessage | ShowPreviews | FinishStream
)

ENDING = (DeleteMessage, FinishStream)
"""What is possible in a conversation where one may write no more."""


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
        asked = [_reaction(c) for c in wanted if isinstance(c, AddReaction | RemoveReaction)]
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
                changing.take(command, wanted[n], _Locked.of(row, Role(row["role"])), mentions[n])
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
    locked = _Locked.of(await conversations.lock_any(conn, conversation_id), Role.MEMBER)
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
    locked = _Locked.of(await conversations.lock_any(conn, wanted.conversation_id), Role.OWNER)
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


@dataclass(frozen=True, slots=True)
class _Locked:
    """A conversation while it is locked, and the role in it of the user who asks."""

    type: str
    role: Role
    change_seq: int
    last_seq: int
    members_count: int
    pins_count: int
    system_messages: bool
    archived_at: datetime | None
    muted_until: datetime | None
    hides: bool
    """There may be members for whom messages do not exist."""
    begins_after: int
    """Messages up to this `seq` do not exist for the user."""

    @classmethod
    def of(cls, row: asyncpg.Record, role: Role) -> "_Locked":
        numbers = row["change_seq"], row["last_seq"], row["members_count"], row["pins_count"]
        times = row["archived_at"], row["muted_until"]
        return cls(row["type"], role, *numbers, row["system_messages"], *times, row["hides"], row["begins_after"])


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

    def take(self, command: Command, wanted: Change, locked: _Locked, mentions: Mentions) -> None:
        place = (wanted.conversation_id, wanted.message_id)
        state = self._states.get(place)
        if state is None or state.seq <= locked.begins_after:
            self.outcomes.append(NotFoundError())
            return
        reacted = isinstance(wanted, AddReaction | RemoveReaction) and _reaction(wanted) in self._reacted
        try:
            sender = self._senders.get((state.conversation_id, state.sender_id), Role.MEMBER)
            pins = self._pins.get(wanted.conversation_id, locked.pins_count)
            given = _Circumstances(
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
        self._note_reaction(wanted, number)
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

    def _say(self, wanted: Change, locked: _Locked, what: dict[str, str]) -> None:
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

    def _note_reaction(self, command: Change, change_seq: int) -> None:
        if isinstance(command, AddReaction):
            self._reacted[_reaction(command)] = change_seq
        elif isinstance(command, RemoveReaction):
            self._reacted.pop(_reaction(command), None)

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


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """The circumstances that decide about a command beside the message's state."""

    locked: _Locked
    sender: Role
    """The role of the message's sender, where it matters."""
    now: datetime
    mentions: Mentions
    kinds_max: int
    reacted: bool
    """The user has put this very reaction before."""
    pins: int
    """How many messages of the conversation are pinned."""
    by_host: bool = False

    def may(self, operation: Operation) -> bool:
        here = self.locked
        return rights.may(operation, here.type, here.role, here.members_count)


def changed_by(command: Change, state: MessageRow, given: _Circumstances) -> MessageRow:
    """Return the message after the command, the same object when nothing changes. Raises the error of a refusal."""
    if state.system is not None and not given.by_host:
        raise ForbiddenError
    match command:
        case EditMessage():
            return _edited(command, state, given)
        case DeleteMessage():
            return _deleted(command, state, given)
        case FinishStream():
            return _finished(command, state, given)
        case AddReaction() | RemoveReaction():
            return _reaction_changed(command, state, given)
        case PinMessage() | UnpinMessage():
            return _with_pin(command, state, given)
        case ShowPreviews():
            return _with_previews(command, state)


def _edited(command: EditMessage, state: MessageRow, given: _Circumstances) -> MessageRow:
    if not rules.may_edit(command.user_id, state.sender_id):
        raise ForbiddenError
    if state.deleted_at is not None:
        raise ConflictError("This message was deleted.")
    if state.streaming:
        raise ConflictError("This message is still being written.")
    if command.body == state.body:
        return state
    if not command.body and not state.files:
        raise InvalidError.of("body", "must contain at least one visible character")
    return replace(
        state,
        body=command.body,
        mentions=given.mentions.user_ids,
        mention_all=given.mentions.all and given.may(Operation.MENTION_ALL),
        edited_at=given.now,
        previews=rules.kept_previews(state.previews, command.body),
    )


def _deleted(command: DeleteMessage, state: MessageRow, given: _Circumstances) -> MessageRow:
    is_own = command.user_id == state.sender_id
    if not is_own and not rights.may_to(Operation.DELETE_MESSAGE, given.locked.type, given.locked.role, given.sender):
        raise ForbiddenError
    return state if state.deleted_at is not None else _emptied(state, given.now)


def _emptied(state: MessageRow, now: datetime) -> MessageRow:
    return replace(
        state,
        body="",
        mentions=[],
        mention_all=False,
        reactions={},
        reaction_counts={},
        deleted_at=now,
        pinned_at=None,
        pinned_by=None,
        metadata={},
        forwarded_from=None,
        files=[],
        previews=[],
        streaming=False,
    )


def _finished(command: FinishStream, state: MessageRow, given: _Circumstances) -> MessageRow:
    if command.user_id != state.sender_id and not command.interrupted:
        raise ForbiddenError
    if not state.streaming:
        raise ConflictError("This message is complete.")
    if not shows_something(command.body):
        return _emptied(state, given.now)
    return replace(
        state,
        body=command.body,
        mentions=given.mentions.user_ids,
        mention_all=given.mentions.all and given.may(Operation.MENTION_ALL),
        streaming=False,
        interrupted=command.interrupted,
    )


def _reaction_changed(command: AddReaction | RemoveReaction, state: MessageRow, given: _Circumstances) -> MessageRow:
    if isinstance(command, AddReaction):
        return _reacted(command, state, given)
    return _taken_back(command, state) if given.reacted else state


def _reacted(command: AddReaction, state: MessageRow, given: _Circumstances) -> MessageRow:
    if state.deleted_at is not None:
        raise ConflictError("This message was deleted.")
    if given.reacted:
        return state
    count = state.reaction_counts.get(command.emoji, 0)
    if not count and len(state.reaction_counts) >= given.kinds_max:
        raise ConflictError(f"A message can have at most {given.kinds_max} different reactions.")
    listed = state.reactions.get(command.emoji, [])
    return replace(
        state,
        reactions=state.reactions | {command.emoji: [*listed, command.user_id] if len(listed) >= count else listed},
        reaction_counts=state.reaction_counts | {command.emoji: count + 1},
    )


def _taken_back(command: RemoveReaction, state: MessageRow) -> MessageRow:
    count = state.reaction_counts.get(command.emoji, 0) - 1
    if count <= 0:
        return replace(
            state,
            reactions={emoji: who for emoji, who in state.reactions.items() if emoji != command.emoji},
            reaction_counts={emoji: n for emoji, n in state.reaction_counts.items() if emoji != command.emoji},
        )
    left = [user_id for user_id in state.reactions[command.emoji] if user_id != command.user_id]
    return replace(
        state,
        reactions=state.reactions | {command.emoji: left},
        reaction_counts=state.reaction_counts | {command.emoji: count},
    )


def _with_pin(command: PinMessage | UnpinMessage, state: MessageRow, given: _Circumstances) -> MessageRow:
    if not given.may(Operation.PIN):
        raise ForbiddenError
    if isinstance(command, UnpinMessage):
        return state if state.pinned_at is None else replace(state, pinned_at=None, pinned_by=None)
    if state.deleted_at is not None:
        raise InvalidError.of("message_id", "must not be the id of a deleted message")
    if state.pinned_at is not None:
        return state
    if given.pins >= rules.PINS_MAX:
        raise ConflictError(f"A conversation can have at most {rules.PINS_MAX} pinned messages.")
    return replace(state, pinned_at=given.now, pinned_by=command.user_id)


def _with_previews(command: ShowPreviews, state: MessageRow) -> MessageRow:
    if state.deleted_at is not None or state.streaming or links_of(state.body) != command.links:
        return state
    shown = [preview.model_dump() for preview in command.previews]
    return state if shown == state.previews else replace(state, previews=shown)


def _reaction(command: AddReaction | RemoveReaction) -> Reaction:
    return command.conversation_id, command.message_id, command.emoji, command.user_id


def shown(row: MessageRow) -> MessageRow:
    """Return the message listing only the first users who reacted, as clients see it."""
    # More of them were read, in case some of the first take their reaction back.
    most = rules.listed_max(len(row.reaction_counts))
    return replace(row, reactions={emoji: user_ids[:most] for emoji, user_ids in row.reactions.items()})
