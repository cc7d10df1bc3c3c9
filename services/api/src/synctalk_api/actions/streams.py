"""Streamed messages: their start, what is appended, and their end; all other commands pass.

The start and the end are written like any message and any change of one. In between the text grows in Redis alone, and
readers are sent what is new of it ten times a second. Appends go to Redis a batch at a time, one batch after the other,
so that those of a writer stay in order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from prometheus_client import Counter
from synctalk_contracts import sockets
from synctalk_contracts.commands import AppendToStream, DeleteMessage, EndStream, SendMessage, StartStream
from synctalk_contracts.text import MAX_BODY_CHARS, shows_something
from synctalk_runtime.background import Batcher, Loop, Tasks
from synctalk_runtime.errors import (
    AppError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from synctalk_runtime.ids import new_id

from synctalk_api.actions.access import require_member
from synctalk_api.actions.commands import Command, CommandResult, EndedStream, FinishStream, Outcome
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.reviewing import CommandWriters
from synctalk_api.actions.writers import Writers
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import message_keys, messages, streaming
from synctalk_api.store.stores import Stores
from synctalk_api.store.streams import DELTA_GAP_MS, Append, Appended, Stream, StreamTexts

APPENDS = Counter("api_stream_appends_total", "Appends to streamed messages.", ["outcome"])
DELTAS = Counter("api_stream_deltas_total", "Deltas sent to readers.")

STREAMING = (StartStream, AppendToStream, EndStream)
MAX_BATCH = 500
MAX_WAITING = 10_000
"""Appends that wait for Redis; further ones are refused."""
MAX_WRITING = 1_000
"""Starts and ends under way from the queues; further ones are refused."""
STOP_S = 5.0
SHOWN_TO_ALL_S = 1.0
"""How long it is not asked again whether some members do not see what is streamed, where it was for all."""

Review = Callable[[Command], Awaitable[Command | AppError]]
"""Asks the message hook about the whole text: returns what may be written, or why nothing may."""


class Streams:
    """In front of the writers."""

    def __init__(
        self,
        stores: Stores,
        passing: CommandWriters,
        writers: Writers,
        texts: StreamTexts,
        live: LiveTexts,
        fanout: Fanout,
        places: int,
        review: Review | None,
    ) -> None:
        self._stores = stores
        self._passing = passing
        self._writers = writers
        self._texts = texts
        self._live = live
        self._fanout = fanout
        self._places = places
        self._review = review
        self._appends: Batcher[Append, Appended | UnavailableError] = Batcher("appends", self._append_batch, MAX_BATCH)
        self._unsent: dict[str, Append] = {}
        """By message, with something that readers have not been sent."""
        self._shown_to_all: dict[str, float] = {}
        """Conversations in which all members see all messages, and until when that holds, by the loop's clock."""
        self._sending = Loop("deltas", self._send_deltas)
        self._tasks = Tasks()
        self.max_batch = passing.max_batch

    async def start(self) -> None:
        await self._sending.start()

    async def stop(self) -> None:
        """Let what is under way end."""
        await self._tasks.stop(STOP_S)
        await self._sending.stop()
        await self._appends.stop()

    async def write(self, command: Command) -> CommandResult:
        """Carry out a command of REST. Raises the error with which it was refused."""
        match command.payload:
            case AppendToStream() as append:
                async with self._stores.reading(append.conversation_id) as conn:
                    await require_member(conn, append.conversation_id, append.user_id)
                outcome = await self._appended(append, await self._submit(append, None))
                if isinstance(outcome, AppError):
                    raise outcome
                return outcome
            case StartStream():
                return await self._start(command)
            case EndStream():
                return await self._end(command)
            case _:
                return await self._passing.write(command)

    async def write_all(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Write commands of server keys, which stream nothing."""
        return await self._passing.write_all(commands)

    async def accept(self, commands: Sequence[Command]) -> None:
        """Accept the commands of a queue; each is replied to when it is done."""
        streaming = [command for command in commands if isinstance(command.payload, STREAMING)]
        if not streaming:
            await self._passing.accept(commands)
            return
        appends = [command for command in streaming if isinstance(command.payload, AppendToStream)]
        if appends:
            self._accept_appends(appends)
        for command in streaming:
            if isinstance(command.payload, AppendToStream):
                continue
            if len(self._tasks) < MAX_WRITING:
                self._tasks.spawn("stream", self._write_and_reply(command))
            else:
                self._reply([command], [UnavailableError()])
        others = [command for command in commands if not isinstance(command.payload, STREAMING)]
        if others:
            await self._passing.accept(others)

    # ── start ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _start(self, command: Command) -> CommandResult:
        asked = cast(StartStream, command.payload)
        stream = Stream(new_id(), asked.conversation_id, asked.user_id, asked.client_message_id, asked.body)
        if await self._texts.reserve(asked.user_id, stream.message_id, self._places):
            await self._texts.open(stream)
        elif not await self._is_stored(asked):
            raise RateLimitedError(
                f"You can stream at most {self._places} messages at once.",
                details={"limit": "streams"},
                retry_after=1.0,
            )
        payload = SendMessage(
            conversation_id=asked.conversation_id,
            user_id=asked.user_id,
            client_message_id=asked.client_message_id,
            body=asked.body,
            thread_id=asked.thread_id,
        )
        try:
            result = await self._writers.write(
                replace(command, payload=payload, reply_to=None, stream_id=stream.message_id)
            )
        except UnavailableError:  # it may be written: if it is not, the silence ends it
            raise
        except AppError:
            self._live.end([EndedStream(stream.message_id, stream.user_id)])
            raise
        if result.changed:
            self._live.copies[stream.message_id] = stream
        else:
            self._live.end([EndedStream(stream.message_id, stream.user_id)])
        return result

    async def _is_stored(self, asked: StartStream) -> bool:
        async with self._stores.reading(asked.conversation_id) as conn:
            name = asked.user_id, asked.client_message_id
            return bool(await message_keys.known(conn, asked.conversation_id, [name]))

    # ── append ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _accept_appends(self, commands: Sequence[Command]) -> None:
        asked = [(cast(AppendToStream, command.payload), command.connection_id) for command in commands]
        appending = [self._submit(*each) for each in asked]
        self._tasks.spawn("appends", self._reply_to_appends(commands, appending))

    async def _reply_to_appends(
        self, commands: Sequence[Command], appending: "Sequence[asyncio.Future[Appended | UnavailableError]]"
    ) -> None:
        outcomes: list[Outcome] = []
        for command, future in zip(commands, appending, strict=True):
            try:
                outcomes.append(await self._appended(cast(AppendToStream, command.payload), await future))
            except AppError as error:
                outcomes.append(error)
        self._reply(commands, outcomes)

    def _submit(
        self, asked: AppendToStream, connection_id: str | None
    ) -> "asyncio.Future[Appended | UnavailableError]":
        if len(self._appends) >= MAX_WAITING:
            refused: asyncio.Future[Appended | UnavailableError] = asyncio.get_running_loop().create_future()
            refused.set_result(UnavailableError())
            return refused
        return self._appends.submit(_append(asked, connection_id))

    async def _appended(self, asked: AppendToStream, appended: Appended | UnavailableError) -> Outcome:
        """Return the outcome of an append. A text that Redis has lost is put back as far as it is known."""
        if not isinstance(appended, UnavailableError) and appended.outcome == "unknown":
            await self._put_back(asked)
            appended = await self._submit(asked, None)
        if isinstance(appended, UnavailableError):
            return appended
        if appended.outcome == "forbidden":
            await self._require_member(asked)
        return _outcome(appended)

    async def _require_member(self, asked: AppendToStream | EndStream) -> None:
        async with self._stores.reading(asked.conversation_id) as conn:
            await require_member(conn, asked.conversation_id, asked.user_id)

    async def _put_back(self, asked: AppendToStream | EndStream) -> None:
        """Open a stream again that Redis does not know, with what the database has of it.

        Raises the error that says why it is no stream of this user.
        """
        async with self._stores.reading(asked.conversation_id) as conn:
            await require_member(conn, asked.conversation_id, asked.user_id)
            found = await messages.by_ids(conn, [(asked.conversation_id, asked.message_id)])
            if not found:
                raise NotFoundError
        (row,) = found.values()
        if row.sender_id != asked.user_id:
            raise ForbiddenError
        if not row.streaming:
            raise _complete()
        await self._texts.open(Stream(row.id, row.conversation_id, row.sender_id, row.client_message_id, row.body))

    async def _append_batch(self, appends: list[Append]) -> Sequence[Appended | UnavailableError]:
        answers = await self._texts.append(appends)
        for n, (append, answer) in enumerate(zip(appends, answers, strict=True)):
            if isinstance(answer, Appended) and self._is_lost(append, answer):
                await self._texts.open(self._live.copies[append.message_id])
                [answers[n]] = await self._texts.append([append])
        broadcast = Broadcast()
        hidden = await self._hidden_from(
            [each for each, answer in zip(appends, answers, strict=True) if isinstance(answer, Appended)]
        )
        for append, answer in zip(appends, answers, strict=True):
            if isinstance(answer, UnavailableError):
                APPENDS.labels("unavailable").inc()
                continue
            APPENDS.labels(answer.outcome).inc()
            if answer.outcome == "done":
                self._live.note(append, answer.at)
                self._send(append, answer, broadcast, hidden)
        self._fanout.publish(broadcast)
        return answers

    async def _hidden_from(self, appends: Sequence[Append]) -> dict[str, list[str]]:
        """Return by message for which members it does not exist; where that cannot be known, the message is missing."""
        now = asyncio.get_running_loop().time()
        asked: dict[str, set[str]] = {}
        for append in appends:
            if self._shown_to_all.get(append.conversation_id, 0) < now:
                asked.setdefault(append.conversation_id, set()).add(append.message_id)
        self._shown_to_all = {each: until for each, until in self._shown_to_all.items() if until >= now}
        hidden = {append.message_id: list[str]() for append in appends if append.conversation_id not in asked}
        for found in await asyncio.gather(*(self._hidden_in(*each) for each in asked.items())):
            hidden |= found
        return hidden

    async def _hidden_in(self, conversation_id: str, message_ids: set[str]) -> dict[str, list[str]]:
        try:
            async with self._stores.reading(conversation_id) as conn:
                seen = await streaming.seen(conn, conversation_id, sorted(message_ids))
        except (UnavailableError, TimeoutError):
            return {}
        if not seen.hides:
            self._shown_to_all[conversation_id] = asyncio.get_running_loop().time() + SHOWN_TO_ALL_S
        return {each: seen.not_seeing.get(each, []) for each in message_ids}

    def _is_lost(self, append: Append, answer: Appended) -> bool:
        """Return whether this process knows more of the text than Redis does."""
        copy = self._live.copies.get(append.message_id)
        if copy is None or copy.user_id != append.user_id or copy.conversation_id != append.conversation_id:
            return False
        return answer.outcome == "unknown" or (answer.outcome == "gap" and len(copy.text) > answer.at)

    def _send(self, append: Append, answer: Appended, broadcast: Broadcast, hidden: Mapping[str, list[str]]) -> None:
        """Add what readers get, and see to it that they get the rest.

        A delta that nobody knows the readers of is left out: they see the gap.
        """
        if answer.delta is not None:
            self._unsent.pop(append.message_id, None)
            if append.message_id not in hidden:
                return
            DELTAS.inc()
            payload = {
                "conversation_id": append.conversation_id,
                "message_id": append.message_id,
                "at": answer.delta.at,
                "text": answer.delta.text,
            }
            broadcast.to_room(
                append.conversation_id,
                sockets.MessageDeltaToClient,
                append.user_id,
                payload,
                origin=append.connection_id,
                hidden_from=hidden[append.message_id] or None,
            )
        elif answer.is_left and append.message_id not in self._unsent:
            self._unsent[append.message_id] = replace(append, at=0, text="")
            self._sending.wake()

    async def _send_deltas(self) -> None:
        """Send what is left, once the gap between two deltas is over."""
        while self._unsent:
            await asyncio.sleep(DELTA_GAP_MS / 1000)
            unsent, self._unsent = self._unsent, {}
            with suppress(UnavailableError):
                await asyncio.gather(*(self._appends.submit(append) for append in unsent.values()))

    # ── end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _end(self, command: Command) -> CommandResult:
        asked = cast(EndStream, command.payload)
        await self._await_appends(asked)
        ended = await self._texts.end(asked.message_id)
        if ended is None:
            raise _complete()
        text, name = ended
        finish = FinishStream(
            conversation_id=asked.conversation_id,
            user_id=asked.user_id,
            message_id=asked.message_id,
            client_message_id=name,
            body=text if asked.body is None else asked.body,
        )
        return await self._finish(replace(command, payload=finish, reply_to=None))

    async def _await_appends(self, asked: EndStream) -> None:
        """Wait until all that was appended before is in. Raises the error of who may not end it."""
        nothing = AppendToStream(
            conversation_id=asked.conversation_id, user_id=asked.user_id, message_id=asked.message_id, at=0, text=""
        )
        appended = await self._submit(nothing, None)
        if isinstance(appended, UnavailableError):
            raise appended
        if appended.outcome == "unknown":
            await self._put_back(asked)
            if asked.body is None:  # how much was appended nobody knows but the writer
                again = await self._appended(nothing, await self._submit(nothing, None))
                raise _gap(again.at or 0) if isinstance(again, CommandResult) else again
        elif appended.outcome == "forbidden":
            await self._require_member(asked)
            raise ForbiddenError

    async def _finish(self, command: Command) -> CommandResult:
        """Write the end, as the message hook lets it pass; what it refuses is deleted."""
        finish = cast(FinishStream, command.payload)
        if self._review is not None and shows_something(finish.body):
            reviewed = await self._review(command)
            if isinstance(reviewed, ForbiddenError):
                gone = DeleteMessage(
                    conversation_id=finish.conversation_id, user_id=finish.user_id, message_id=finish.message_id
                )
                await self._writers.write(replace(command, payload=gone))
            if isinstance(reviewed, AppError):
                raise reviewed
            command = reviewed
        return await self._writers.write(command)

    # ── replies ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write_and_reply(self, command: Command) -> None:
        outcome: Outcome
        try:
            outcome = await self.write(command)
        except AppError as error:
            outcome = error
        self._reply([command], [outcome])

    def _reply(self, commands: Sequence[Command], outcomes: Sequence[Outcome]) -> None:
        broadcast = Broadcast()
        for command, outcome in zip(commands, outcomes, strict=True):
            if command.reply_to is not None:
                broadcast.reply(command.reply_to, command.reply(outcome))
        self._fanout.publish(broadcast)


def _append(asked: AppendToStream, connection_id: str | None) -> Append:
    return Append(asked.message_id, asked.conversation_id, asked.user_id, asked.at, asked.text, connection_id)


def _outcome(appended: Appended) -> Outcome:
    match appended.outcome:
        case "done":
            return CommandResult(at=appended.at)
        case "gap":
            return _gap(appended.at)
        case "full":
            return InvalidError.of("text", f"must not make the message longer than {MAX_BODY_CHARS} characters")
        case "ended":
            return _complete()
        case "forbidden":
            return ForbiddenError()
        case "unknown":  # it was put back, and is lost again
            return UnavailableError()


def _gap(at: int) -> ConflictError:
    return ConflictError("Text before this is missing.", details={"at": at})


def _complete() -> ConflictError:
    return ConflictError("This message is complete.")
