"""The pool: a database that is down, frozen or restarted is unavailable for a while, and never longer."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Postgres, RaceError
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_pgbouncer import own_pgbouncer
from synctalk_testkit.relay import Relay, relay_to


@pytest.fixture
async def between(postgres_url: str) -> Any:
    async with relay_to(postgres_url) as relay:
        yield relay


@pytest.fixture
async def relayed(between: Relay, make_settings: Any) -> Any:
    """A pool that reaches its database through a relay."""
    settings = make_settings(
        database_url=between.url,
        database_pool_size=3,
        database_acquire_timeout_s=0.5,
        database_command_timeout_s=0.5,
    )
    postgres = Postgres(settings)
    await postgres.open()
    yield postgres
    between.mend()
    await postgres.close()


async def _answers(postgres: Postgres) -> bool:
    try:
        await postgres.check()
    except UnavailableError:
        return False
    return True


async def test_open__the_database_is_down__starts_all_the_same_and_recovers(between: Relay, relayed: Postgres) -> None:
    between.cut()
    with pytest.raises(UnavailableError):
        await relayed.check()

    between.mend()

    await eventually(lambda: _answers(relayed))


async def test_connection__all_are_cut__recovers_with_the_next_call(between: Relay, relayed: Postgres) -> None:
    await asyncio.gather(*(relayed.check() for _ in range(3)))
    between.cut()
    with pytest.raises(UnavailableError):
        await relayed.check()
    between.mend()

    # None of the connections from before is tried again: the first call finds a good one.
    await relayed.check()


async def test_connection__the_database_is_frozen__ends_at_its_deadline_and_recovers(
    between: Relay, relayed: Postgres
) -> None:
    await relayed.check()
    between.freeze()
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        await relayed.check()
    assert time.monotonic() - started < 3

    between.mend()

    await eventually(lambda: _answers(relayed))


async def test_connection__frozen_while_many_call__all_end(between: Relay, relayed: Postgres) -> None:
    await relayed.check()
    between.freeze()
    started = time.monotonic()
    outcomes = await asyncio.gather(*(relayed.check() for _ in range(12)), return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {UnavailableError}
    assert time.monotonic() - started < 6


async def test_connection__none_is_free__is_unavailable_after_its_wait(relayed: Postgres) -> None:
    async with relayed.connection(), relayed.connection(), relayed.connection():
        started = time.monotonic()
        with pytest.raises(UnavailableError):
            await relayed.check()
    assert time.monotonic() - started < 2
    await relayed.check()


async def test_metrics__show_connections_in_use_and_idle_ones(relayed: Postgres) -> None:
    async with relayed.connection():
        assert connections("in_use") == 1
    assert (connections("in_use"), connections("idle")) == (0, 1)


def connections(state: str) -> float | None:
    return REGISTRY.get_sample_value("postgres_pool_connections", {"pool": "main", "state": state})


async def test_transaction__cancelled__is_rolled_back_and_the_connection_is_clean(
    postgres: Postgres, make_settings: Any
) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with postgres.transaction() as conn:
            await conn.execute("insert into outbox (type, envelope) values ('a', 'b')")
            inside.set()
            await conn.execute("select pg_sleep(30)")

    for _ in range(5):
        inside.clear()
        task = asyncio.create_task(work())
        await inside.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async with postgres.transaction() as conn:
        assert await conn.fetchval("select count(*) from outbox") == 0


async def test_connection__killed_by_the_administrator__is_unavailable_and_recovers(postgres: Postgres) -> None:
    with pytest.raises(UnavailableError):
        async with postgres.connection() as conn:
            await conn.execute("select pg_terminate_backend(pg_backend_pid())")

    await postgres.check()


async def test_transaction__deadlocked__is_a_race_so_that_it_is_tried_again(postgres: Postgres) -> None:
    async with postgres.connection() as conn:
        await conn.execute("create table thing (id int primary key); insert into thing values (1), (2)")
    barrier = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> str:
        try:
            async with postgres.transaction() as conn:
                await conn.execute("select from thing where id = $1 for update", first)
                await barrier.wait()
                await conn.execute("select from thing where id = $1 for update", second)
        except RaceError:
            return "again"
        return "done"

    assert sorted(await asyncio.gather(lock(1, 2), lock(2, 1))) == ["again", "done"]


async def test_snapshot__overtaken__is_a_race(postgres: Postgres) -> None:
    async with postgres.connection() as conn:
        await conn.execute("create table thing (id int primary key, n int); insert into thing values (1, 0)")
    with pytest.raises(RaceError):
        async with postgres.connection() as conn, conn.transaction(isolation="repeatable_read"):
            await conn.fetch("select from thing")
            async with postgres.connection() as other:
                await other.execute("update thing set n = 1")
            await conn.execute("update thing set n = 2")


async def test_transaction__a_column_was_added_meanwhile__is_a_race(postgres: Postgres) -> None:
    async with postgres.connection() as conn:
        await conn.execute("create table thing (id int primary key)")
    with pytest.raises(RaceError):
        async with postgres.connection() as conn:
            await conn.fetch("select * from thing")  # its plan is kept
            async with postgres.connection() as other:
                await other.execute("alter table thing add size int")
            async with conn.transaction():
                await conn.fetch("select * from thing")


async def test_statement__over_the_roles_deadline__is_unavailable(postgres: Postgres) -> None:
    with pytest.raises(UnavailableError):
        async with postgres.transaction() as conn:
            await conn.execute("set local statement_timeout = '50ms'")
            await conn.execute("select pg_sleep(10)")
    await postgres.check()


async def test_statement__a_bug__is_not_unavailable(postgres: Postgres) -> None:
    for wrong in ("select nothing", "select 1/0", "select from"):
        with pytest.raises(asyncpg.PostgresError):
            async with postgres.connection() as conn:
                await conn.execute(wrong)
    with pytest.raises(asyncpg.DataError):
        async with postgres.connection() as conn:
            await conn.fetchval("select $1::int", "not a number")


async def test_connection__before_the_database_is_made__is_unavailable(postgres_url: str, make_settings: Any) -> None:
    base, _, _ = postgres_url.rpartition("/")
    for url in (f"{base}/not_there", postgres_url.replace("://", "://nobody")):
        postgres = Postgres(make_settings(database_url=url))
        await postgres.open()
        with pytest.raises(UnavailableError):
            await postgres.check()
        await postgres.close()


async def test_types__ids_times_and_json__come_back_as_they_went(postgres: Postgres) -> None:
    user_id, now = new_id(), utc_now()
    async with postgres.connection() as conn:
        row = await conn.fetchrow(
            "select $1::uuid as id, $2::timestamptz as at, $3::jsonb as value, $4::uuid[] as ids",
            user_id,
            now,
            {"a": [1, None, "x"]},
            [user_id],
        )

    assert row is not None
    assert (row["id"], row["at"], row["value"], row["ids"]) == (user_id, now, {"a": [1, None, "x"]}, [user_id])


async def test_snapshot__while_others_write__sees_one_state_and_only_reads(postgres: Postgres) -> None:
    async with postgres.snapshot() as conn:
        before = await conn.fetchval("select count(*) from outbox")
        async with postgres.connection() as other:
            await other.execute("insert into outbox (type, envelope) values ('a', 'b')")
        assert await conn.fetchval("select count(*) from outbox") == before
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("delete from outbox")
        raise_nothing = await _is_aborted(conn)
    assert raise_nothing


async def _is_aborted(conn: Any) -> bool:
    try:
        await conn.fetchval("select 1")
    except asyncpg.InFailedSQLTransactionError:
        return True
    return False


@pytest.fixture
async def pooled(postgres_url: str, make_settings: Any) -> Any:
    """A pool of ten connections to a pooler in transaction mode, which has two to the server."""
    with own_pgbouncer(postgres_url) as url:
        postgres = Postgres(make_settings(database_url=url, database_pool_size=10, database_transaction_pooler=True))
        await postgres.open()
        yield postgres
        await postgres.close()


async def test_pooler__many_at_once__statements_find_their_server(pooled: Postgres) -> None:
    async def ask(number: int) -> tuple[str, int, list[int]]:
        wanted = new_id()
        async with pooled.connection() as conn:
            found: str = await conn.fetchval("select $1::uuid", wanted)
            assert found == wanted
            one: int = await conn.fetchval("select $1::int + 1", number)
        async with pooled.snapshot() as conn:
            several = [row["n"] for row in await conn.fetch("select n from generate_series(1, $1) as n", number)]
        return found, one, several

    answers = await asyncio.gather(*(ask(n) for n in range(40)))

    assert [(one, several) for _, one, several in answers] == [(n + 1, list(range(1, n + 1))) for n in range(40)]


async def test_pooler__error_in_a_transaction__undoes_it(pooled: Postgres) -> None:
    async with pooled.transaction() as conn:
        await conn.execute("create table thing (id int primary key)")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with pooled.connection() as conn:
            await conn.execute("insert into thing values (1), (1)")
    async with pooled.connection() as conn:
        await conn.execute("insert into thing values (1)")
        assert await conn.fetchval("select count(*) from thing") == 1
