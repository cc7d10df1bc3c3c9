"""Live events without gaps: what comes by the socket and what `sync` answers become one ordered stream.

`sync` is asked after each `ready` for what differs, on `sync:required`, and when a gap does not close by itself. One
call is under way at a time; what does not finish before the connection is lost is wanted again after the next `ready`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from synctalk.auth import TokenSource
from synctalk.connection import Connection
from synctalk.errors import CallError, NoAnswerError
from synctalk.events import (
    Connected,
    Disconnected,
    Event,
    MemberChanged,
    MessageDelta,
    MessageEphemeral,
    PresenceChanged,
    ReceiptUpdated,
    Typing,
    UserUpdated,
)
from synctalk.following import Change, Cursor, Following
from synctalk.models import Conversation, EphemeralMessage, Message, Presence, SyncState, User
from synctalk.queue import EventQueue, Step
from synctalk.rest import Rest
from synctalk.timing import backoff_s

MAX_CURSORS = 20
"""Of the 100 that the server takes: an answer has up to 100 messages for each."""

GAP_GRACE_S = 0.4
"""Acks and events come in no promised order: a gap that closes by itself within this is none."""

MESSAGES = frozenset({"message:new", "message:updated", "message:deleted"})
DURABLE = MESSAGES | {"member:changed", "conversation:updated"}


class Live:
    def __init__(
        self, base_url: str, tokens: TokenSource, rest: Rest, cursors: Mapping[str, Cursor], transports: tuple[str, ...]
    ) -> None:
        self.connection = Connection(base_url, tokens, self._receive, transports)
        self._rest = rest
        self._following = Following(cursors)
        self._done: dict[str, Cursor] = dict(cursors)
        self._wanted: dict[str, Cursor | None] = {}
        self._wake = asyncio.Event()
        self._queue = EventQueue(self._wake.set)
        self._watched: dict[str, None] = {}
        self._is_new = False
        """Whether something is to be done for a connection that is new."""
        self._more = False
        self._gap_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.connection.run()), asyncio.create_task(self._keep_synced())]

    async def close(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def cursors(self) -> dict[str, Cursor]:
        """How far the app has come: what it asked for after it had the event before."""
        return dict(self._done)

    async def events(self) -> AsyncIterator[Event]:
        """Yield events until the session ends. Raises SessionEndedError, CallError."""
        while True:
            step = self._queue.take()
            if step is None:
                await self._arrival()
                continue
            yield step.event
            # Whoever asks for the next one has dealt with this one.
            if step.conversation_id is not None and step.cursor is not None:
                self._done[step.conversation_id] = step.cursor
            elif step.conversation_id is not None:
                self._done.pop(step.conversation_id, None)

    def send(self, payload: dict[str, Any]) -> Any:
        return self.connection.request("message:send", payload, self._take_own)

    async def watch(self, user_ids: list[str]) -> list[Presence]:
        ack = await self.connection.request("presence:subscribe", {"user_ids": user_ids})
        self._watched |= dict.fromkeys(user_ids)
        return [Presence.model_validate(item) for item in ack["items"]]

    async def unwatch(self, user_ids: list[str]) -> None:
        for user_id in user_ids:
            self._watched.pop(user_id, None)
        await self.connection.request("presence:unsubscribe", {"user_ids": user_ids})

    async def _arrival(self) -> None:
        """Wait for an event, or raise what ended the connection."""
        waiting = asyncio.create_task(self._queue.wait())
        try:
            done, _ = await asyncio.wait({waiting, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            waiting.cancel()

    def _put(self, conversation_id: str, events: Iterable[Event]) -> None:
        """Hand events of a conversation on; the last one says how far they reach."""
        steps = [Step(event) for event in events]
        if steps:
            steps[-1] = Step(steps[-1].event, conversation_id, self._following.cursor(conversation_id))
            self._queue.put(steps)

    def _take_own(self, ack: Any) -> None:
        self._take(Message.model_validate(ack["message"]))

    def _take(self, what: Message | MemberChanged | Conversation) -> None:
        key = what.id if isinstance(what, Conversation) else what.conversation_id
        if self._queue.is_full:
            self._following.miss(key)
            self._want(key)
            return
        is_unknown = key not in self._following
        self._put(key, self._following.take(Change(key, what.change_seq, what)))
        if is_unknown:
            self._want(key)
        elif self._gap_timer is None:
            self._gap_timer = asyncio.get_running_loop().call_later(GAP_GRACE_S, self._look_for_gaps)

    def _look_for_gaps(self) -> None:
        self._gap_timer = None
        self._want(*self._following.with_gaps())

    def _want(self, *conversation_ids: str) -> None:
        """Sync from what is known now, even if more is known by then: what was before may have changed as well."""
        for key in conversation_ids:
            self._wanted.setdefault(key, self._following.cursor(key))
        self._wake.set()

    def _receive(self, event: str, payload: Any) -> None:
        try:
            self._handle(event, payload)
        except (ValidationError, KeyError, TypeError):
            # Not as the contract says: what it changed is fetched.
            self._want(*self._following.conversation_ids)

    def _handle(self, event: str, payload: Any) -> None:
        if event in DURABLE:
            self._take(_durable(event, payload))
            return
        match event:
            case "ready":
                self._queue.put([Step(Connected(payload["connection_id"]))])
                self._is_new, self._more = True, payload["more"]
                states = {item["id"]: Cursor(item["change_seq"], item["last_seq"]) for item in payload["conversations"]}
                self._connected(states, complete=not self._more)
            case "disconnected":
                self._queue.put([Step(Disconnected())])
            case "conversation:new":
                self._put(payload["id"], self._following.added(Conversation.model_validate(payload)))
            case "conversation:removed":
                self._put(payload["id"], self._following.removed(payload["id"]))
            case "sync:required":
                self._want(*(payload["conversation_ids"] or self._following.conversation_ids))
            case _:
                passing = _passing(event, payload)
                if passing is not None and not self._queue.is_full:
                    self._queue.put([Step(passing)])

    async def _keep_synced(self) -> None:
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self.connection.is_live and not self._queue.is_full and (self._is_new or self._wanted):
                    await self._catch_up()
                    failures = 0
            except (CallError, NoAnswerError, ValidationError):
                await asyncio.sleep(backoff_s(failures))
                failures += 1
                self._wake.set()

    async def _catch_up(self) -> None:
        if self._is_new:
            self._is_new = False
            try:
                await self._complete()
            except BaseException:
                self._is_new = True
                raise
        wanted = {key: self._wanted.pop(key) for key in sorted(self._wanted)[:MAX_CURSORS]}
        if wanted:
            try:
                await self._sync(wanted)
            except BaseException:
                self._wanted |= wanted
                raise

    async def _complete(self) -> None:
        """Fetch what `ready` did not have, and ask again for what the connection before had asked for."""
        if self._more:
            states = {
                conversation.id: Cursor(conversation.change_seq, conversation.last_seq)
                async for conversation in self._rest.conversations()
            }
            self._connected(states, complete=True)
        await self._watch_again()

    def _connected(self, states: Mapping[str, Cursor], *, complete: bool) -> None:
        is_first = not self._done
        self._want(*self._following.connected(states, complete=complete))
        if is_first:
            self._done |= {key: cursor for key in states if (cursor := self._following.cursor(key))}

    async def _watch_again(self) -> None:
        if self._watched:
            for presence in await self.watch(list(self._watched)):
                self._queue.put([Step(PresenceChanged(presence))])

    async def _sync(self, wanted: Mapping[str, Cursor | None]) -> None:
        for key in wanted:
            self._following.expect(key)
        known = {key: cursor or self._following.cursor(key) for key, cursor in wanted.items()}
        cursors = {key: cursor.change_seq for key, cursor in known.items() if cursor is not None}
        if not cursors:
            return
        ack = await self.connection.request("sync", {"cursors": cursors})
        for key, raw in ack["conversations"].items():
            state = SyncState.model_validate(raw)
            if state.removed:
                self._put(key, self._following.removed(key))
            elif state.reset:
                conversation = await self._rest.conversation(key)
                self._put(key, self._following.reset(key, state.change_seq, conversation.last_seq))
            else:
                self._put(key, self._following.synced(key, state))
                if state.more:
                    self._want(key)


def _durable(event: str, payload: Any) -> Message | MemberChanged | Conversation:
    if event in MESSAGES:
        return Message.model_validate(payload)
    if event == "conversation:updated":
        return Conversation.model_validate(payload)
    until = payload.get("muted_until")
    return MemberChanged(
        payload["conversation_id"],
        payload["user_id"],
        payload["role"],
        payload["change_seq"],
        until and datetime.fromisoformat(until),
    )


def _passing(event: str, payload: Any) -> Event | None:
    """Return an event without a number; None: it is of no interest to an app, or not known here."""
    make = _PASSING.get(event)
    return None if make is None else make(payload)


_PASSING: dict[str, Callable[[Any], Event]] = {
    "message:ephemeral": lambda payload: MessageEphemeral(EphemeralMessage.model_validate(payload)),
    "message:delta": lambda payload: MessageDelta(
        payload["conversation_id"], payload["message_id"], payload["at"], payload["text"]
    ),
    "receipt:updated": lambda payload: ReceiptUpdated(
        payload["conversation_id"], payload["user_id"], payload["delivered_seq"], payload["read_seq"]
    ),
    "typing": lambda payload: Typing(
        payload["conversation_id"], payload["user_id"], payload["active"], payload.get("thread_id")
    ),
    "presence:changed": lambda payload: PresenceChanged(Presence.model_validate(payload)),
    "user:updated": lambda payload: UserUpdated(User.model_validate(payload)),
}
