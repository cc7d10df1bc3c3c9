"""Puts the changes of each conversation into their order, without gaps and repeats; pure, no I/O.

A change that comes before its predecessors is buffered until they are there, by their own events or by `sync`. The
cursor of a conversation is the `change_seq` up to which every change was handed on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from synctalk.events import (
    ConversationAdded,
    ConversationRemoved,
    ConversationUpdated,
    Event,
    HistoryReset,
    MemberChanged,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
)
from synctalk.models import Conversation, Message, SyncState
from synctalk.progress import Progress

MAX_BUFFERED = 1_000
"""Changes of one conversation that wait for a predecessor; with more of them they are fetched again instead."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a conversation is known."""

    change_seq: int
    last_seq: int
    """All messages up to this number were seen."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it came."""

    conversation_id: str
    change_seq: int
    what: Message | MemberChanged | Conversation


@dataclass(slots=True)
class _Followed:
    up_to: int
    seqs: Progress
    is_known: bool
    """Whether the app knows that it is in this conversation."""
    buffered: dict[int, Change] = field(default_factory=dict)


class Following:
    """All conversations of a user."""

    def __init__(self, cursors: Mapping[str, Cursor]) -> None:
        self._followed = {
            key: _Followed(cursor.change_seq, Progress(cursor.last_seq), is_known=True)
            for key, cursor in cursors.items()
        }
        self._from_now = not cursors
        """Until the conversations of the first connection are known: what is not known yet is followed from now on.
        Later it was joined during an absence, and is followed from its beginning."""

    def __contains__(self, conversation_id: str) -> bool:
        return conversation_id in self._followed

    @property
    def conversation_ids(self) -> list[str]:
        return list(self._followed)

    def cursor(self, conversation_id: str) -> Cursor | None:
        followed = self._followed.get(conversation_id)
        return None if followed is None else Cursor(followed.up_to, followed.seqs.up_to)

    def with_gaps(self) -> list[str]:
        return [key for key, followed in self._followed.items() if followed.buffered]

    def connected(self, states: Mapping[str, Cursor], *, complete: bool) -> list[str]:
        """Take the state of one's conversations at the server, all of them if `complete`; return those to sync."""
        for key, state in states.items():
            if key not in self._followed:
                begin = state if self._from_now else Cursor(0, 0)
                self._followed[key] = _Followed(begin.change_seq, Progress(begin.last_seq), self._from_now)
        self._from_now = self._from_now and not complete
        return [
            key
            for key, followed in self._followed.items()
            if followed.buffered or (states[key].change_seq != followed.up_to if key in states else complete)
        ]

    def expect(self, conversation_id: str) -> None:
        """Follow a conversation of which something is missing, if it is not known yet."""
        if not self._from_now:
            self._followed.setdefault(conversation_id, _Followed(0, Progress(), is_known=False))

    def added(self, conversation: Conversation) -> list[Event]:
        """Follow a conversation from the state that its event has."""
        if conversation.id in self._followed:
            return []
        self._followed[conversation.id] = _Followed(
            conversation.change_seq, Progress(conversation.last_seq), is_known=True
        )
        return [ConversationAdded(conversation)]

    def removed(self, conversation_id: str) -> list[Event]:
        known = self._followed.pop(conversation_id, None)
        return [] if known is None else [ConversationRemoved(conversation_id)]

    def take(self, change: Change) -> list[Event]:
        """Return what can be handed on now that this change has come."""
        followed = self._followed.get(change.conversation_id)
        if followed is None:
            followed = self._followed[change.conversation_id] = self._beginning_at(change)
        if change.change_seq <= followed.up_to:
            return []
        if len(followed.buffered) >= MAX_BUFFERED:
            followed.buffered.clear()
        # A pin comes as its message and as the conversation, with one number: the message has to stay.
        if not (isinstance(change.what, Conversation) and change.change_seq in followed.buffered):
            followed.buffered[change.change_seq] = change
        return self._advance(followed)

    def _beginning_at(self, change: Change) -> _Followed:
        if not self._from_now:
            return _Followed(0, Progress(), is_known=False)
        last_seq = change.what.seq - 1 if isinstance(change.what, Message) else 0
        return _Followed(change.change_seq - 1, Progress(last_seq), is_known=True)

    def miss(self, conversation_id: str) -> None:
        """Forget what is buffered of a conversation: it is going to be fetched."""
        if followed := self._followed.get(conversation_id):
            followed.buffered.clear()

    def synced(self, conversation_id: str, state: SyncState) -> list[Event]:
        """Take the answer to a sync that is neither a reset nor a removal."""
        followed = self._followed.get(conversation_id)
        if followed is None or state.change_seq <= followed.up_to:
            return []
        changes = [Change(conversation_id, message.change_seq, message) for message in state.messages]
        for member in state.members:
            what = MemberChanged(conversation_id, member.user.id, member.role, member.change_seq, member.muted_until)
            changes.append(Change(conversation_id, member.change_seq, what))
        is_new = not followed.is_known
        events: list[Event] = []
        if is_new and state.conversation is not None:
            followed.is_known = True
            events.append(ConversationAdded(state.conversation))
        for change in sorted(changes, key=lambda change: change.change_seq):
            if change.change_seq > followed.up_to:
                events += _events(followed, change)
        if not state.more and not is_new and state.conversation is not None:
            events.append(ConversationUpdated(state.conversation))
        return events + self._reach(followed, state.change_seq)

    def reset(self, conversation_id: str, change_seq: int, last_seq: int) -> list[Event]:
        """Go on from `change_seq`, where the history is loaded anew; it has the messages up to `last_seq`."""
        followed = self._followed.get(conversation_id)
        if followed is None:
            return []
        followed.up_to = change_seq
        followed.seqs = Progress(last_seq)
        return [HistoryReset(conversation_id, change_seq), *self._reach(followed, change_seq)]

    def _reach(self, followed: _Followed, change_seq: int) -> list[Event]:
        followed.up_to = change_seq
        followed.buffered = {number: change for number, change in followed.buffered.items() if number > change_seq}
        return self._advance(followed)

    def _advance(self, followed: _Followed) -> list[Event]:
        events: list[Event] = []
        while change := followed.buffered.pop(followed.up_to + 1, None):
            followed.up_to += 1
            events += _events(followed, change)
        return events


def _events(followed: _Followed, change: Change) -> Iterable[Event]:
    what = change.what
    if isinstance(what, MemberChanged):
        return [what]
    if isinstance(what, Conversation):
        return [ConversationUpdated(what)]
    is_new = not followed.seqs.has(what.seq)
    followed.seqs.add(what.seq)
    if what.deleted_at is not None:
        return [MessageDeleted(what)]
    return [MessageCreated(what) if is_new else MessageUpdated(what)]
