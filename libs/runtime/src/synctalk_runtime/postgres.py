"""The service's own database: a bounded pool, deadlines everywhere, ids as text, statements timed by their name.

Each SQL text begins with `-- name: <table>.<verb>`, which is its metric. A database that does not answer is
`UnavailableError`, so that endpoints respond 503 and consumers try again.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import orjson
import structlog
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import Gauge, Histogram

from synctalk_runtime import tls
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.settings import PostgresSettings

log = structlog.get_logger()

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

QUERIES = Histogram(
    "postgres_query_seconds",
    "Time of a statement, by its name.",
    ["query"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
POOL = Gauge("postgres_pool_connections", "Open connections of a pool: `idle` or `in_use`.", ["pool", "state"])

_NAME = re.compile(r"\s*--\s*name:\s*(\S+)")
_GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
)
"""Other connections are likely to be gone too: all are opened anew."""
_AGAIN = (
    TimeoutError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Nothing was done, and trying again may help: deadlines, a full disk, a database that is not set up yet."""
_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.InvalidCachedStatementError)


class RaceError(UnavailableError):
    """Another transaction came in between, and nothing was done: the same again at once is likely to succeed."""


class Postgres:
    """A pool. Connections are opened as they are needed, so a service starts before its database does."""

    def __init__(self, settings: PostgresSettings, name: str = "main") -> None:
        self._settings = settings
        self._name = name
        """Of the pool, in metrics."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            tls.postgres_address(self._settings.database_url.get_secret_value()),
            min_size=0,
            max_size=self._settings.database_pool_size,
            command_timeout=self._settings.database_command_timeout_s,
            timeout=self._settings.database_acquire_timeout_s,
            ssl=tls.postgres_context(self._settings.database_url.get_secret_value(), self._settings.tls_ca_file),
            statement_cache_size=0 if self._settings.database_transaction_pooler else 100,
            init=_prepare,
            reset=_keep_session,
            max_inactive_connection_lifetime=300,
        )
        pool = self._pool
        POOL.labels(self._name, "idle").set_function(pool.get_idle_size)
        POOL.labels(self._name, "in_use").set_function(lambda: pool.get_size() - pool.get_idle_size())

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def check(self) -> None:
        async with self.connection() as conn:
            await conn.fetchval("-- name: ping\nselect 1")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction; behind a pooler with one, which keeps it to one server.

        Raises:
            RaceError: a deadlock, a serialization failure, or a plan that a migration made stale.
            UnavailableError: none to be had in time, or it broke under the statement.
        """
        if self._settings.database_transaction_pooler:
            async with self.transaction() as conn:
                yield conn
        else:
            async with self._acquired() as conn:
                yield conn

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in one READ COMMITTED transaction; the action that opens it owns it. Raises as above."""
        async with self._acquired() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection whose statements all see the same state; it only reads. Raises as above."""
        async with self._acquired() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            yield conn

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        assert self._pool is not None, "open() first"
        try:
            async with self._pool.acquire(timeout=self._settings.database_acquire_timeout_s) as conn:
                yield conn
        except _RACES as error:
            raise RaceError from error
        except (*_GONE, *_AGAIN) as error:
            log.warning("postgres.unavailable", error=type(error).__name__, certificate=tls.refusal(error))
            if isinstance(error, _GONE) and not isinstance(error, TimeoutError):
                await self._pool.expire_connections()
            raise UnavailableError from error


async def _keep_session(_: Any) -> None:
    """Do nothing: no session state is ever set here, and resetting it would cost a round trip."""


async def _prepare(conn: Any) -> None:
    async with conn.transaction():  # a pooler may give each statement outside of one to another server
        await conn.set_type_codec("uuid", encoder=_uuid_out, decoder=_uuid_in, schema="pg_catalog", format="binary")
        for name in ("json", "jsonb"):
            await conn.set_type_codec(name, encoder=_json_out, decoder=orjson.loads, schema="pg_catalog", format="text")
    conn.add_query_logger(_time_query)


def _uuid_out(value: str) -> bytes:
    return bytes.fromhex(value.replace("-", ""))


def _uuid_in(data: bytes) -> str:
    h = data.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def _json_out(value: Any) -> str:
    return orjson.dumps(value).decode()


_names: dict[str, str] = {}


def _time_query(query: Any) -> None:
    name = _names.get(query.query)
    if name is None:
        found = _NAME.match(query.query)
        name = found.group(1) if found else "other"
        if len(_names) < 1000:
            _names[query.query] = name
    QUERIES.labels(name).observe(query.elapsed)
