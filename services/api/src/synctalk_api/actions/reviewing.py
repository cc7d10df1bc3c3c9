"""The message hook's place in front of the writers: new and edited messages wait for its answer, in order within a
conversation; everything else passes."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

from synctalk_contracts.commands import EditMessage, SendMessage
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError, ForbiddenError, UnavailableError

from synctalk_api.actions.commands import Command, CommandResult, FinishStream, Outcome
from synctalk_api.actions.forwards import sources_of
from synctalk_api.actions.writers import Writers
from synctalk_api.clients.message_hook import HookAnswer, HookedMessage, HookQuestion, MessageHook
from synctalk_api.store import message_keys
from synctalk_api.store.stores import Stores

Hooked = SendMessage | EditMessage | FinishStream
"""What the hook is asked about. Of a streamed message it is the end, when there is the whole text."""

MAX_REVIEWED = 1_000
"""Commands that wait for the hook at once; further ones wait at the broker, or are refused over REST."""


class CommandWriters(Protocol):
    """What takes commands: the writers, or the review before them."""

    max_batch: int

    async def write(self, command: Command) -> CommandResult: ...
    async def write_all(self, commands: Sequence[Command]) -> Sequence[Outcome]: ...
    async def accept(self, commands: Sequence[Command]) -> None: ...


class ReviewedWriters:
    """Asks the hook before a command goes to the writers."""

    def __init__(self, writers: Writers, stores: Stores, hook: MessageHook, *, refuses_unanswered: bool) -> None:
        self._writers = writers
        self._stores = stores
        self._hook = hook
        self._refuses_unanswered = refuses_unanswered
        self._space = asyncio.Semaphore(MAX_REVIEWED)
        self._tasks = Tasks()
        self._last: dict[str, asyncio.Future[None]] = {}
        """By conversation: done when the one that came last is with the writers."""
        self.max_batch = writers.max_batch

    async def start(self) -> None:
        """Nothing begins before the first command."""

    async def stop(self) -> None:
        """Let what waits for the hook get to the writers."""
        await self._tasks.stop(within_s=5.0)

    async def write(self, command: Command) -> CommandResult:
        """Ask, then write. Raises what the writers raise, ForbiddenError when the hook refuses the message."""
        if not _is_reviewed(command):
            return await self._writers.write(command)
        if self._space.locked():
            raise UnavailableError
        async with self._space:
            before, placed = self._queue(command.payload.conversation_id)
            try:
                [reviewed] = await self._review([command])
                if before is not None:
                    await asyncio.wait([before])
                if isinstance(reviewed, AppError):
                    raise reviewed
                writing = asyncio.ensure_future(self._writers.write(reviewed))
                await asyncio.sleep(0)  # then it has its place in the backlog
            finally:
                self._placed(command.payload.conversation_id, placed)
        return await writing

    async def write_all(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Write commands of server keys, about which the hook is not asked."""
        return await self._writers.write_all(commands)

    async def accept(self, commands: Sequence[Command]) -> None:
        """Accept the commands of a queue; they are replied to after the commit, or with the hook's refusal."""
        passing = [command for command in commands if not _is_reviewed(command)]
        by_conversation: dict[str, list[Command]] = defaultdict(list)
        for command in commands:
            if _is_reviewed(command):
                await self._space.acquire()
                by_conversation[command.payload.conversation_id].append(command)
        for conversation_id, reviewed in by_conversation.items():
            before, placed = self._queue(conversation_id)
            self._tasks.spawn("review", self._accept_reviewed(conversation_id, reviewed, before, placed))
        if passing:
            await self._writers.accept(passing)

    async def review(self, command: Command) -> Command | AppError:
        """Return the end of a stream as it may be written, or the error with which it is refused."""
        return await self._asked(command)

    async def _accept_reviewed(
        self,
        conversation_id: str,
        commands: list[Command],
        before: "asyncio.Future[None] | None",
        placed: "asyncio.Future[None]",
    ) -> None:
        try:
            reviewed = await self._review(commands)
            if before is not None:
                await asyncio.wait([before])
            for command, outcome in zip(commands, reviewed, strict=True):
                if isinstance(outcome, AppError):
                    self._writers.refuse([command], outcome)
            passed = [outcome for outcome in reviewed if isinstance(outcome, Command)]
            if passed:
                await self._writers.accept(passed)
        finally:
            self._placed(conversation_id, placed)
            for _ in commands:
                self._space.release()

    def _queue(self, conversation_id: str) -> "tuple[asyncio.Future[None] | None, asyncio.Future[None]]":
        """Return what to wait for, and what to set when the next one's turn is."""
        before = self._last.get(conversation_id)
        placed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last[conversation_id] = placed
        return before, placed

    def _placed(self, conversation_id: str, placed: "asyncio.Future[None]") -> None:
        placed.set_result(None)
        if self._last.get(conversation_id) is placed:
            del self._last[conversation_id]

    async def _review(self, commands: Sequence[Command]) -> list[Command | AppError]:
        """Return each command of one conversation as it may be written, or the error with which it is refused."""
        stored = await self._stored(commands)
        return list(await asyncio.gather(*(self._reviewed(command, stored) for command in commands)))

    async def _reviewed(self, command: Command, stored: set[tuple[str, str]]) -> Command | AppError:
        payload = command.payload
        assert isinstance(payload, SendMessage | EditMessage)
        if isinstance(payload, SendMessage) and (payload.user_id, payload.client_message_id) in stored:
            return command
        if isinstance(payload, SendMessage) and payload.forward is not None:
            source = (await sources_of(self._stores, [payload]))[0]
            if isinstance(source, AppError):  # the writers will say so
                return command
            return await self._asked(command, source.body)
        return await self._asked(command)

    async def _asked(self, command: Command, forwarded: str | None = None) -> Command | AppError:
        payload = cast(Hooked, command.payload)
        answer = await self._hook.ask(_question(payload, payload.body if forwarded is None else forwarded))
        if answer is None:
            return UnavailableError() if self._refuses_unanswered else command
        if answer.action == "refuse":
            return ForbiddenError(details={"reason": answer.reason or ""})
        return _replaced(command, answer) if answer.action == "replace" else command

    async def _stored(self, commands: Sequence[Command]) -> set[tuple[str, str]]:
        """Return the keys of messages that are stored already: the hook has been asked about them."""
        sent = [command.payload for command in commands if isinstance(command.payload, SendMessage)]
        keys = [(payload.user_id, payload.client_message_id) for payload in sent]
        if not keys:
            return set()
        conversation_id = commands[0].payload.conversation_id
        try:
            async with self._stores.reading(conversation_id) as conn:
                return await message_keys.known(conn, conversation_id, keys)
        except UnavailableError:  # the writers will say so
            return set()


def _is_reviewed(command: Command) -> bool:
    return isinstance(command.payload, SendMessage | EditMessage) and not command.by_host


def _question(payload: Hooked, body: str) -> HookQuestion:
    return HookQuestion(
        type="edit" if isinstance(payload, EditMessage) else "create",
        message=HookedMessage(
            conversation_id=payload.conversation_id,
            sender_id=payload.user_id,
            body=body,
            metadata=payload.metadata if isinstance(payload, SendMessage) else {},
            client_message_id=None if isinstance(payload, EditMessage) else payload.client_message_id,
        ),
    )


def _replaced(command: Command, answer: HookAnswer) -> Command:
    payload = command.payload
    update: dict[str, Any] = {}
    if answer.body is not None:
        update["body"] = answer.body
    if not isinstance(payload, SendMessage):
        return replace(command, payload=payload.model_copy(update=update))
    if answer.metadata is not None:
        update["metadata"] = answer.metadata
    return replace(command, payload=payload.model_copy(update=update), given=payload)
