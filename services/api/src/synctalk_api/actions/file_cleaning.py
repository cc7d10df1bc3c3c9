"""Delete the files that nothing uses any more, and their bytes.

An avatar goes when it was nobody's picture twice, `unused_s` apart; a file that was never sent when it is due; one of a
message as soon as that is deleted. Of these a deletion leaves a note in the conversation's own store, from where they
are brought to the main store, which has the files.
"""

from collections.abc import Sequence

from synctalk_runtime.background import Loop
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.postgres import Connection

from synctalk_api.actions.files import keys_of
from synctalk_api.clients.object_store import ObjectStore
from synctalk_api.store import files
from synctalk_api.store.files import FileRow
from synctalk_api.store.stores import Store, Stores

BATCH = 50
IDLE_S = 5.0


class FileCleaning:
    """Every process takes part, one of them at a time."""

    def __init__(self, stores: Stores, objects: ObjectStore, unused_s: float) -> None:
        self._stores = stores
        self._objects = objects
        self._unused_s = unused_s
        self._loop = Loop("file-cleaning", self._clean, min(IDLE_S, unused_s))
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _clean(self) -> bool:
        released = [await self._release(store) for store in self._stores.all]
        return await self._clean_due() or any(released)

    async def _release(self, store: Store) -> bool:
        """Bring the files of deleted messages to the main store; return whether there may be more."""
        try:
            async with store.postgres.transaction() as conn:
                unused = await files.newly_unused(conn, BATCH)
                if unused:
                    async with self._stores.main.postgres.transaction() as main:
                        await files.release(main, unused)
                    await files.forget_unused(conn, unused)
        except UnavailableError:  # the others do not wait for it
            return False
        return len(unused) == BATCH

    async def _clean_due(self) -> bool:
        """Delete some of what is due; return whether there may be more."""
        async with self._stores.main.postgres.transaction() as conn:
            due = await files.take_due(conn, BATCH)
            if not due:
                return False
            sent = [row.id for row in due if await self._is_sent(row)]
            avatars = await self._kept_avatars([row for row in due if row.purpose == "avatar"])
            await files.keep_due(conn, sent)
            if avatars:
                await files.postpone(conn, avatars, self._unused_s)
            await self._delete(conn, [row for row in due if row.id not in avatars and row.id not in sent])
        return len(due) == BATCH

    async def _delete(self, conn: Connection, gone: Sequence[FileRow]) -> None:
        """The bytes first: a row without them is deleted by the next round, bytes without a row never."""
        shared = await files.of_others(conn, gone)
        await self._objects.delete([key for row in gone for key in keys_of(row, shared)])
        await files.delete(conn, [row.id for row in gone])

    async def _is_sent(self, row: FileRow) -> bool:
        """Return whether a message has the file: the process that sent it may have died before it noted that."""
        name = row.message_name
        if row.unused or name is None:
            return False
        async with self._stores.reading(name.conversation_id) as conn:
            state = await files.state_of_message(conn, name, row.owner_id)
        if state is None:
            await self._stores.require_here(self._stores.of(name.conversation_id), [name.conversation_id])
        return state is not None and not state.deleted

    async def _kept_avatars(self, avatars: Sequence[FileRow]) -> dict[str, bool]:
        """Return by id the avatars that stay, and whether nobody uses them now."""
        ids = [row.id for row in avatars]

        async def used_in(store: Store) -> set[str]:
            async with store.postgres.connection() as conn:
                return await files.used_avatars(conn, ids)

        if not ids:
            return {}
        answers = await self._stores.everywhere(used_in)
        if not answers.complete:
            raise UnavailableError
        used = set().union(*answers.values)
        return {
            row.id: row.id not in used for row in avatars if row.id in used or (row.state == "ready" and not row.unused)
        }
