"""The statements whose plans `tests/explain/explain.py` shows for a million messages, without the messages.

An empty table is read from end to end by any plan, so PostgreSQL is asked to do so, or to join whole tables, only
where no index can be used.
"""

from importlib.resources import files

from synctalk_runtime.migrate import migrate
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.explain.explain import cases, explain, postgres_at


async def test_statements__each__can_use_an_index(fresh_database: FreshDatabase) -> None:
    url = await fresh_database("api")
    await migrate(url, files("synctalk_api") / "migrations")
    postgres = postgres_at(url)
    await postgres.open()
    try:
        async with postgres.connection() as conn:
            for means in ("seqscan", "hashjoin", "mergejoin"):
                await conn.execute(f"set enable_{means} = off")
            found = [(case.name, await explain(conn, case)) for case in cases(await conn.fetchval("select now()"))]
    finally:
        await postgres.close()
    assert len(found) > 100
    assert [(name, read) for name, (_, read) in found if read] == []
