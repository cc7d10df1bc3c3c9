"""The rows and points of the interfaces for teams and for host apps have each an end-to-end test named after it.

A test says in its name which ones it holds: `test_team_point_03__…`, `test_embed_hook_1_point_26__…`. Points are the
numbered ones of an interface; the other words name its tables and paragraphs, whose rows are counted from 1.
"""

import re

from tests.boundaries.conftest import ROOT

ROWS = {
    "team": {
        "fields": 4,  # of messages and conversations, roles and deleted messages, system messages
        "threads": 6,
        "mentions": 4,  # mentions, pins, forwards, revisions
        "files": 5,
        "search": 2,  # words and filters, places in the history
        "channels": 10,  # details, channels, invites, bans, mutes, archive, reports, blocks, own state, deletion
        "presence": 4,  # activity and status, whom a push goes to, settings, what is in it
        "point": 30,
    },
    "embed": {
        "who": 6,
        "server": 7,
        "feed": 1,
        "webhooks": 1,
        "hook": 1,
        "streaming": 1,
        "origin": 2,
        "docs": 1,
        "point": 30,
    },
}
NAME = re.compile(r"^async def test_(team|embed)((?:_[a-z]+_\d+)+)__", re.MULTILINE)
NUMBERED = re.compile(r"_([a-z]+)_(\d+)")


def test_interfaces__each_row_and_point__has_a_test_named_after_it() -> None:
    tested = {
        (interface, what, int(number))
        for path in (ROOT / "tests/e2e").glob("test_*.py")
        for interface, named in NAME.findall(path.read_text())
        for what, number in NUMBERED.findall(named)
    }
    wanted = {
        (interface, what, number)
        for interface, rows in ROWS.items()
        for what, count in rows.items()
        for number in range(1, count + 1)
    }
    assert sorted(wanted - tested) == []
    assert sorted(tested - wanted) == []
