"""Databases for tests: each is new, empty, and owned by a role of its own, as a service's is."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg


async def create_database(admin_url: str, service: str) -> str:
    """A new empty database with a role that owns it and can connect to nothing else; the role's url."""
    name = f"synctalk_{service}_{secrets.token_hex(6)}"
    password = secrets.token_hex(8)
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f"create role {name} login password '{password}'")
        for setting in ("statement_timeout = '15s'", "lock_timeout = '5s'"):
            await connection.execute(f"alter role {name} set {setting}")
        await connection.execute(f"create database {name} owner {name}")
        await connection.execute(f"revoke all on database {name} from public")
    finally:
        await connection.close()
    return _url_for(admin_url, name, password)


async def drop_database(admin_url: str, url: str) -> None:
    name = urlsplit(url).path.lstrip("/")
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f"drop database if exists {name} with (force)")
        await connection.execute(f"drop role if exists {name}")
    finally:
        await connection.close()


def _url_for(admin_url: str, name: str, password: str) -> str:
    parts = urlsplit(admin_url)
    return urlunsplit((parts.scheme, f"{name}:{password}@{parts.hostname}:{parts.port}", f"/{name}", "", ""))
