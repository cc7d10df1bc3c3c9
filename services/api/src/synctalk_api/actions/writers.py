"""The writers of this process, one for each store: a store that is slow or away takes only its own commands with it."""

from collections.abc import Sequence
from functools import partial

from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError, UnavailableError

from synctalk_api.actions.commands import Command, CommandResult, Outcome
from synctalk_api.actions.file_sending import FileSending, has_files
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.writer import Writer
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Store, Stores

MOVING_RETRY_S = 1.0
FILES_STOP_S = 5.0
FILES_AT_ONCE = 200
"""Maximum number of messages from the queues whose files are taken at the same time; beyond it they are refused."""


class Writers:
    def __init__(
        self, stores: Stores, settings: Settings, fanout: Fanout, file_sending: FileSending, live: LiveTexts
    ) -> None:
        self._stores = stores
        self._fanout = fanout
        self._file_sending = file_sending
        self._with_files = Tasks()
        self.by_store = {store: Writer(stores, store, settings, fanout, live) for store in stores.all}
        self.max_batch = settings.write_batch_commands
        """What is accepted together is never divided within a store, and no more than this."""

    async def start(self) -> None:
        for writer in self.by_store.values():
            await writer.start()

    async def stop(self) -> None:
        """Write what still waits. Nothing may be submitted any more."""
        await self._with_files.stop(FILES_STOP_S)
        for writer in self.by_store.values():
            await writer.stop()

    async def write(self, command: Command) -> CommandResult:
        """Write a command of REST and return its result after the commit.

        Raises the error with which it was refused, and UnavailableError at once when it would wait too long.
        """
        conversation_id = command.payload.conversation_id
        if self._stores.is_moving(conversation_id):
            raise UnavailableError(retry_after=MOVING_RETRY_S)
        writer = self.by_store[self._stores.of(conversation_id)]
        if not has_files(command):
            return await writer.write(command)
        outcome = await self._file_sending.send(command, partial(_written, writer))
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def write_all(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Write commands of REST without files for one conversation, in this sequence, and return their outcomes.

        Raises UnavailableError at once when they would wait too long.
        """
        conversation_id = commands[0].payload.conversation_id
        if self._stores.is_moving(conversation_id):
            raise UnavailableError(retry_after=MOVING_RETRY_S)
        return await self.by_store[self._stores.of(conversation_id)].write_all(commands)

    async def accept(self, commands: Sequence[Command]) -> None:
        """Accept the commands of a queue; they are replied to after the commit.

        They are written in this sequence, but for messages with files: those wait for these, and nothing for them.
        """
        with_files = [command for command in commands if has_files(command)]
        for command in with_files:
            if len(self._with_files) < FILES_AT_ONCE:
                self._with_files.spawn("message-with-files", self._send_with_files(command))
            else:
                self._reply(command, UnavailableError())
        plain = [command for command in commands if not has_files(command)] if with_files else commands
        if plain:
            await self._accept(plain)

    async def _send_with_files(self, command: Command) -> None:
        conversation_id = command.payload.conversation_id
        try:
            if self._stores.is_moving(conversation_id):
                raise UnavailableError(retry_after=MOVING_RETRY_S)
            writer = self.by_store[self._stores.of(conversation_id)]
            await self._file_sending.send(command, partial(_replied, writer))
        except AppError as error:
            self._reply(command, error)

    def _reply(self, command: Command, outcome: Outcome) -> None:
        if command.reply_to is None:
            return
        broadcast = Broadcast()
        broadcast.reply(command.reply_to, command.reply(outcome))
        self._fanout.publish(broadcast)

    async def _accept(self, commands: Sequence[Command]) -> None:
        """Accept those without files.

        One store's backlog may be waited for while it is full: the broker's queue is the buffer. Of several none waits
        for another, so what does not fit is refused.
        """
        if not self._stores.several:
            await self.by_store[self._stores.main].accept(commands)
            return
        for store, here in self._grouped(commands).items():
            writer = self.by_store[store]
            moving = [command for command in here if self._stores.is_moving(command.payload.conversation_id)]
            staying = [command for command in here if command not in moving] if moving else here
            if writer.full:
                moving, staying = here, []
            if moving:
                writer.refuse(moving)
            if staying:
                await writer.accept(staying)

    def refuse(self, commands: Sequence[Command], error: AppError) -> None:
        """Reply with an error to commands of a queue."""
        self.by_store[self._stores.main].refuse(commands, error)

    def _grouped(self, commands: Sequence[Command]) -> dict[Store, list[Command]]:
        groups: dict[Store, list[Command]] = {}
        for command in commands:
            groups.setdefault(self._stores.of(command.payload.conversation_id), []).append(command)
        return groups


async def _written(writer: Writer, command: Command) -> Outcome:
    """Write a command of REST and return its outcome."""
    try:
        return await writer.write(command)
    except AppError as error:
        return error


async def _replied(writer: Writer, command: Command) -> Outcome:
    """Write a command of a queue, to which the writer replies, and return its outcome."""
    (outcome,) = await (await writer.accept([command]))
    return outcome
