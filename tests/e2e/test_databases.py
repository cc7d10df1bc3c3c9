"""Each service owns its tables: its role cannot even connect to another's database."""

import asyncpg
import pytest
from synctalk_backing.postgres import postgres_url
from synctalk_local.stack import stack_credentials
from synctalk_local.topology import WITH_DATABASE
from synctalk_systemtest.stack import RunningStack


def url_of(stack: RunningStack, role: str, database: str) -> str:
    password = stack_credentials(stack.stack).databases[role]
    return postgres_url(stack.stack.ports.postgres, database, f"synctalk_{role}", password)


@pytest.mark.parametrize("owner", WITH_DATABASE)
@pytest.mark.parametrize("other", WITH_DATABASE)
async def test_role__connects_to_its_own_database_alone(stack: RunningStack, other: str, owner: str) -> None:
    database = f"synctalk_{owner}"
    if other != owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url_of(stack, other, database))
        return
    connection = await asyncpg.connect(url_of(stack, owner, database))
    tables = await connection.fetchval("select count(*) from pg_tables where schemaname not like 'pg_%'")
    mighty = await connection.fetchval(
        "select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user"
    )
    await connection.close()

    assert tables > 0
    assert mighty is False


@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_role__connects_to_no_common_database(stack: RunningStack, database: str) -> None:
    for role in WITH_DATABASE:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url_of(stack, role, database))


async def test_role__with_a_wrong_password__is_refused(stack: RunningStack) -> None:
    url = postgres_url(stack.stack.ports.postgres, "synctalk_api", "synctalk_api", "a-guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)
