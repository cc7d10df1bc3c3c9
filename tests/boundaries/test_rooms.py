"""What belongs in one room only: SQL and Lua in the store, the environment in the settings, no waiting in the rules."""

import ast
import re
from typing import Any

import pytest

_SQL = re.compile(
    r"\s*(--[^\n]*\n\s*)*(select\s|insert\s+into\s|update\s+\w+\s+(\w+\s+)?set\s|delete\s+from\s|with\s+\w+\s+as\s*\("
    r"|create\s+(table|index|unique|extension)|alter\s+(table|role)|drop\s+(table|index)|truncate\s|lock\s+table\s)",
    re.IGNORECASE,
)
_LUA = re.compile(r"\bredis\.p?call\(")
SQL_ROOMS = {("synctalk_runtime", "outbox"), ("synctalk_runtime", "migrate"), ("synctalk_runtime", "postgres")}

CLOCKS = {"time", "monotonic", "now", "utc_now", "utcnow", "today", "perf_counter"}


def statements(source: Any) -> list[str]:
    """SQL and Lua where none may be."""
    if source.room == "store" or (source.package, source.room) in SQL_ROOMS:
        return []
    return [
        f"{source.name}:{node.lineno} uses a database"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (_SQL.match(node.value) or _LUA.search(node.value))
        and not _is_prose(node.value)
    ]


def _is_prose(text: str) -> bool:
    """`Select the conversations.` is text for a user."""
    return text.strip()[0].isupper() and text.strip().endswith((".", ":"))


def environment(source: Any) -> list[str]:
    """Reads of the environment outside of the settings."""
    if (source.package, source.room) == ("synctalk_runtime", "settings"):
        return []
    return [
        f"{source.name}:{node.lineno} reads the environment"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    ]


def impurities(source: Any) -> list[str]:
    """What a rule does beside deciding: waiting, or looking at a clock of its own."""
    if source.room != "rules":
        return []
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{source.name}:{node.lineno} waits")
        elif isinstance(node, ast.Call) and _called(node) in CLOCKS:
            found.append(f"{source.name}:{node.lineno} looks at the clock")
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def swallowed(source: Any) -> list[str]:
    """A bare `except:`, or `except BaseException` that does not raise again: cancellation must pass through."""
    return [
        f"{source.name}:{node.lineno} swallows cancellation"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") == "BaseException")
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]


def test_sql__outside_of_the_store__is_none(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in statements(source)] == []


def test_environment__outside_of_the_settings__is_not_read(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in environment(source)] == []


def test_rules__neither_wait_nor_look_at_the_clock(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in impurities(source)] == []


def test_cancellation__passes_through(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in swallowed(source)] == []


def test_modules__that_hold_something__say_what_they_are_for(sources: list[Any]) -> None:
    assert [source.name for source in sources if source.tree.body and not ast.get_docstring(source.tree)] == []


@pytest.mark.parametrize(
    "text",
    [
        "q = 'select id from message'",
        "q = '-- name: a.b\\nselect 1'",
        "q = f'update message set body = {1}'",
        "q = '''\n  with new as (select 1) insert into a'''",
        "q = 'delete from message where id = $1'",
        "q = \"return redis.call('GET', KEYS[1])\"",
    ],
)
def test_check__a_statement__is_seen_in_actions_and_not_in_the_store(source_of: Any, text: str) -> None:
    assert statements(source_of("synctalk_api", "actions/a.py", text))
    assert statements(source_of("synctalk_api", "store/a.py", text)) == []


def test_check__text_for_a_user__are_no_statement(source_of: Any) -> None:
    assert statements(source_of("synctalk_api", "routes/a.py", "x = 'Select at least one user.'")) == []


@pytest.mark.parametrize("text", ["import os\nos.environ['A']", "from os import environ", "import os\nos.getenv('A')"])
def test_check__a_read_of_the_environment__is_seen(source_of: Any, text: str) -> None:
    assert environment(source_of("synctalk_api", "actions/a.py", text))


@pytest.mark.parametrize("text", ["async def may(): ...", "import time\nx = time.time()", "x = utc_now()"])
def test_check__a_rule_that_is_not_pure__is_seen(source_of: Any, text: str) -> None:
    assert impurities(source_of("synctalk_api", "rules.py", text))


def test_check__a_swallowed_cancellation__is_seen(source_of: Any) -> None:
    assert swallowed(source_of("synctalk_api", "main.py", "try:\n  a()\nexcept BaseException:\n  pass"))
    assert swallowed(source_of("synctalk_api", "main.py", "try:\n  a()\nexcept:\n  pass"))
    assert swallowed(source_of("synctalk_api", "main.py", "try:\n  a()\nexcept BaseException:\n  raise")) == []
