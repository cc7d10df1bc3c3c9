"""Tags: terms by which messages are found that are not in their texts, such as the sender.

They begin with `@`, which no term of a text has. A search asks for them together with its words, so that the index
intersects rare and common ones, whichever is the rare one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import regex

from synctalk_api.terms import PLACE

Has = Literal["file", "link", "reaction", "pin"]

_LINK = regex.compile(r"\bhttps?://[^\s/]|\bwww\.\w", regex.IGNORECASE)
_ALL = "@all"


def _sender(user_id: str) -> str:
    return f"@from{user_id.replace('-', '')}"


def _mentioned(user_id: str) -> str:
    return f"@to{user_id.replace('-', '')}"


def _in_thread(thread_id: str) -> str:
    return f"@in{thread_id.replace('-', '')}"


def _all_in_thread(thread_id: str) -> str:
    return f"{_ALL}{thread_id.replace('-', '')}"


def of_message(
    sender_id: str,
    body: str,
    mentions: Sequence[str],
    *,
    mention_all: bool,
    pinned_at: datetime | None = None,
    reacted: bool = False,
    has_files: bool = False,
    thread_id: str | None = None,
    thread_only: bool = False,
) -> list[str]:
    has = {"file": has_files, "link": _LINK.search(body), "reaction": reacted, "pin": pinned_at}
    everybody = _ALL if thread_id is None or not thread_only else _all_in_thread(thread_id)
    return [
        _sender(sender_id),
        *map(_mentioned, mentions),
        *([everybody] if mention_all else []),
        *([_in_thread(thread_id)] if thread_id is not None else []),
        *(f"@{name}" for name, value in has.items() if value),
    ]


def of_sender(user_id: str) -> str:
    """Return the part of a tsquery that finds the messages of this user."""
    return PLACE + _sender(user_id)


def of_mentioned(user_id: str, thread_ids: Sequence[str] = ()) -> str:
    """Return the part of a tsquery that finds what mentions this user, also with everybody else.

    `thread_ids`: threads that the user follows, whose mentions of everybody reach them.
    """
    everybody = " | ".join(PLACE + tag for tag in (_ALL, *map(_all_in_thread, thread_ids)))
    return f"({PLACE}{_mentioned(user_id)} | (({everybody}) & !{PLACE}{_sender(user_id)}))"


def of_thread(thread_id: str) -> str:
    """Return the part of a tsquery that finds the replies in this thread."""
    return PLACE + _in_thread(thread_id)


def of_having(name: Has) -> str:
    return f"{PLACE}@{name}"
