"""Files: announced, uploaded past this service into a bucket (or by it into a folder), checked, and read again.

What was uploaded is copied under another key once it has been checked, so nobody changes a file that is ready.
"""

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from synctalk_contracts.models import File, FileState
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError, TooLargeError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now

from synctalk_api import rules
from synctalk_api.clients.inspector import Inspector
from synctalk_api.clients.object_store import ObjectStore
from synctalk_api.clients.upload_urls import UploadUrls
from synctalk_api.inspection.kinds import INLINE, UNKNOWN
from synctalk_api.inspection.report import THUMBNAILS, Report, cleaned_path, thumbnail_path
from synctalk_api.settings import Settings
from synctalk_api.store import files
from synctalk_api.store.files import FileRow, MessageState, Purpose
from synctalk_api.store.stores import Stores

UPLOAD_FOR = timedelta(hours=1)
READ_FOR = timedelta(minutes=5)
THUMBNAIL_TYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class Upload:
    """Where and how the bytes are to be sent."""

    url: str
    """A path of this service where the store is a folder."""
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """An object to be read: at a URL of the bucket, or from the folder."""

    location: str | Path
    content_type: str
    disposition: str


def upload_key(file_id: str) -> str:
    return f"uploads/{file_id}"


def thumbnail_key(object_key: str, size: int) -> str:
    return f"{object_key}-{size}"


def keys_of(row: FileRow, shared: Collection[str] = ()) -> list[str]:
    """Return all that the store may have of a file, but for the bytes that other files have too."""
    keys = [upload_key(row.id)]
    if row.object_key is not None and row.object_key not in shared:
        keys.append(row.object_key)
        keys += [thumbnail_key(row.object_key, size) for size in THUMBNAILS if row.has_thumbnail]
    return keys


def disposition(row_name: str, content_type: str) -> str:
    """Return the Content-Disposition: only what is known to be safe is shown in place."""
    return f"{'inline' if content_type in INLINE else 'attachment'}; filename*=UTF-8''{quote(row_name, safe='')}"


