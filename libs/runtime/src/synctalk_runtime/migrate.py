"""Numbered SQL files, applied in order, each in a transaction, under an advisory lock: one process at a time.

Files are `0001_name.sql` and never change once released: the applied ones' checksums are kept and compared.
"""

import hashlib
from importlib.resources.abc import Traversable

import asyncpg
import structlog

log = structlog.get_logger()

_LOCK = 0x53594E43


class MigrationError(Exception):
    """A released migration was changed, or one is missing. Newer ones are a newer version's, beside which we run."""


async def migrate(database_url: str, folder: Traversable) -> list[str]:
    """Apply what is not applied yet; the names of those applied now.

    Raises:
        MigrationError: an applied file is not what it was.
    """
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    if not files:
        raise MigrationError("no migrations are here")
    conn = await asyncpg.connect(database_url, timeout=10)
    try:
        # The role's deadlines are for requests; who waits here waits for another process's migrations.
        await conn.execute("set lock_timeout = 0; set statement_timeout = 0")
        await conn.execute(f"select pg_advisory_lock({_LOCK})")
        await conn.execute(
            "create table if not exists migrations (name text primary key, checksum text not null, "
            "applied_at timestamptz not null default now())"
        )
        applied = {row["name"]: row["checksum"] for row in await conn.fetch("select name, checksum from migrations")}
        if missing := {name for name in applied if name <= files[-1].name} - {f.name for f in files}:
            raise MigrationError(f"applied but not here: {', '.join(sorted(missing))}")
        done = []
        for file in files:
            sql = file.read_text()
            checksum = hashlib.sha256(sql.encode()).hexdigest()
            if file.name in applied:
                if applied[file.name] != checksum:
                    raise MigrationError(f"{file.name} was changed after it had been applied")
                continue
            async with conn.transaction():
                await conn.execute("set local lock_timeout = '10s'")
                await conn.execute(sql)
                await conn.execute("insert into migrations (name, checksum) values ($1, $2)", file.name, checksum)
            done.append(file.name)
        return done
    finally:
        await conn.close()
