"""Edit, delete and react to messages in batches.

The messages are read under their conversations' locks, changed here by one command after the other, and written back by
one statement. Each state is published with a `change_seq` of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import orjson
from synctalk_contracts import sockets
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_contracts.events.messages import MessageDeleted, MessageUpdated
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Role
from synctalk_runtime.errors import AppError, ConflictError, ForbiddenError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_api import rules
from synctalk_api.actions.commands import BatchResult, Command, CommandResult, Outcome
from synctalk_api.actions.mentions import mentions_in
from synctalk_api.actions.messages import republish
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.store import message_changes, outbox, search
from synctalk_api.store.message_changes import MessageChanges, Reaction
from synctalk_api.store.messages import MessageRow

Change = EditMessage | DeleteMessage | AddReaction | RemoveReaction


async def change(postgres: Postgres, commands: Sequence[Command], *, kinds_max: int) -> BatchResult:
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
        allowed = [(c.conversation_id, c.message_id) for n, c in enumerate(wanted) if n in locked]
        asked = [_reaction(c) for c in wanted if isinstance(c, AddReaction | RemoveReaction)]
        before = await message_changes.for_change(conn, allowed, len(asked)) if allowed else {}
        reacted = await message_changes.reacted(conn, asked) if asked else set()
        edits = [(c.conversation_id, c.body if isinstance(c, EditMessage) else "") for c in wanted]
        mentions = await mentions_in(conn, edits)
        changing = _Changing(before, reacted, utc_now(), kinds_max)
        for n, command in enumerate(commands):
            row = locked.get(n)
            if row is None:
                changing.outcomes.append(NotFoundError())
            elif row["late"]:
                changing.outcomes.append(UnavailableError())
            else:
                changing.take(command, wanted[n], Role(row["role"]), row["change_seq"], mentions[n])
        changes = changing.changes()
        if changes.rows:
            await message_changes.write_changes(conn, changes, changing.now)
            await search.reindex(
                conn, [row for row in changes.rows if row.body != before[row.conversation_id, row.id].body]
            )
    return BatchResult(changing.outcomes, changing.broadcast)


class _Changing:
    """The messages of one transaction while commands change them."""

    def __init__(
        self, before: dict[tuple[str, str], MessageRow], reacted: set[Reaction], now: datetime, kinds_max: int
    ) -> None:
        self.now = now
        self.outcomes: list[Outcome] = []
        self.broadcast = Broadcast()
        self._before = before
        self._states = dict(before)
        self._reacted_before = reacted
        self._reacted = dict.fromkeys(reacted)
        self._counts: dict[str, int] = {}
        self._events: list[tuple[str, str]] = []
        self._kinds_max = kinds_max

    def take(self, command: Command, wanted: Change, role: Role, change_seq: int, mentions: list[str]) -> None:
        place = (wanted.conversation_id, wanted.message_id)
        state = self._states.get(place)
        if state is None:
            self.outcomes.append(NotFoundError())
            return
        reacted = isinstance(wanted, AddReaction | RemoveReaction) and _reaction(wanted) in self._reacted
        try:
            changed = changed_by(wanted, state, _Circumstances(role, self.now, mentions, self._kinds_max, reacted))
        except AppError as error:
            self.outcomes.append(error)
            return
        if changed is state:
            self.outcomes.append(self._unchanged(state, command))
            return
        self._note_reaction(wanted)
        number = self._counts.get(wanted.conversation_id, change_seq) + 1
        self._counts[wanted.conversation_id] = number
        self._states[place] = changed = replace(changed, change_seq=number)
        self._publish(command, shown(changed))

    def _unchanged(self, state: MessageRow, command: Command) -> Outcome:
        if state is self._before[state.conversation_id, state.id]:
            return republish(shown(state), command, self.broadcast)
        return CommandResult(shown(state).to_json(), changed=False)

    def _note_reaction(self, command: Change) -> None:
        if isinstance(command, AddReaction):
            self._reacted[_reaction(command)] = None
        elif isinstance(command, RemoveReaction):
            self._reacted.pop(_reaction(command), None)

    def _publish(self, command: Command, row: MessageRow) -> None:
        deleted = isinstance(command.payload, DeleteMessage)
        encoded = row.to_json()
        message = orjson.Fragment(encoded)
        self.outcomes.append(CommandResult(encoded))
        event = MessageDeleted if deleted else MessageUpdated
        self._events.append(outbox.row(event, {"message": message}, format_time(self.now), command.traceparent))
        self.broadcast.to_room(
            row.conversation_id,
            sockets.MessageDeletedToClient if deleted else sockets.MessageUpdatedToClient,
            command.payload.user_id,
            message,
            change_seq=row.change_seq,
            origin=command.connection_id,
        )

    def changes(self) -> MessageChanges:
        rows = [state for place, state in self._states.items() if state is not self._before[place]]
        deleted = [row for row in rows if row.deleted_at is not None]
        gone = {row.id for row in deleted}
        return MessageChanges(
            rows=rows,
            taken_back=[r for r in self._reacted_before if r not in self._reacted and r[1] not in gone],
            reacted=[r for r in self._reacted if r not in self._reacted_before and r[1] not in gone],
            deleted=deleted,
            counts=self._counts,
            events=self._events,
        )


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """The circumstances that decide about a command beside the message's state."""

    role: Role
    now: datetime
    mentions: list[str]
    kinds_max: int
    reacted: bool
    """The user has put this very reaction before."""


def changed_by(command: Change, state: MessageRow, given: _Circumstances) -> MessageRow:
    """Return the message after the command, the same object when nothing changes. Raises the error of a refusal."""
    match command:
        case EditMessage():
            return _edited(command, state, given)
        case DeleteMessage():
            return _deleted(command, state, given)
        case AddReaction():
            return _reacted(command, state, given)
        case RemoveReaction():
            return _taken_back(command, state) if given.reacted else state


def _edited(command: EditMessage, state: MessageRow, given: _Circumstances) -> MessageRow:
    if not rules.may_edit(command.user_id, state.sender_id):
        raise ForbiddenError
    if state.deleted_at is not None:
        raise ConflictError("This message was deleted.")
    if command.body == state.body:
        return state
    return replace(state, body=command.body, mentions=given.mentions, edited_at=given.now)


def _deleted(command: DeleteMessage, state: MessageRow, given: _Circumstances) -> MessageRow:
    if not rules.may_delete(command.user_id, given.role, state.sender_id):
        raise ForbiddenError
    if state.deleted_at is not None:
        return state
    return replace(state, body="", mentions=[], reactions={}, reaction_counts={}, deleted_at=given.now)


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


def _reaction(command: AddReaction | RemoveReaction) -> Reaction:
    return command.conversation_id, command.message_id, command.emoji, command.user_id


def shown(row: MessageRow) -> MessageRow:
    """Return the message listing only the first users who reacted, as clients see it."""
    # More of them were read, in case some of the first take their reaction back.
    most = rules.listed_max(len(row.reaction_counts))
    return replace(row, reactions={emoji: user_ids[:most] for emoji, user_ids in row.reactions.items()})
