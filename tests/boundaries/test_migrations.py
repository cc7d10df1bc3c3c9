"""Migrations run while the old version serves: none may lock a table that has rows for as long as it works on them.

A statement that is safe in spite of a rule has, on the line above it, `-- safe because: ` and the reason.
"""

import re
from pathlib import Path

import pytest

from tests.boundaries.conftest import ROOT

RULES = (
    (r"create\s+(unique\s+)?index(?!\s+concurrently)", "build the index concurrently, in a `-- no transaction` file"),
    (r"drop\s+index(?!\s+concurrently)", "drop the index concurrently, in a `-- no transaction` file"),
    (r"add\s+(column\s+)?(if not exists\s+)?\w+\s(?=[^,;]*\bnot\s+null)(?![^,;]*\bdefault\b)", "give it a default"),
    (
        r"\bgenerated\s+always\s+as\s*\([^;]*\bstored\b",
        "a stored generated column rewrites the table: fill a plain one",
    ),
    (r"\bdefault\s+(gen_random_uuid|random|clock_timestamp|nextval)\b", "a default that differs by row rewrites it"),
    (r"alter\s+(column\s+)?\w+\s+(set\s+data\s+)?type\b", "another type rewrites the table: add a column"),
    (r"alter\s+(column\s+)?\w+\s+set\s+not\s+null", "scans the table: add a check `not valid` and validate it"),
    (
        r"add\s+(constraint\s+\w+\s+)?(check|foreign\s+key)\b(?![^;]*\bnot\s+valid)",
        "add it `not valid`, validate later",
    ),
    (r"add\s+(constraint\s+\w+\s+)?(unique|primary\s+key)\s*\(", "build the index concurrently, then `using index`"),
    (r"\bdrop\s+(table|column)\b", "the old version still uses it"),
    (r"\brename\b", "the old version still uses the old name"),
    (r"^update\b(?![^;]*\bwhere\b)", "updates the whole table in one transaction"),
    (r"\b(lock\s+table|vacuum\s+full|cluster|truncate)\b", "locks out everybody"),
)
CREATED = re.compile(r"create\s+(?:temporary\s+)?table\s+(?:if\s+not\s+exists\s+)?(\w+)", re.IGNORECASE)
TABLE = re.compile(r"(?:alter\s+table|\bon|^update)\s+(?:only\s+|if\s+exists\s+)*(\w+)", re.IGNORECASE)


def dangers(sql: str) -> list[str]:
    """What each statement could lock or break; a table made in the same file is empty and nobody's yet."""
    created = {name.lower() for name in CREATED.findall(sql)}
    found = []
    for statement in sql.split(";"):
        text = re.sub(r"--[^\n]*", "", statement).strip().lower()
        table = TABLE.search(text)
        if "-- safe because: " in statement or re.match(r"create\s+(temporary\s+)?table\b", text):
            continue
        if table is not None and table[1] in created:
            continue
        found += [f"{' '.join(text.split())[:60]}: {why}" for rule, why in RULES if re.search(rule, text)]
    return found


@pytest.mark.parametrize("file", sorted(ROOT.glob("services/*/src/*/migrations/*.sql")), ids=lambda f: f.name)
def test_migration__of_a_service__locks_no_table_that_has_rows(file: Path) -> None:
    assert dangers(file.read_text()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "create index things_by_colour on things (colour)",
        "create unique index on things (colour)",
        "drop index things_by_colour",
        "alter table things add size int not null",
        "alter table things add column size int not null, add column colour text",
        "alter table things add search tsvector generated always as (to_tsvector('simple', body)) stored",
        "alter table things add key uuid default gen_random_uuid()",
        "alter table things alter size type bigint",
        "alter table things alter column size set data type bigint",
        "alter table things alter size set not null",
        "alter table things add constraint positive check (size > 0)",
        "alter table things add foreign key (owner_id) references users (id)",
        "alter table things add constraint one unique (colour)",
        "alter table things drop column size",
        "drop table things",
        "alter table things rename column size to length",
        "alter table things rename to objects",
        "update things set size = 0",
        "truncate things",
        "ALTER TABLE things ALTER size TYPE bigint",
    ],
)
def test_dangers__locks_or_breaks__are_named(statement: str) -> None:
    assert len(dangers(f"-- Why.\n{statement};\n")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "create table things (id uuid primary key, size int not null, constraint positive check (size > 0))",
        "create table things (id uuid primary key);\ncreate index things_by_size on things (size)",
        "create table things (id int);\nalter table things add constraint one unique (id)",
        "create temporary table kinds on commit drop as select 1;\ncreate unique index on kinds (size)",
        "create index concurrently if not exists things_by_colour on things (colour)",
        "drop index concurrently if exists things_by_colour",
        "alter table things add size int",
        "alter table things add column size int not null default 0",
        "alter table things add constraint positive check (size > 0) not valid",
        "alter table things validate constraint positive",
        "alter table things add constraint one unique using index things_by_colour",
        "update things set size = 0 where size is null and id = 1",
        "create extension if not exists pg_trgm",
        "-- safe because: the table has one row\nalter table things alter size type bigint",
    ],
)
def test_dangers__safe_while_the_old_version_serves__are_none(statement: str) -> None:
    assert dangers(f"-- Why.\n{statement};\n") == []
