"""Estimate the size of messages as JSON, so that a page has a bound in bytes beside its bound in rows."""

from collections.abc import Iterable

import orjson
from synctalk_contracts.models import Message

FIXED_BYTES = 600
"""Of a message's ids, numbers, times and field names."""
ID_BYTES = 40
FILE_BYTES = 400
"""Of a file without its name."""


def size(message: Message) -> int:
    ids = len(message.mentions) + sum(len(user_ids) for user_ids in message.reactions.values())
    texts = len(message.body.encode()) + (len(orjson.dumps(message.metadata)) if message.metadata else 0)
    files = sum(FILE_BYTES + len(file.name.encode()) for file in message.files)
    return FIXED_BYTES + texts + files + ID_BYTES * (ids + 2 * len(message.reaction_counts))


def fitting(messages: Iterable[Message], max_bytes: int) -> int:
    """Return how many of these fit, from the first on; one at least, so that every page makes progress."""
    count, left = 0, max_bytes
    for message in messages:
        left -= size(message)
        if left < 0 and count:
            break
        count += 1
    return count
