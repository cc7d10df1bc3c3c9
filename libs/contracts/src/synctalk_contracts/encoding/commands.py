"""Write commands: each once, from what its client's event was checked to be, and the bus message around them.

The event's contract is stricter than the command's, so no model of the command is made.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from synctalk_contracts.commands import Command
from synctalk_contracts.ids import format_time


class Encoded(NamedTuple):
    """A command as it goes onto the bus."""

    conversation_id: str
    json: bytes


class Encoder:
    """Writes commands of one kind."""

    def __init__(self, kind: type[Command]) -> None:
        self._type = kind.model_fields["type"].default

    def of(self, user_id: str, fields: Mapping[str, Any]) -> Encoded:
        """Write the command of these fields, whose values are JSON's, or contracts of such."""
        whole = {"type": self._type, "user_id": user_id, **fields}
        return Encoded(whole["conversation_id"], orjson.dumps(whole, default=vars))


def request(number: int, connection_id: str, traceparent: str | None, command: Encoded) -> bytes:
    """Write a `CommandRequest`."""
    fields = {
        "id": number,
        "connection_id": connection_id,
        "traceparent": traceparent,
        "command": orjson.Fragment(command.json),
    }
    return orjson.dumps(fields)


def batch(reply_to: str, requests: Iterable[bytes], deadline: datetime) -> bytes:
    """Write a `CommandBatch` of requests that are written already."""
    head = orjson.dumps({"reply_to": reply_to, "deadline": format_time(deadline)})
    return head[:-1] + b',"requests":[' + b",".join(requests) + b"]}"
