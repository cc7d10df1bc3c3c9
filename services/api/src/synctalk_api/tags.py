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


def of_message(
    sender_id: str,
    body: str,
    mentions: Sequence[str],
    *,
    mention_all: bool,
    pinned_at: datetime | None = None,
    reacted: bool = False,
    has_files: bool = False,
) -> list[str]:
    has = {"file": has_files, "link": _LINK.search(body), "reaction": reacted, "pin": pinned_at}
    return [
        _sender(sender_id),
        *map(_mentioned, mentions),
        *([_ALL] if mention_all else []),
        *(f"@{name}" for name, value in has.items() if value),
    ]


def of_sender(user_id: str) -> str:
    """Return the part of a tsquery that finds the messages of this user."""
    return PLACE + _sender(user_id)


def of_mentioned(user_id: str) -> str:
    """Return the part of a tsquery that finds what mentions this user, also with everybody else."""
    return f"({PLACE}{_mentioned(user_id)} | ({PLACE}{_ALL} & !{PLACE}{_sender(user_id)}))"


def of_having(name: Has) -> str:
    return f"{PLACE}@{name}"
