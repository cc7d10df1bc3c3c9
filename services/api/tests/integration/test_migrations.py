"""What migrations do to what is there already."""

import shutil
from importlib.resources import files
from pathlib import Path

import asyncpg
import emoji
from synctalk_contracts.text import qualified_emoji
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.plugin import FreshDatabase

MIGRATIONS = files("synctalk_api") / "migrations"


def before(name: str, folder: Path) -> Path:
    """Return the migrations of the release before the one that brought this file."""
    for file in MIGRATIONS.iterdir():
        if file.name < name:
            shutil.copy(str(file), folder)
    return folder


async def test_reactions__of_before__have_one_form_and_lose_no_user(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("api")
    await migrate(url, before("0002", tmp_path))
    conversation, message, ada, ben, eve = (new_id() for _ in range(5))
    ben_first = [("👍", ben), ("👍\ufe0f", ada), ("👍", ada), ("1⃣", ben)]
    hearts = [("❤", ada), ("❤️", eve), ("❤", eve)]
    no_emoji = [("🔥🔥🔥🔥", ada), ("👍\u202e", eve)]
    reacted = [*ben_first, *hearts, *no_emoji]
    conn = await asyncpg.connect(url)
    try:
        insert = "insert into reactions (conversation_id, message_id, emoji, user_id) values ($1, $2, $3, $4)"
        await conn.executemany(insert, [(conversation, message, *reaction) for reaction in reacted])

        await migrate(url, MIGRATIONS)

        rows = await conn.fetch("select emoji, user_id::text from reactions order by position")
    finally:
        await conn.close()
    assert [tuple(row) for row in rows] == [("👍", ben), ("👍", ada), ("1️⃣", ben), ("❤️", ada), ("❤️", eve)]


def test_reactions__the_forms_of_the_migration__are_those_taken_now() -> None:
    sql = (MIGRATIONS / "0002_one_form_of_an_emoji.sql").read_text()
    table = set(sql.split("regexp_split_to_table('")[1].split("'")[0].split())

    assert {qualified_emoji(form) for form in table} == table
    assert table >= {qualified_emoji(form) for form, data in emoji.EMOJI_DATA.items() if data["E"] <= 18}
