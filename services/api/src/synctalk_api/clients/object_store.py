"""The bytes of files: in a local folder, or in a bucket of S3, GCS or Azure, by one URL."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url
from pydantic import SecretStr
from synctalk_runtime.errors import UnavailableError

log = structlog.get_logger()

CHUNK_BYTES = 1024 * 1024
_TIMEOUTS = {"connect_timeout": "2s", "timeout": "30s"}
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}


class ObjectStore:
    """Raises UnavailableError where the store does not answer."""

    def __init__(self, url: str, options: Mapping[str, SecretStr]) -> None:
        self._url = url
        self._options = options
        parts = urlsplit(url)
        self.folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        """The folder, where the store is one: its files are then read and written by api itself."""

    @property
    def is_azure(self) -> bool:
        return self._url.startswith(("az", "abfs"))

    @cached_property
    def _store(self) -> AzureStore | GCSStore | LocalStore | S3Store:
        """Opened when it is first needed: a process whose folder is missing serves all else."""
        if self.folder is not None:
            return LocalStore(self.folder, mkdir=True)
        given = {name: value.get_secret_value() for name, value in self._options.items()}
        client: Any = _TIMEOUTS | {"allow_http": given.get("endpoint", "").startswith("http://")}
        config: Any = given
        retries: Any = _RETRIES
        store: Any = from_url(self._url, config=config, client_options=client, retry_config=retries)
        return store  # type: ignore[no-any-return]

    def path_of(self, key: str) -> Path:
        """Return where the object is in the folder."""
        assert self.folder is not None
        return self.folder / key

    async def sign(self, method: str, key: str, expires_in: timedelta) -> str:
        """Return a URL at which the bucket itself takes or gives this object, without a token."""
        store: Any = self._store
        how: Any = method
        try:
            return str(await obstore.sign_async(store, how, key, expires_in))
        except BaseError as error:
            raise self._unavailable(error) from error

    async def download(self, key: str, to: Path, most: int) -> int | None:
        """Write the object to a file and return its size, read no further than a byte past `most`; None: there is
        none."""
        try:
            found = await obstore.get_async(self._store, key)
            size = int(found.meta["size"])
            if size > most:
                return size
            file = await asyncio.to_thread(to.open, "wb")
            try:
                async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)
            finally:
                await asyncio.to_thread(file.close)
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error
        return size

    async def upload(self, key: str, source: Path, content_type: str, disposition: str) -> None:
        """Store a file under the key, with the headers under which a bucket gives it."""
        attributes: Any = {"Content-Type": content_type, "Content-Disposition": disposition}
        try:
            if self.folder is not None:
                await obstore.put_async(self._store, key, source, chunk_size=CHUNK_BYTES, max_concurrency=2)
            else:
                await obstore.put_async(self._store, key, source, attributes=attributes, max_concurrency=2)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete those of these that are there."""
        for key in keys:
            try:
                with suppress(NotFoundError, FileNotFoundError):
                    await obstore.delete_async(self._store, key)
            except (BaseError, OSError) as error:
                raise self._unavailable(error) from error

    @staticmethod
    def _unavailable(error: Exception) -> UnavailableError:
        log.warning("object_store.failed", error=type(error).__name__)
        return UnavailableError()