class Files:
    def __init__(self, stores: Stores, objects: ObjectStore, inspector: Inspector, settings: Settings) -> None:
        self._stores = stores
        self._store = stores.main
        self._objects = objects
        self._inspector = inspector
        self._most = {"message": settings.file_max_bytes, "avatar": settings.avatar_max_bytes}
        self._quota = settings.file_quota_bytes
        self._unused_s = settings.file_unused_s
        self._urls = UploadUrls.of(settings)

    async def announce(
        self, owner_id: str, purpose: Purpose, name: str, size: int, content_type: str
    ) -> tuple[File, Upload]:
        """Begin a file. Raises InvalidError and TooLargeError."""
        if purpose == "avatar" and not content_type.startswith("image/"):
            raise InvalidError.of("content_type", "must be a picture")
        if size > self._most[purpose]:
            raise TooLargeError(f"The file is too large: at most {self._most[purpose]} bytes.")
        file_id = new_id()
        upload = await self._upload(file_id, size, content_type)
        async with self._store.changes.transaction() as conn:
            if not await files.charge(conn, owner_id, size, self._quota):
                raise TooLargeError("Your files already use all the space that you have.")
            row = await files.add(conn, file_id, owner_id, purpose, name, size, content_type, self._unused_s)
        return row.to_file(), upload

    async def _upload(self, file_id: str, size: int, content_type: str) -> Upload:
        expires_at = utc_now() + UPLOAD_FOR
        if self._objects.folder is not None:
            url = self._urls.signed(file_id, size, expires_at)
        else:
            url = await self._objects.sign("PUT", upload_key(file_id), UPLOAD_FOR)
        headers = {"Content-Type": content_type}
        if self._objects.is_azure:
            headers["x-ms-blob-type"] = "BlockBlob"
        return Upload(url, headers, expires_at)

    async def check_upload(self, file_id: str, size: str, expires: str, signature: str, length: str) -> None:
        """Return when the edge may write so many bytes into the folder; a file of more than announced is refused.

        Raises ForbiddenError.
        """
        if self._objects.folder is None or not self._urls.is_valid(file_id, size, expires, signature, utc_now()):
            raise ForbiddenError("This address for an upload is not valid any more.")
        if not rules.is_count(length):
            raise ForbiddenError("An upload needs a Content-Length.")
        async with self._store.changes.transaction() as conn:
            row = await files.by_id(conn, file_id)
            if row is None or row.state is not FileState.PENDING:
                raise ForbiddenError("This file has been completed.")
            if int(length) <= row.size:
                return
            await files.refuse(conn, file_id)
        raise ForbiddenError(f"The file has {length} bytes instead of {size}.")

    async def get(self, user_id: str, file_id: str) -> File:
        return (await self._seen(user_id, file_id)).to_file()

    async def complete(self, user_id: str, file_id: str) -> File:
        """Check what was uploaded, once. Raises InvalidError: it does not fit; such a file stays refused."""
        row = await self._own(user_id, file_id)
        if row.state is FileState.PENDING:
            try:
                async with asyncio.timeout(self._inspector.seconds), self._inspector.gate:
                    # Another call may have settled it, while this one waited or looked for what was uploaded.
                    row = await self._row(file_id)
                    if row.state is FileState.PENDING:
                        row = await self._settled(row)
            except TimeoutError as error:
                raise UnavailableError from error
        if row.state is FileState.REFUSED:
            raise InvalidError.of("file", "was refused: its bytes are not what was announced")
        return row.to_file()

    async def _settled(self, row: FileRow) -> FileRow:
        with TemporaryDirectory(prefix="synctalk-file-", ignore_cleanup_errors=True) as folder:
            source = Path(folder) / "source"
            size = await self._objects.download(upload_key(row.id), source, row.size)
            if size is None:
                row = await self._row(row.id)
                if row.state is FileState.PENDING:
                    raise InvalidError.of("file", "has not been uploaded")
                return row
            if size != row.size:
                raise await self._refused(row, f"has {size} bytes instead of {row.size}")
            report = await self._inspector.inspect(source)
            if report.refused is not None:
                raise await self._refused(row, report.refused)
            if not rules.type_fits(row.content_type, report.content_type):
                raise await self._refused(row, f"is {report.content_type} and not {row.content_type}")
            return await self._kept(row, source, report)

    async def _refused(self, row: FileRow, why: str) -> InvalidError:
        async with self._store.changes.transaction() as conn:
            await files.refuse(conn, row.id)
        await self._objects.delete([upload_key(row.id)])
        return InvalidError.of("file", why)

    async def _kept(self, row: FileRow, source: Path, report: Report) -> FileRow:
        key = f"files/{row.id}/{secrets.token_hex(8)}"
        shown = cleaned_path(source) if cleaned_path(source).exists() else source
        served = report.content_type if report.content_type in INLINE else UNKNOWN
        how = disposition(row.name, report.content_type)
        await self._objects.upload(key, shown, served, how)
        keys = [key]
        for size in THUMBNAILS if report.has_thumbnail else ():
            keys.append(thumbnail_key(key, size))
            await self._objects.upload(keys[-1], thumbnail_path(source, size), THUMBNAIL_TYPE, "inline")
        async with self._store.changes.transaction() as conn:
            ready = await files.make_ready(
                conn,
                row.id,
                shown.stat().st_size,
                report.content_type,
                report.width,
                report.height,
                report.duration_s,
                report.blurhash,
                key,
            )
        if ready is None:
            await self._objects.delete(keys)
            return await self._row(row.id)
        await self._objects.delete([upload_key(row.id)])
        return ready

    async def content(self, user_id: str, file_id: str) -> Served:
        return await self._served(await self._seen(user_id, file_id))

    async def thumbnail(self, user_id: str, file_id: str, size: int) -> Served:
        row = await self._seen(user_id, file_id)
        if not row.has_thumbnail or row.object_key is None:
            raise NotFoundError
        return Served(await self._location(thumbnail_key(row.object_key, size)), THUMBNAIL_TYPE, "inline")

    async def avatar(self, file_id: str) -> Served:
        """Return a public picture. Raises NotFoundError."""
        row = await self._row(file_id)
        if row.purpose != "avatar":
            raise NotFoundError
        return await self._served(row)

    async def _served(self, row: FileRow) -> Served:
        if row.object_key is None:
            raise NotFoundError
        served = row.content_type if row.content_type in INLINE else UNKNOWN
        return Served(await self._location(row.object_key), served, disposition(row.name, row.content_type))

    async def _location(self, key: str) -> str | Path:
        if self._objects.folder is not None:
            return self._objects.path_of(key)
        return await self._objects.sign("GET", key, READ_FOR)

    async def _seen(self, user_id: str, file_id: str) -> FileRow:
        """Return a file that the user may see: their own, or of a message that they see. Raises NotFoundError."""
        row = await self._row(file_id)
        is_own = row.owner_id == user_id
        if row.unused and row.purpose == "message":
            raise NotFoundError
        state = await self._state_of_message(row, user_id)
        if not (is_own if state is None else (is_own or state.shown) and not state.deleted):
            raise NotFoundError
        return row

    async def _state_of_message(self, row: FileRow, user_id: str) -> MessageState | None:
        """Return the state of the message that has the file; None: there is none yet."""
        name = row.message_name
        if name is None:
            return None
        async with self._stores.reading(name.conversation_id) as conn:
            state = await files.state_of_message(conn, name, user_id)
        if state is None:
            await self._stores.require_here(self._stores.of(name.conversation_id), [name.conversation_id])
        return state

    async def _own(self, user_id: str, file_id: str) -> FileRow:
        """Return a file of the user. Raises NotFoundError."""
        row = await self._row(file_id)
        if row.owner_id != user_id or (row.unused and row.purpose == "message"):
            raise NotFoundError
        return row

    async def _row(self, file_id: str) -> FileRow:
        async with self._store.reads.connection() as conn:
            row = await files.by_id(conn, file_id)
        if row is None:
            raise NotFoundError
        return row
