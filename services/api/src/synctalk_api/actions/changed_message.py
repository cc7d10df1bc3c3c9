"""What a message is after a command, and which commands are refused: pure, for `changes.py`, which reads and writes."""

from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_contracts.links import links_of
from synctalk_contracts.models import Role
from synctalk_contracts.text import shows_something
from synctalk_runtime.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
)

from synctalk_api import rights, rules
from synctalk_api.actions.commands import (
    FinishStream,
    PinMessage,
    ShowPreviews,
    UnpinMessage,
)
from synctalk_api.rights import Operation
from synctalk_api.rules import Mentions
from synctalk_api.store.message_changes import Reaction
from synctalk_api.store.messages import MessageRow

Change = (
    EditMessage | DeleteMessage | AddReaction | RemoveReaction | PinMessage | UnpinMessage | ShowPreviews | FinishStream
)

ENDING = (DeleteMessage, FinishStream)
"""What is possible in a conversation where one may write no more."""


@dataclass(frozen=True, slots=True)
class Locked:
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
    def of(cls, row: asyncpg.Record, role: Role) -> "Locked":
        numbers = row["change_seq"], row["last_seq"], row["members_count"], row["pins_count"]
        times = row["archived_at"], row["muted_until"]
        return cls(row["type"], role, *numbers, row["system_messages"], *times, row["hides"], row["begins_after"])


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The circumstances that decide about a command beside the message's state."""

    locked: Locked
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


def changed_by(command: Change, state: MessageRow, given: Circumstances) -> MessageRow:
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


def _edited(command: EditMessage, state: MessageRow, given: Circumstances) -> MessageRow:
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


def _deleted(command: DeleteMessage, state: MessageRow, given: Circumstances) -> MessageRow:
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


def _finished(command: FinishStream, state: MessageRow, given: Circumstances) -> MessageRow:
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


def _reaction_changed(command: AddReaction | RemoveReaction, state: MessageRow, given: Circumstances) -> MessageRow:
    if isinstance(command, AddReaction):
        return _reacted(command, state, given)
    return _taken_back(command, state) if given.reacted else state


def _reacted(command: AddReaction, state: MessageRow, given: Circumstances) -> MessageRow:
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


def _with_pin(command: PinMessage | UnpinMessage, state: MessageRow, given: Circumstances) -> MessageRow:
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


def reaction_of(command: AddReaction | RemoveReaction) -> Reaction:
    """Return what names the reaction that a command is about."""
    return command.conversation_id, command.message_id, command.emoji, command.user_id
