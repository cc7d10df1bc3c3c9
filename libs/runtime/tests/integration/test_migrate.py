"""Migrations: from nothing, again, by two at once, and never silently another thing than before."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from synctalk_runtime.migrate import MigrationError, migrate
from synctalk_testkit.plugin import FreshDatabase


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database("test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_things.sql").write_text("create table thing (id int primary key);\n")
    (tmp_path / "0002_colour.sql").write_text("alter table thing add colour text;\ncreate index on thing (colour);\n")
    (tmp_path / "readme.txt").write_text("not a migration")
    return tmp_path


async def _columns(url: str) -> list[str]:
    conn = await asyncpg.connect(url)
    rows = await conn.fetch(
        "select column_name from information_schema.columns where table_name = 'thing' order by ordinal_position"
    )
    await conn.close()
    return [row["column_name"] for row in rows]


async def test_migrate__from_nothing__applies_all_in_order(url: str, folder: Path) -> None:
    assert await migrate(url, folder) == ["0001_things.sql", "0002_colour.sql"]
    assert await _columns(url) == ["id", "colour"]


async def test_migrate__again__applies_nothing(url: str, folder: Path) -> None:
    await migrate(url, folder)

    assert await migrate(url, folder) == []


async def test_migrate__one_more__applies_that_one(url: str, folder: Path) -> None:
    await migrate(url, folder)
    (folder / "0003_size.sql").write_text("alter table thing add size int;")

    assert await migrate(url, folder) == ["0003_size.sql"]
    assert await _columns(url) == ["id", "colour", "size"]


async def test_migrate__an_applied_file_was_changed__is_refused(url: str, folder: Path) -> None:
    await migrate(url, folder)
    (folder / "0001_things.sql").write_text("create table thing (id bigint primary key);\n")

    with pytest.raises(MigrationError, match=r"0001_things\.sql was changed"):
        await migrate(url, folder)


async def test_migrate__an_applied_file_is_gone__is_refused(url: str, folder: Path) -> None:
    await migrate(url, folder)
    (folder / "0001_things.sql").unlink()

    with pytest.raises(MigrationError, match=r"0001_things\.sql"):
        await migrate(url, folder)


async def test_migrate__by_an_older_version_beside_a_newer__is_content(url: str, folder: Path) -> None:
    newer = folder / "0003_size.sql"
    newer.write_text("alter table thing add size int;")
    await migrate(url, folder)
    newer.unlink()

    assert await migrate(url, folder) == []


async def test_migrate__a_file_fails__nothing_of_it_stays_and_it_can_be_mended(url: str, folder: Path) -> None:
    broken = folder / "0003_broken.sql"
    broken.write_text("alter table thing add size int; alter table nothing add size int;")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(url, folder)
    assert await _columns(url) == ["id", "colour"]

    broken.write_text("alter table thing add size int;")
    assert await migrate(url, folder) == ["0003_broken.sql"]


async def test_migrate__by_many_at_once__each_file_is_applied_once(url: str, folder: Path) -> None:
    done = await asyncio.gather(*(migrate(url, folder) for _ in range(5)))

    assert sorted(done, key=len) == [[], [], [], [], ["0001_things.sql", "0002_colour.sql"]]


async def test_migrate__another_takes_longer_than_the_roles_deadlines__waits_for_it(url: str, folder: Path) -> None:
    conn = await asyncpg.connect(url)
    for setting in ("lock_timeout = '50ms'", "statement_timeout = '100ms'"):
        await conn.execute(f"alter role current_user set {setting}")
    (folder / "0003_slow.sql").write_text("select pg_sleep(0.5);")

    done = await asyncio.gather(*(migrate(url, folder) for _ in range(2)))

    assert sorted(map(len, done)) == [0, 3]
    await conn.close()


async def test_migrate__the_database_is_down__says_so(folder: Path) -> None:
    with pytest.raises(OSError, match="127"):
        await migrate("postgresql://127.0.0.1:1/none", folder)


async def test_migrate__no_files_at_all__is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError):
        await migrate(url, tmp_path)
