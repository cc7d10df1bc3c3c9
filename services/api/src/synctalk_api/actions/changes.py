"""Edits, deletions and reactions in batches: the messages are read under their conversations' locks, changed here one
order after the other, and written back by one statement, each state told with its own `change_seq`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import orjson
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_contracts.events.messages import MessageDeleted, MessageUpdated
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Role
from synctalk_runtime.errors import AppError, ConflictError, ForbiddenError, NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_api import rules
from synctalk_api.actions.mentions import mentions_in
from synctalk_api.actions.orders import Done, Order, Outcome, Written
from synctalk_api.clients.fanout import Tidings
from synctalk_api.settings import Settings
from synctalk_api.store import messages, outbox
from synctalk_api.store.messages import MessageChanges, MessageRow, Reaction

Change = EditMessage | DeleteMessage | AddReaction | RemoveReaction


async def change(postgres: Postgres, settings: Settings, orders: Sequence[Order]) -> Written:
    """Do what may be done; what is so already is answered as done and changes nothing."""
    commands = [cast(Change, order.command) for order in orders]
    async with postgres.transaction() as conn:
        locked = await messages.lock_for_change(
            conn, [c.conversation_id for c in commands], [c.user_id for c in commands]
        )
        allowed = [(c.conversation_id, c.message_id) for n, c in enumerate(commands) if n in locked]
        before = await messages.by_ids(conn, allowed) if allowed else {}
        edits = [(c.conversation_id, c.body if isinstance(c, EditMessage) else "") for c in commands]
        mentions = await mentions_in(conn, edits)
        changing = _Changing(before, utc_now(), settings.reaction_kinds_max)
        for n, order in enumerate(orders):
            row = locked.get(n)
            if row is None:
                changing.outcomes.append(NotFoundError())
            else:
                changing.take(order, commands[n], Role(row["role"]), row["change_seq"], mentions[n])
        changes = changing.changes()
        if changes.rows:
            await messages.write_changes(conn, changes, changing.now)
    return Written(changing.outcomes, changing.tidings)


class _Changing:
    """One transaction's messages while orders change them."""

    def __init__(self, before: dict[tuple[str, str], MessageRow], now: datetime, kinds_max: int) -> None:
        self.now = now
        self.outcomes: list[Outcome] = []
        self.tidings = Tidings()
        self._before = before
        self._states = dict(before)
        self._counts: dict[str, int] = {}
        self._events: list[tuple[str, str]] = []
        self._kinds_max = kinds_max

    def take(self, order: Order, command: Change, role: Role, change_seq: int, mentions: list[str]) -> None:
        place = (command.conversation_id, command.message_id)
        state = self._states.get(place)
        if state is None:
            self.outcomes.append(NotFoundError())
            return
        try:
            changed = changed_by(command, state, _Asker(role, self.now, mentions, self._kinds_max))
        except AppError as error:
            self.outcomes.append(error)
            return
        if changed is state:
            self.outcomes.append(Done(state.to_json(), changed=False))
            return
        number = self._counts.get(command.conversation_id, change_seq) + 1
        self._counts[command.conversation_id] = number
        self._states[place] = changed = replace(changed, change_seq=number)
        self._tell(order, changed)

    def _tell(self, order: Order, row: MessageRow) -> None:
        deleted = isinstance(order.command, DeleteMessage)
        encoded = row.to_json()
        message = orjson.Fragment(encoded)
        self.outcomes.append(Done(encoded))
        event = MessageDeleted if deleted else MessageUpdated
        self._events.append(outbox.row(event, {"message": message}, format_time(self.now), order.traceparent))
        self.tidings.in_room(
            row.conversation_id,
            "message:deleted" if deleted else "message:updated",
            order.command.user_id,
            message,
            change_seq=row.change_seq,
            origin=order.connection_id,
        )

    def changes(self) -> MessageChanges:
        rows = [state for place, state in self._states.items() if state is not self._before[place]]
        was = [r for row in rows for r in _reactions(self._before[row.conversation_id, row.id])]
        now_is = [r for row in rows for r in _reactions(row)]
        return MessageChanges(
            rows=rows,
            taken_back=_without(was, now_is),
            reacted=_without(now_is, was),
            counts=self._counts,
            events=self._events,
        )


@dataclass(frozen=True, slots=True)
class _Asker:
    role: Role
    now: datetime
    mentions: list[str]
    kinds_max: int


def changed_by(command: Change, state: MessageRow, asker: _Asker) -> MessageRow:
    """The message after the command; the same object when nothing changes. Raises why it may not be."""
    match command:
        case EditMessage():
            return _edited(command, state, asker)
        case DeleteMessage():
            return _deleted(command, state, asker)
        case AddReaction():
            return _reacted(command, state, asker.kinds_max)
        case RemoveReaction():
            return _taken_back(command, state)


def _edited(command: EditMessage, state: MessageRow, asker: _Asker) -> MessageRow:
    if not rules.may_edit(command.user_id, state.sender_id):
        raise ForbiddenError
    if state.deleted_at is not None:
        raise ConflictError("The message is deleted.")
    if command.body == state.body:
        return state
    return replace(state, body=command.body, mentions=asker.mentions, edited_at=asker.now)


def _deleted(command: DeleteMessage, state: MessageRow, asker: _Asker) -> MessageRow:
    if not rules.may_delete(command.user_id, asker.role, state.sender_id):
        raise ForbiddenError
    if state.deleted_at is not None:
        return state
    return replace(state, body="", mentions=[], reactions={}, deleted_at=asker.now)


def _reacted(command: AddReaction, state: MessageRow, kinds_max: int) -> MessageRow:
    if state.deleted_at is not None:
        raise ConflictError("The message is deleted.")
    people = state.reactions.get(command.emoji, [])
    if command.user_id in people:
        return state
    if not people and len(state.reactions) >= kinds_max:
        raise ConflictError(f"A message has {kinds_max} different reactions at most.")
    return replace(state, reactions=state.reactions | {command.emoji: [*people, command.user_id]})


def _taken_back(command: RemoveReaction, state: MessageRow) -> MessageRow:
    people = state.reactions.get(command.emoji, [])
    if command.user_id not in people:
        return state
    left = [user_id for user_id in people if user_id != command.user_id]
    others = {emoji: who for emoji, who in state.reactions.items() if emoji != command.emoji}
    return replace(state, reactions=state.reactions | {command.emoji: left} if left else others)


def _reactions(row: MessageRow) -> list[Reaction]:
    return [
        (row.conversation_id, row.id, emoji, user_id)
        for emoji, user_ids in row.reactions.items()
        for user_id in user_ids
    ]


def _without(some: list[Reaction], others: list[Reaction]) -> list[Reaction]:
    known = set(others)
    return [reaction for reaction in some if reaction not in known]
