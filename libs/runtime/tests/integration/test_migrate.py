"""Migrations: from nothing, again, by two at once, and never silently another thing than before."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from synctalk_runtime import migrate as migrate_module
from synctalk_runtime.migrate import MigrationError, migrate
from synctalk_testkit.eventually import eventually
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


async def test_migrate__the_table_is_in_use__waits_in_short_tries_and_others_go_on(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "LOCK_WAIT_MS", 50)
    monkeypatch.setattr(migrate_module, "PAUSE_S", 0.05)
    await migrate(url, folder)
    reader, other = await asyncpg.connect(url), await asyncpg.connect(url)
    reading = reader.transaction()
    await reading.start()
    await reader.execute("select from thing")
    (folder / "0003_size.sql").write_text("alter table thing add size int;")

    migrating = asyncio.create_task(migrate(url, folder))
    await eventually(lambda: _is_waited_for(other))
    await other.execute("set statement_timeout = '2s'")
    await other.execute("select from thing")
    assert not migrating.done()
    await reading.rollback()

    assert await migrating == ["0003_size.sql"]
    await reader.close()
    await other.close()


async def _is_waited_for(conn: asyncpg.Connection) -> bool:
    """Does somebody wait for a lock on the table?"""
    return bool(
        await conn.fetchval("select exists (select 1 from pg_locks where not granted and relation is not null)")
    )


ONLINE = """\
-- no transaction
-- One to find things by their colour; a semicolon in a comment; harms nothing.
create index concurrently if not exists thing_by_colour on thing (colour);
create index concurrently if not exists thing_by_length
  on thing (length(colour)) where colour <> '  ';
"""


async def _indexes(url: str) -> dict[str, bool]:
    """The indexes of the table by name, and whether they are valid."""
    conn = await asyncpg.connect(url)
    rows = await conn.fetch(
        "select relname, indisvalid from pg_index join pg_class on oid = indexrelid where indrelid = 'thing'::regclass"
    )
    await conn.close()
    return {row["relname"]: row["indisvalid"] for row in rows if row["relname"].startswith("thing_by")}


async def test_migrate__without_a_transaction__builds_indexes_once(url: str, folder: Path) -> None:
    (folder / "0003_indexes.sql").write_text(ONLINE)

    assert "0003_indexes.sql" in await migrate(url, folder)
    assert await _indexes(url) == {"thing_by_colour": True, "thing_by_length": True}
    assert await migrate(url, folder) == []


async def test_migrate__without_a_transaction__writers_go_on_meanwhile(url: str, folder: Path) -> None:
    await migrate(url, folder)
    writer, other = await asyncpg.connect(url), await asyncpg.connect(url)
    writing = writer.transaction()
    await writing.start()
    await writer.execute("insert into thing (id) values (1)")  # the building waits for this one to end
    (folder / "0003_indexes.sql").write_text(ONLINE)

    migrating = asyncio.create_task(migrate(url, folder))
    await eventually(lambda: other.fetchval("select exists (select 1 from pg_stat_progress_create_index)"))
    await other.execute("set statement_timeout = '2s'")
    await other.execute("insert into thing (id) values (2)")
    await writing.commit()

    assert await migrating == ["0003_indexes.sql"]
    await writer.close()
    await other.close()


async def test_migrate__without_a_transaction_by_many_at_once__none_waits_for_another_forever(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "PAUSE_S", 0.05)
    (folder / "0003_indexes.sql").write_text(ONLINE)

    done = await asyncio.gather(*(migrate(url, folder) for _ in range(5)))

    assert sorted(map(len, done)) == [0, 0, 0, 0, 3]
    assert await _indexes(url) == {"thing_by_colour": True, "thing_by_length": True}


async def test_migrate__the_building_was_interrupted__is_resumed(url: str, folder: Path) -> None:
    await migrate(url, folder)
    conn = await asyncpg.connect(url)
    await conn.execute("insert into thing (id, colour) values (1, 'red'), (2, 'red')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await conn.execute("create unique index concurrently thing_by_colour on thing (colour)")
    assert await _indexes(url) == {"thing_by_colour": False}  # what is left behind
    await conn.close()
    (folder / "0003_indexes.sql").write_text(ONLINE)

    assert await migrate(url, folder) == ["0003_indexes.sql"]
    assert await _indexes(url) == {"thing_by_colour": True, "thing_by_length": True}


async def test_migrate__the_building_fails__is_not_taken_for_applied(url: str, folder: Path) -> None:
    await migrate(url, folder)
    conn = await asyncpg.connect(url)
    await conn.execute("insert into thing (id, colour) values (1, 'red'), (2, 'red')")
    unique = "-- no transaction\ncreate unique index concurrently if not exists thing_by_colour on thing (colour);"
    (folder / "0003_unique.sql").write_text(unique)
    for _ in range(2):
        with pytest.raises(asyncpg.UniqueViolationError):
            await migrate(url, folder)

    await conn.execute("delete from thing where id = 2")
    await conn.close()
    assert await migrate(url, folder) == ["0003_unique.sql"]
    assert await _indexes(url) == {"thing_by_colour": True}


@pytest.mark.parametrize(
    "statement",
    [
        "create index concurrently thing_by_colour on thing (colour)",
        "create index if not exists thing_by_colour on thing (colour)",
        "drop index concurrently thing_by_colour",
        "alter table thing add size int",
    ],
)
async def test_migrate__without_a_transaction_and_not_repeatable__is_refused(
    url: str, folder: Path, statement: str
) -> None:
    (folder / "0003_odd.sql").write_text(f"-- no transaction\n{statement};\n")

    with pytest.raises(MigrationError, match=r"0003_odd\.sql"):
        await migrate(url, folder)


async def test_migrate__the_database_is_down__says_so(folder: Path) -> None:
    with pytest.raises(OSError, match="127"):
        await migrate("postgresql://127.0.0.1:1/none", folder)


async def test_migrate__no_files_at_all__is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError):
        await migrate(url, tmp_path)


async def test_migrate__address_names_a_schema__creates_it_and_stays_within(url: str, folder: Path) -> None:
    await migrate(url, folder)
    other = f"{url}?search_path=second"

    assert await migrate(other, folder) == ["0001_things.sql", "0002_colour.sql"]
    assert await migrate(other, folder) == []
    conn = await asyncpg.connect(url)
    found = await conn.fetch("select table_schema from information_schema.tables where table_name = 'thing'")
    await conn.close()
    assert sorted(row["table_schema"] for row in found) == ["public", "second"]
