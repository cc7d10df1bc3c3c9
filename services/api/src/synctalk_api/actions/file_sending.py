"""Messages with files: each file is completed and taken for the message before that is written.

The files are in the main store and the message is in its conversation's. A file is taken by the message's name
(conversation, sender, `client_message_id`), so a repeat takes the same again, and whoever finds it later can see
whether there is such a message. Where a process dies in between, the cleaning decides by that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from synctalk_contracts.commands import SendMessage
from synctalk_contracts.models import File, FileState
from synctalk_runtime.errors import AppError, InvalidError, NotFoundError, UnavailableError

from synctalk_api import rules
from synctalk_api.actions.commands import Command, CommandResult, Outcome
from synctalk_api.actions.files import Files
from synctalk_api.actions.forwards import source_of
from synctalk_api.settings import Settings
from synctalk_api.store import files, members
from synctalk_api.store.files import FileRow, MessageName, MessageState
from synctalk_api.store.stores import Stores

NOT_FREE = "must be the ids of your own files that no message has"
NOT_COMPLETE = "must be files whose bytes are sent and are what was announced"

Write = Callable[[Command], Awaitable[Outcome]]


class FileSending:
    def __init__(self, stores: Stores, completing: Files, settings: Settings) -> None:
        self._stores = stores
        self._completing = completing
        self._complete_s = settings.file_inspection_s
        self._unused_s = settings.file_unused_s

    async def send(self, command: Command, write: Write) -> Outcome:
        """Take the files and write the message. Raises the error of a refusal; or returns that of `write`."""
        payload = cast(SendMessage, command.payload)
        name = MessageName(payload.conversation_id, payload.user_id, payload.client_message_id)
        if await self._state(name) is not None:
            return await write(command)  # a repeat, which is judged by what it says
        taken = await self._take(payload, name) if payload.forward is None else await self._copy(payload, name)
        outcome = await write(replace(command, files=taken))
        # Either note may be lost: the cleaning looks for the message before it deletes a file.
        with suppress(UnavailableError):
            await self._settle([file.id for file in taken], name, outcome)
        return outcome

    async def _state(self, name: MessageName) -> MessageState | None:
        """Return the message that has this name already. Raises NotFoundError: the sender is no member."""
        async with self._stores.reading(name.conversation_id) as conn:
            if await members.role_of(conn, name.conversation_id, name.sender_id) is None:
                raise NotFoundError
            return await files.state_of_message(conn, name, name.sender_id)

    async def _complete(self, payload: SendMessage) -> None:
        """Complete those that are not. Raises InvalidError, and UnavailableError when it takes too long."""
        async with self._stores.main.reads.connection() as conn:
            rows = await files.by_ids(conn, payload.file_ids)
        if not all(file_id in rows and _may_send(rows[file_id], payload) for file_id in payload.file_ids):
            raise InvalidError.of("file_ids", NOT_FREE)
        pending = [row.id for row in rows.values() if row.state is FileState.PENDING]
        try:
            async with asyncio.timeout(self._complete_s):
                for file_id in pending:
                    await self._completing.complete(payload.user_id, file_id)
        except TimeoutError as error:
            raise UnavailableError from error
        except InvalidError as error:
            raise InvalidError.of("file_ids", NOT_COMPLETE) from error
        except NotFoundError as error:
            raise InvalidError.of("file_ids", NOT_FREE) from error

    async def _take(self, payload: SendMessage, name: MessageName) -> list[File]:
        await self._complete(payload)
        file_ids = payload.file_ids
        async with self._stores.main.changes.transaction() as conn:
            rows = await files.take(conn, file_ids, name)
            if len(rows) < len(file_ids):
                raise InvalidError.of("file_ids", NOT_FREE)
        return [rows[file_id].to_file() for file_id in file_ids]

    async def _copy(self, payload: SendMessage, name: MessageName) -> list[File]:
        """Return new files with the bytes of those of the message that is forwarded."""
        source = await source_of(self._stores, payload)
        if isinstance(source, AppError) or not source.files:
            return []  # the writer finds the same, and refuses it
        message = (name.conversation_id, name.sender_id, name.client_message_id)
        copies = {str(file["id"]): rules.copy_id(file["id"], message) for file in source.files}
        async with self._stores.main.changes.transaction() as conn:
            rows = await files.copy(conn, copies, name, self._unused_s)
            if len(rows) < len(copies):
                raise InvalidError.of("forward", "must name a message whose files are still there")
        return [rows[copy_id].to_file() for copy_id in copies.values()]

    async def _settle(self, file_ids: Sequence[str], name: MessageName, outcome: Outcome) -> None:
        if not file_ids:
            return
        if isinstance(outcome, CommandResult):
            async with self._stores.main.changes.connection() as conn:
                await files.keep(conn, file_ids, name)
        elif not isinstance(outcome, UnavailableError) and not await self._is_written(name):
            async with self._stores.main.changes.connection() as conn:
                await files.give_back(conn, file_ids, name)

    async def _is_written(self, name: MessageName) -> bool:
        """Return whether another command of the same name was written meanwhile, which has the files then."""
        try:
            return await self._state(name) is not None
        except NotFoundError:
            return False


def _may_send(row: FileRow, payload: SendMessage) -> bool:
    taken = row.message_name
    return (
        row.owner_id == payload.user_id
        and row.purpose == "message"
        and row.state is not FileState.REFUSED
        and not row.unused
        and (taken is None or (taken.conversation_id, taken.client_message_id) == _names(payload))
    )


def _names(payload: SendMessage) -> tuple[str, str]:
    return payload.conversation_id, payload.client_message_id


def has_files(command: Command) -> bool:
    """Return whether it sends a message that has files, or forwards one that may have some."""
    payload = command.payload
    return isinstance(payload, SendMessage) and (bool(payload.file_ids) or payload.forward is not None)
