"""Numbered SQL files, applied in order under an advisory lock: one process at a time, while the old version serves.

Files are `0001_name.sql` and never change once released: the applied ones' checksums are kept and compared. A file is
one transaction, whose wait for a lock is short and repeated, because whoever queries the table waits behind it. A file
that begins with `-- no transaction` builds or drops indexes online; it can be interrupted at any point and run again.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg
import structlog

from synctalk_runtime import tls

log = structlog.get_logger()

_LOCK = 0x53594E43
LOCK_WAIT_MS = 1_000
LOCK_TRIES = 60
PAUSE_S = 0.5

_ONLINE = re.compile(r"-- no transaction\b")
_COMMENT = re.compile(r"--[^\n]*")
_CREATE = re.compile(
    r"create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\s+(?P<name>\w+)\s+on\s", re.IGNORECASE
)
_DROP = re.compile(r"drop\s+index\s+concurrently\s+if\s+exists\s+\w+$", re.IGNORECASE)


class MigrationError(Exception):
    """A released migration was changed, one is missing, or one cannot be applied."""


async def migrate(database_url: str, folder: Traversable, ca_file: Path | None = None) -> list[str]:
    """Apply what is not applied yet; the names of those applied now. Newer ones are a newer version's: they may be.

    Raises:
        MigrationError: an applied file is not what it was, or an index is not valid after it was built.
    """
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    if not files:
        raise MigrationError("no migrations found")
    conn = await asyncpg.connect(
        tls.postgres_address(database_url), timeout=10, ssl=tls.postgres_context(database_url, ca_file)
    )
    try:
        # The role's deadlines are for requests; who waits here waits for another process's migrations.
        await conn.execute("set lock_timeout = 0; set statement_timeout = 0")
        await _lock(conn)
        await _create_schema(conn)
        await conn.execute(
            "create table if not exists migrations (name text primary key, checksum text not null, "
            "applied_at timestamptz not null default now())"
        )
        return await _apply_missing(conn, files)
    finally:
        await conn.close()


async def _create_schema(conn: asyncpg.Connection) -> None:
    """Create the schema that the address names by `search_path`, if it does not exist."""
    named = await conn.fetchval("select current_setting('search_path')")
    if await conn.fetchval("select current_schema()") is None and re.fullmatch(r"[a-z_][a-z0-9_]*", named):
        await conn.execute(f"create schema {named}")


async def _lock(conn: asyncpg.Connection) -> None:
    """Ask again instead of waiting within the database: `create index concurrently` waits for statements that wait."""
    while True:
        if await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            return
        await asyncio.sleep(PAUSE_S)


async def _apply_missing(conn: asyncpg.Connection, files: Sequence[Traversable]) -> list[str]:
    applied = {row["name"]: row["checksum"] for row in await conn.fetch("select name, checksum from migrations")}
    if missing := {name for name in applied if name <= files[-1].name} - {f.name for f in files}:
        raise MigrationError(f"applied migrations are missing from this version: {', '.join(sorted(missing))}")
    done = []
    for file in files:
        sql = file.read_text()
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        if file.name not in applied:
            apply = _apply_online if _ONLINE.match(sql) else _apply
            await apply(conn, file.name, sql, checksum)
            done.append(file.name)
        elif applied[file.name] != checksum:
            raise MigrationError(f"{file.name} was changed after it was applied")
    return done


async def _apply(conn: asyncpg.Connection, name: str, sql: str, checksum: str) -> None:
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            async with conn.transaction():
                await conn.execute(f"set local lock_timeout = {LOCK_WAIT_MS}")
                await conn.execute(sql)
                await _remember(conn, name, checksum)
            return
        except asyncpg.LockNotAvailableError:
            if not tries_left:
                raise
            log.info("migrate.locked", name=name, tries_left=tries_left)
            await asyncio.sleep(PAUSE_S)


async def _apply_online(conn: asyncpg.Connection, name: str, sql: str, checksum: str) -> None:
    """Outside of a transaction nothing is undone, so each statement is one that may be run again."""
    for statement in _statements(sql):
        if created := _CREATE.match(statement):
            await _build_index(conn, created["name"], statement)
        elif _DROP.match(statement):
            await conn.execute(statement)
        else:
            raise MigrationError(
                f"{name}: an online migration may only contain `create index concurrently if not exists NAME on …` and "
                f"`drop index concurrently if exists NAME`"
            )
    await _remember(conn, name, checksum)


async def _build_index(conn: asyncpg.Connection, index: str, statement: str) -> None:
    """An index whose building was interrupted stays, costs every write, and serves no query: it is built anew."""
    if await _is_valid(conn, index) is False:
        log.warning("migrate.index_built_anew", index=index)
        await conn.execute(f'drop index concurrently "{index.lower()}"')
    await conn.execute(statement)
    if not await _is_valid(conn, index):
        raise MigrationError(f"index {index} is invalid")


async def _is_valid(conn: asyncpg.Connection, index: str) -> bool | None:
    """None: there is no such index."""
    valid: bool | None = await conn.fetchval(
        "select indisvalid from pg_index where indexrelid = to_regclass(quote_ident(lower($1)))", index
    )
    return valid


def _statements(sql: str) -> list[str]:
    """The statements of a file without its comments."""
    parts = (part.strip() for part in _COMMENT.sub("", sql).split(";"))
    return [part for part in parts if part]


async def _remember(conn: asyncpg.Connection, name: str, checksum: str) -> None:
    await conn.execute("insert into migrations (name, checksum) values ($1, $2)", name, checksum)
